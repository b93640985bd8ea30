/** Use cases on connections: which servers there are, how each of them is, and every change of them. */
import { audit, type Actor } from '../control/audit.ts';
import {
  createConnection,
  deleteConnection,
  disableConnection,
  enableConnection,
  getConnection,
  listConnections,
  lockConnection,
  noteNeverSynced,
  updateConnection,
  type Connection,
  type ConnectionSettings,
} from '../control/connections.ts';
import { deleteCredentialsOf, listCredentials, type Credential } from '../control/credentials.ts';
import { cancelRun, openRuns } from '../control/runs.ts';
import type { Client } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { CredentialInput } from './credentials.ts';
import { SAMPLE_TOKEN, SAMPLE_URL } from './reach.ts';
import { changedMeanwhile, requireFuture, requireToken, store } from './sealing.ts';
import type { Service } from './service.ts';
import { given, merge, requireKeyOf, type NewSettings, type StoredSettings } from './settings.ts';
import { isUsable, mustVerify, readsAll, warningsOf, type Verification } from './verify.ts';

export type { Connection };

export async function list({ store }: Service): Promise<Connection[]> {
  return listConnections(store.database);
}

/** The connection, or `connection_not_found`. */
export async function info({ store }: Service, id: number): Promise<Connection> {
  const connection = await getConnection(store.database, id);
  if (connection) return connection;
  throw new ConnectorError(
    'connection_not_found',
    `There is no connection ${id}; see which there are with connections.list.`,
  );
}

/** What people must know of a connection: its credentials that end, are disabled or missing. */
export async function warnings({ store, now }: Service, { id }: Connection): Promise<string[]> {
  const credentials = await listCredentials(store.database, id);
  const found = credentials.flatMap((credential) =>
    credential.disabled_at === null
      ? warningsOf(credential, now())
      : [`Credential “${credential.label}” is disabled: ${credential.disabled_reason ?? 'no reason is known'}`],
  );
  if (credentials.length === 0) return ['It has no stored credential: only “soundings sync --url” can read it.'];
  const inUse = credentials.filter((credential) => isUsable(credential, now()));
  if (inUse.some(readsAll)) return found;
  const lack =
    inUse.length === 0 ? 'No credential can be used' : 'No credential in use may read everything that is needed';
  return [`${lack}: update one, or add one with a token of type User.`, ...found];
}

export interface Created {
  readonly connection: Connection;
  readonly credential: Credential;
  readonly verification: Verification;
}

export interface NewConnection extends CredentialInput {
  readonly name?: string | undefined;
  readonly settings: NewSettings;
}

/** Verifies, then stores connection and credential together; a server that is deleted or has no credential is taken up again. */
export async function create(
  service: Service,
  actor: Actor,
  { name, settings, label = 'Credential 1', ...input }: NewConnection,
  signal: AbortSignal,
): Promise<Created> {
  const secrets = requireToken(given(input.secrets ?? {}));
  requireFuture(input.expiration_date, service.now());
  requireKeyOf(settings.client_certificate, secrets.client_key);
  const stored = merge({ base_url: settings.base_url }, settings);
  await refuseTaken(service, stored.base_url);
  const verification = await mustVerify(service, { settings: stored, secrets, others: [] }, signal);
  return service.store.database.transaction(async (client) => {
    const connection = await takeUp(client, stored, name);
    const credential = await store(service, client, connection.id, {
      label,
      secrets,
      expiration_date: verification.expiration_date ?? input.expiration_date ?? null,
      found: verification,
    });
    await audit(client, actor, {
      action: 'connections.create',
      connectionId: connection.id,
      credentialId: credential.id,
      detail: { name: connection.name, base_url: stored.base_url },
    });
    return { connection, credential, verification };
  });
}

