/** Who looks at the pages, and what they may do. */
import { useRead, type Answer } from './api.ts';

export type Session = Answer<'session.info'>;
export type Scope = Session['scopes'][number];
export type Role = NonNullable<Session['user']>['role'];

/** Asked again now and then: a session that ends while nobody looks is noticed. */
const REFRESH_MS = 60_000;

export const useSession = () => useRead('session.info', {}, { refresh: REFRESH_MS });

/** May whoever looks do this? No while that is not known; what is only hidden here, the API refuses. */
export function useMay(scope: Scope): boolean {
  const scopes = useSession().data?.scopes ?? [];
  if (scopes.includes('admin') || scopes.includes(scope)) return true;
  return scope === 'connections:read' && scopes.includes('connections:write');
}

/** What each role is for, in words. */
export const ROLES: readonly { readonly value: Role; readonly label: string; readonly about: string }[] = [
  { value: 'viewer', label: 'Viewer', about: 'looks at everything and asks SQL' },
  { value: 'editor', label: 'Editor', about: 'also adds, changes and syncs connections' },
  { value: 'admin', label: 'Admin', about: 'also decides about users and API tokens' },
];

export const PASSWORD_LEAST = 10;
