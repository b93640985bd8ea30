/** Use cases on API tokens: who may call the API, and for what. */
import { createToken, findToken, listTokens, revokeToken, type ApiToken } from '../control/api-tokens.ts';
import { audit, type Actor } from '../control/audit.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Service } from './service.ts';

export type { ApiToken };

export interface NewToken {
  readonly label: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
}

/** Makes a token; its text is returned this once and kept nowhere. */
export async function create(
  { store, now }: Service,
  actor: Actor,
  { label, scopes, expiresAt }: NewToken,
): Promise<{ token: string; stored: ApiToken }> {
  if (expiresAt !== null && expiresAt.getTime() <= now().getTime()) {
    throw new ConnectorError('invalid_arguments', 'The token would have ended already; give a later expires_at.', {
      details: { expires_at: 'is in the past' },
    });
  }
  const made = await createToken(store.database, { label, scopes, expiresAt, by: actor.name });
  await audit(store.database, actor, {
    action: 'tokens.create',
    detail: { token: made.stored.prefix, label, scopes, expires_at: made.stored.expires_at },
  });
  return made;
}

export async function list({ store }: Service): Promise<ApiToken[]> {
  return listTokens(store.database);
}

export async function revoke({ store }: Service, actor: Actor, id: number): Promise<void> {
  const revoked = await revokeToken(store.database, id);
  if (!revoked) {
    throw new ConnectorError(
      'token_not_found',
      `There is no token ${id} that is still good; tokens.list shows which there are.`,
    );
  }
  await audit(store.database, actor, {
    action: 'tokens.revoke',
    detail: { token: revoked.prefix, label: revoked.label },
  });
}

/** The token that is good now, or null. */
export async function authenticate({ store }: Service, token: string): Promise<ApiToken | null> {
  return findToken(store.database, token);
}