/** The bundled sample: a recording of a real server, for those who have none at hand. */
export async function createSample(service: Service, actor: Actor, signal: AbortSignal): Promise<Created> {
  const settings: StoredSettings = { base_url: SAMPLE_URL, sample: true, schedule: 'manual' };
  const secrets = { api_token: SAMPLE_TOKEN };
  await refuseTaken(service, SAMPLE_URL);
  const verification = await mustVerify(service, { settings, secrets, others: [] }, signal);
  return service.store.database.transaction(async (client) => {
    const connection = await takeUp(client, settings, 'Sample (SonarQube 26.9)');
    const made = { label: 'Credential 1', secrets, expiration_date: null, found: verification };
    const credential = await store(service, client, connection.id, made);
    await audit(client, actor, { action: 'connections.create_sample', connectionId: connection.id });
    return { connection, credential, verification };
  });
}

/** One connection per server: two would read everything twice, and count it twice. */
export async function refuseTaken({ store: { database } }: Service, baseUrl: string, except?: number): Promise<void> {
  const taken = (await listConnections(database)).find(
    ({ id, settings }) => settings.base_url === baseUrl && id !== except,
  );
  if (!taken) return;
  if (except === undefined && (await listCredentials(database, taken.id)).length === 0) return;
  throw isTaken(taken);
}

function isTaken({ id, settings }: Connection): ConnectorError {
  return new ConnectorError(
    'conflict',
    `Connection ${id} is to ${settings.base_url} already; add a credential to it, or change its settings.`,
    { details: { connection_id: id } },
  );
}

async function takeUp(client: Client, settings: StoredSettings, name: string | undefined): Promise<Connection> {
  const found = await createConnection(client, settings as unknown as ConnectionSettings, name);
  // nobody can add a credential meanwhile: the row is locked by having been written
  if ((await listCredentials(client, found.id)).length > 0) throw isTaken(found);
  const changed = { name: name ?? found.name, settings: settings as unknown as ConnectionSettings };
  const taken = await updateConnection(client, found, changed);
  if (!taken) throw changedMeanwhile(`Connection ${found.id}`);
  return taken.disabled_at === null ? taken : ((await enableConnection(client, taken.id)) ?? taken);
}

export async function disable(service: Service, actor: Actor, id: number, reason: string): Promise<Connection> {
  await info(service, id);
  return changed(service, actor, id, 'connections.disable', (client) =>
    disableConnection(client, id, 'person', reason),
  );
}

export async function enable(service: Service, actor: Actor, id: number): Promise<Connection> {
  await info(service, id);
  return changed(service, actor, id, 'connections.enable', (client) => enableConnection(client, id));
}

/** Soft: out of every list, its credentials forgotten, its runs stopped. Its rows stay unless they are to be purged. */
export async function remove(service: Service, actor: Actor, id: number, purgeData: boolean): Promise<void> {
  const { database, warehouse } = service.store;
  await info(service, id);
  const runs = await openRuns(database, id);
  const lock = purgeData ? await database.tryLock(`soundings.sync.${id}`) : undefined;
  try {
    if (purgeData && (!lock || runs.some(({ state }) => state === 'running'))) {
      throw new ConnectorError(
        'conflict',
        `A sync of connection ${id} is running; cancel it (syncs.cancel), then purge.`,
      );
    }
    await changed(
      service,
      actor,
      id,
      'connections.delete',
      async (client) => {
        const deleted = await deleteConnection(client, id);
        if (!deleted) return null;
        await deleteCredentialsOf(client, id);
        for (const run of runs) await cancelRun(client, run.id);
        if (purgeData) {
          await warehouse.purge(client, id);
          await noteNeverSynced(client, id);
        }
        return deleted;
      },
      { purge_data: purgeData },
    );
  } finally {
    await lock?.release();
  }
}

async function changed(
  { store: { database } }: Service,
  actor: Actor,
  id: number,
  action: string,
  change: (client: Client) => Promise<Connection | null>,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<Connection> {
  return database.transaction(async (client) => {
    await lockConnection(client, id);
    const connection = await change(client);
    if (!connection) throw changedMeanwhile(`Connection ${id}`);
    await audit(client, actor, { action, connectionId: id, detail });
    return connection;
  });
}
