/** The settings form: what its fields hold for a connection, and what of it is sent when somebody changed them. Pure. */
import type { Input } from '../../api.ts';
import type { ConnectionInfo } from './use-connection.ts';

/** Everything as the fields hold it: texts, lists one per line. */
export interface Values {
  readonly name: string;
  readonly base_url: string;
  readonly schedule: string;
  readonly include: string;
  readonly exclude: string;
  readonly projects: string;
  readonly access: 'admin' | 'browse';
  readonly proxy_url: string;
  readonly ca_certificate: string;
  readonly client_certificate: string;
  readonly max_concurrency: string;
  readonly audit_hours: string;
  readonly listed_endpoints_only: boolean;
  /** Entered again, never shown. */
  readonly api_token: string;
  readonly client_key: string;
}

type Update = Input<'connections.update'>;

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const lines = (value: unknown): string => (Array.isArray(value) ? value.map(text).join('\n') : '');

export function valuesOf({ name, settings }: Pick<ConnectionInfo, 'name' | 'settings'>): Values {
  return {
    name,
    base_url: text(settings['base_url']),
    schedule: text(settings['schedule']),
    include: lines(settings['include']),
    exclude: lines(settings['exclude']),
    projects: lines(settings['projects']),
    access: settings['access'] === 'browse' ? 'browse' : 'admin',
    proxy_url: text(settings['proxy_url']),
    ca_certificate: text(settings['ca_certificate']),
    client_certificate: text(settings['client_certificate']),
    max_concurrency: text(settings['max_concurrency']),
    audit_hours: text(settings['audit_hours']),
    listed_endpoints_only: settings['listed_endpoints_only'] === true,
    api_token: '',
    client_key: '',
  };
}

const TEXTS = ['base_url', 'schedule', 'proxy_url', 'ca_certificate', 'client_certificate'] as const;
const LISTS = ['include', 'exclude', 'projects'] as const;
const NUMBERS = ['max_concurrency', 'audit_hours'] as const;

/** What decides who gets to see a token: it is entered again when one of them changes, the path of the address too. */
const SENSITIVE = ['base_url', 'proxy_url', 'ca_certificate'] as const;

/** Must the token be entered again? Taking a proxy or an authority away sends it nowhere new but is asked for as well. */
export const needsToken = (before: Values, after: Values): boolean =>
  SENSITIVE.some((field) => after[field].trim() !== before[field].trim());

export const isChanged = (before: Values, after: Values): boolean =>
  (Object.keys(before) as (keyof Values)[]).some((field) => before[field] !== after[field]);

/** The lines that hold something. */
export const listOf = (value: string): string[] =>
  value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The arguments of connections.update: only what changed; what was emptied is null, which takes it away. */
export function changeOf(id: number, before: Values, after: Values): Update {
  const settings: Record<string, unknown> = {};
  for (const field of TEXTS) {
    const value = after[field].trim();
    if (value !== before[field].trim()) settings[field] = value === '' && field !== 'base_url' ? null : value;
  }
  for (const field of LISTS) {
    const value = listOf(after[field]);
    if (value.join('\n') !== listOf(before[field]).join('\n')) settings[field] = value.length === 0 ? null : value;
  }
  for (const field of NUMBERS) {
    const value = after[field].trim();
    if (value !== before[field].trim()) settings[field] = value === '' ? null : Number(value);
  }
  if (after.access !== before.access) settings['access'] = after.access;
  if (after.listed_endpoints_only !== before.listed_endpoints_only)
    settings['listed_endpoints_only'] = after.listed_endpoints_only;
  const secrets = {
    ...(after.api_token.trim() !== '' && { api_token: after.api_token.trim() }),
    ...(after.client_key.trim() !== '' && { client_key: after.client_key }),
  };
  return {
    id,
    ...(after.name.trim() !== before.name && { name: after.name.trim() }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
  };
}
