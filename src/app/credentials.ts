/** Use cases on credentials: verified before anything is stored, sealed at rest, never shown again. */
import { audit, type Actor } from '../control/audit.ts';
import { disableConnection, enableConnection, lockConnection, type Connection } from '../control/connections.ts';
import {
  deleteCredential,
  getCredential,
  listCredentials,
  updateCredential,
  type Credential,
} from '../control/credentials.ts';
import type { Client } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { info as connectionInfo } from './connections.ts';
import { clientKey, openSecret, settingsOf } from './reach.ts';
import { changedMeanwhile, requireFuture, requireToken, sealed, store } from './sealing.ts';
import type { Service } from './service.ts';
import { given, requireKeyOf, type Secrets } from './settings.ts';
import { mustVerify, type Verification } from './verify.ts';

export type { Credential };

export interface CredentialInput {
  readonly label?: string | undefined;
  readonly secrets?: { readonly api_token?: string | undefined; readonly client_key?: string | undefined } | undefined;
  /** `YYYY-MM-DD`; null takes it away. */
  readonly expiration_date?: string | null | undefined;
}

export async function list(service: Service, connectionId: number): Promise<Credential[]> {
  await connectionInfo(service, connectionId);
  return listCredentials(service.store.database, connectionId);
}

/** The credential, or `credential_not_found` when it is not on that connection. */
export async function info(service: Service, connectionId: number, id: number): Promise<Credential> {
  await connectionInfo(service, connectionId);
  const credential = await getCredential(service.store.database, connectionId, id);
  if (credential) return credential;
  throw new ConnectorError(
    'credential_not_found',
    `Connection ${connectionId} has no credential ${id}; see which it has with credentials.list.`,
  );
}

export async function create(
  service: Service,
  actor: Actor,
  connectionId: number,
  input: CredentialInput,
  signal: AbortSignal,
): Promise<Credential> {
  const { database } = service.store;
  const connection = await connectionInfo(service, connectionId);
  const others = await listCredentials(database, connectionId);
  const secrets = requireToken(given(input.secrets ?? {}));
  requireFuture(input.expiration_date, service.now());
  refuseDouble(service, others, secrets.api_token);
  const settings = settingsOf(connection);
  const key = secrets.client_key ?? clientKey(service, others);
  requireKeyOf(settings.client_certificate, key);
  const found = await mustVerify(
    service,
    { settings, secrets: { ...secrets, ...(key !== undefined && { client_key: key }) }, others },
    signal,
  );
  return database.transaction(async (client) => {
    await unchanged(client, connection);
    const made = await store(service, client, connectionId, {
      label: input.label ?? freeLabel(others),
      secrets,
      expiration_date: found.expiration_date ?? input.expiration_date ?? null,
      found,
    });
    await audit(client, actor, {
      action: 'credentials.create',
      connectionId,
      credentialId: made.id,
      detail: { label: made.label, token_type: made.token_type, expiration_date: made.expiration_date },
    });
    return made;
  });
}

export async function update(
  service: Service,
  actor: Actor,
  connectionId: number,
  { id, ...input }: CredentialInput & { readonly id: number },
  signal: AbortSignal,
): Promise<Credential> {
  const { database } = service.store;
  const connection = await connectionInfo(service, connectionId);
  const credential = await info(service, connectionId, id);
  const others = (await listCredentials(database, connectionId)).filter((other) => other.id !== id);
  const changed = given(input.secrets ?? {});
  requireFuture(input.expiration_date, service.now());
  if (changed.api_token !== undefined) refuseDouble(service, others, changed.api_token);
  // a secret that is entered anew need not be opened: so a lost key is mended
  const api_token = changed.api_token ?? openSecret(service, credential, 'api_token');
  const secrets = requireToken({ ...(api_token !== undefined && { api_token }) });
  const settings = settingsOf(connection);
  const key = changed.client_key ?? clientKey(service, [credential, ...others]);
  requireKeyOf(settings.client_certificate, key);
  const found = await mustVerify(
    service,
    { settings, secrets: { ...secrets, ...(key !== undefined && { client_key: key }) }, others },
    signal,
  );
  return database.transaction(async (client) => {
    await unchanged(client, connection);
    const { access, token_type, server_version, warnings } = found;
    const saved = await updateCredential(client, credential, {
      label: input.label ?? credential.label,
      settings: credential.settings,
      secrets: { ...credential.secrets, ...sealed(service.vault, changed, connectionId, id) },
      expiration_date: endOf(found, input, changed, credential),
      access,
      token_type,
      server_version,
      warnings,
    });
    if (!saved) throw changedMeanwhile(`Credential ${id}`);
    await audit(client, actor, {
      action: 'credentials.update',
      connectionId,
      credentialId: id,
      detail: {
        changed: [...Object.keys(input), ...Object.keys(changed).map((field) => `secrets.${field}`)].filter(
          (name) => name !== 'secrets',
        ),
      },
    });
    return saved;
  });
}

/** Soft: out of every list, its secrets forgotten. A connection that loses its last one is stopped, with the reason. */
export async function remove(service: Service, actor: Actor, connectionId: number, id: number): Promise<void> {
  const { database } = service.store;
  await info(service, connectionId, id);
  await database.transaction(async (client) => {
    const connection = await lockConnection(client, connectionId);
    const deleted = connection !== null && (await deleteCredential(client, connectionId, id));
    if (!deleted) throw changedMeanwhile(`Credential ${id}`);
    await audit(client, actor, { action: 'credentials.delete', connectionId, credentialId: id });
    if ((await listCredentials(client, connectionId)).length > 0) return;
    await disableConnection(client, connectionId, 'soundings', 'It has no credential any more: add one.');
  });
}

/** The connection is still what was verified; what the program stopped for want of a good credential goes on. */
async function unchanged(client: Client, verified: Connection): Promise<void> {
  const connection = await lockConnection(client, verified.id);
  if (!connection || JSON.stringify(connection.settings) !== JSON.stringify(verified.settings)) {
    throw changedMeanwhile(`Connection ${verified.id}`);
  }
  if (connection.disabled_by === 'soundings') await enableConnection(client, connection.id);
}

/** The server's own word on the end of its token counts before what people enter; a new token forgets the old one's end. */
function endOf(found: Verification, input: CredentialInput, changed: Secrets, before: Credential): string | null {
  if (found.expiration_date !== null) return found.expiration_date;
  if (input.expiration_date !== undefined) return input.expiration_date;
  return changed.api_token === undefined ? before.expiration_date : null;
}

/** Twice the same token shares nothing and counts twice. */
function refuseDouble(service: Service, others: readonly Credential[], token: string): void {
  const double = others.find((other) => {
    try {
      return openSecret(service, other, 'api_token') === token;
    } catch {
      return false; // one that cannot be opened is compared with nothing
    }
  });
  if (!double) return;
  throw new ConnectorError(
    'invalid_arguments',
    `This is the token of credential ${double.id} (“${double.label}”) already.`,
    {
      details: { 'secrets.api_token': `is that of credential ${double.id} already` },
    },
  );
}

function freeLabel(others: readonly Credential[]): string {
  for (let n = others.length + 1; ; n += 1) {
    const label = `Credential ${n}`;
    if (!others.some((other) => other.label === label)) return label;
  }
}
