/** Use cases that verify a connection which exists: changed settings, its credentials as they are, and what is not stored yet. */
import { audit, type Actor } from '../control/audit.ts';
import {
  enableConnection,
  updateConnection,
  type Connection,
  type ConnectionSettings,
} from '../control/connections.ts';
import { listCredentials, type Credential } from '../control/credentials.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { info, refuseTaken } from './connections.ts';
import type { CredentialInput } from './credentials.ts';
import { clientKey, openSecret, settingsOf } from './reach.ts';
import { changedMeanwhile, requireToken, reverified, sealed } from './sealing.ts';
import type { Service } from './service.ts';
import { given, merge, requireKeyOf, type ChangedSettings, type NewSettings } from './settings.ts';
import { isUsable, mustVerify, verify as ask, type Verification } from './verify.ts';

export interface ConnectionChange {
  readonly id: number;
  readonly name?: string | undefined;
  readonly settings?: ChangedSettings | undefined;
  readonly secrets?: CredentialInput['secrets'];
}

/**
 * Settings that decide who gets to see a token: changed only by somebody who has one for the new place. Of the address
 * every part counts: behind another path of one host there may be another program.
 */
const SENSITIVE = ['base_url', 'proxy_url', 'ca_certificate'] as const;

/** Verifies the changed settings with every credential in use, then stores them; null takes a setting away. */
export async function update(
  service: Service,
  actor: Actor,
  { id, name, settings: change = {}, secrets }: ConnectionChange,
  signal: AbortSignal,
): Promise<Connection> {
  const { database } = service.store;
  const connection = await info(service, id);
  const before = settingsOf(connection);
  const settings = merge(before, change);
  if (before.sample && Object.keys(change).some((field) => field !== 'schedule')) {
    throw new ConnectorError(
      'invalid_arguments',
      'The sample has no settings but its schedule; make a connection to your own server.',
    );
  }
  await refuseTaken(service, settings.base_url, id);
  const entered = given(secrets ?? {});
  const credentials = await listCredentials(database, id);
  const inUse = credentials.filter((credential) => isUsable(credential, service.now()));
  const moved = SENSITIVE.filter((field) => settings[field] !== undefined && settings[field] !== before[field]);
  if (moved.length > 0 && credentials.length > 0 && entered.api_token === undefined) {
    throw new ConnectorError(
      'invalid_arguments',
      `Enter the token again (secrets.api_token) when ${moved.join(' or ')} changes: a stored token is only sent where it was entered for.`,
      { details: { 'secrets.api_token': `must be entered again when ${moved.join(' or ')} changes` } },
    );
  }
  const found = new Map<Credential, Verification>();
  const [first, ...rest] = credentials;
  // a token that is entered again is the oldest credential's; others were entered for another place and wait for theirs
  const replaced = entered.api_token !== undefined && first ? first : null;
  const used = replaced ? [replaced, ...(moved.length > 0 ? [] : rest.filter((one) => inUse.includes(one)))] : inUse;
  for (const credential of used) {
    const others = credentials.filter((other) => other !== credential && used.includes(other));
    const own = credential === replaced ? entered : {};
    const key = own.client_key ?? clientKey(service, [credential, ...others]);
    requireKeyOf(settings.client_certificate, settings.client_certificate === undefined ? undefined : key);
    const api_token = own.api_token ?? openSecret(service, credential, 'api_token');
    const all = requireToken({
      ...(api_token !== undefined && { api_token }),
      ...(key !== undefined && { client_key: key }),
    });
    found.set(credential, await mustVerify(service, { settings, secrets: all, others }, signal));
  }
  return database.transaction(async (client) => {
    const saved = await updateConnection(client, connection, {
      name: name ?? connection.name,
      settings: settings as unknown as ConnectionSettings,
    });
    if (!saved) throw changedMeanwhile(`Connection ${id}`);
    for (const [credential, verification] of found) {
      const fresh = credential === replaced ? sealed(service.vault, entered, id, credential.id) : {};
      await reverified(client, credential, verification, fresh);
    }
    if (moved.length > 0) await client.query(WAIT_FOR_TOKEN, [id, [...found.keys()].map((one) => one.id)]);
    await audit(client, actor, {
      action: 'connections.update',
      connectionId: id,
      detail: {
        changed: [...(name === undefined ? [] : ['name']), ...Object.keys(change).map((field) => `settings.${field}`)],
      },
    });
    if (found.size === 0 || saved.disabled_by !== 'soundings') return saved;
    return (await enableConnection(client, id)) ?? saved;
  });
}

const WAIT_FOR_TOKEN = `update soundings.credentials
   set disabled_at = coalesce(disabled_at, now()), version = version + 1, updated_at = now(),
       disabled_reason = coalesce(disabled_reason, 'The address of the connection changed: enter the token again.')
 where connection_id = $1 and deleted_at is null and id <> all($2::bigint[])`;

/** Verifies a stored credential anew; what it found is stored when it is good, and the credential is in use again. */
export async function verify(
  service: Service,
  actor: Actor,
  { id, credentialId }: { readonly id: number; readonly credentialId: number | undefined },
  signal: AbortSignal,
): Promise<Verification> {
  const { database } = service.store;
  const connection = await info(service, id);
  const credentials = await listCredentials(database, id);
  const chosen =
    credentialId === undefined
      ? (credentials.find((one) => isUsable(one, service.now())) ?? credentials[0])
      : credentials.find((one) => one.id === credentialId);
  if (!chosen) {
    throw new ConnectorError(
      'credential_not_found',
      credentialId === undefined
        ? `Connection ${id} has no credential to verify; add one with credentials.create.`
        : `Connection ${id} has no credential ${credentialId}; see which it has with credentials.list.`,
    );
  }
  const others = credentials.filter((other) => other !== chosen);
  const key = clientKey(service, [chosen, ...others]);
  const api_token = openSecret(service, chosen, 'api_token');
  const secrets = requireToken({
    ...(api_token !== undefined && { api_token }),
    ...(key !== undefined && { client_key: key }),
  });
  const verification = await ask(service, { settings: settingsOf(connection), secrets, others }, signal);
  await database.transaction(async (client) => {
    const { outcome } = verification;
    await audit(client, actor, {
      action: 'connections.verify',
      connectionId: id,
      credentialId: chosen.id,
      detail: { outcome },
    });
    if (outcome !== 'verified') return;
    await reverified(client, chosen, verification);
    if (connection.disabled_by === 'soundings') await enableConnection(client, id);
  });
  return verification;
}

/** Verifies what is not stored, and stores nothing. */
export async function tryOut(
  service: Service,
  { settings, secrets }: { readonly settings: NewSettings; readonly secrets: CredentialInput['secrets'] },
  signal: AbortSignal,
): Promise<Verification> {
  const entered = requireToken(given(secrets ?? {}));
  requireKeyOf(settings.client_certificate, entered.client_key);
  return ask(
    service,
    { settings: merge({ base_url: settings.base_url }, settings), secrets: entered, others: [] },
    signal,
  );
}
