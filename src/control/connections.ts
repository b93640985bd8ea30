/** Connections: which servers are synced, and how. */
import type { Client, Queryable } from '../db/database.ts';

/** What `settings` of a connection holds; `app/settings.ts` says what is accepted. */
export type ConnectionSettings = { readonly base_url: string } & Readonly<Record<string, unknown>>;

export interface Connection {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly settings: ConnectionSettings;
  readonly state: 'draft' | 'verified';
  /** Raised by every change: an update that began from an older one is refused. */
  readonly version: number;
  readonly disabled_at: string | null;
  readonly disabled_reason: string | null;
  /** What the program disabled itself it enables again once the reason is gone. */
  readonly disabled_by: 'person' | 'soundings' | null;
  readonly deleted_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  /** When a sync last came to its end. */
  readonly last_synced_at: string | null;
}

const COLUMNS = `id, type, name, settings, state, version, disabled_at, disabled_reason, disabled_by, deleted_at, created_at, updated_at,
  last_synced_at`;

const first = async (database: Queryable, sql: string, values: unknown[]): Promise<Connection | null> =>
  (await database.query<Connection>(sql, values)).rows[0] ?? null;

/** The connection to a normalised base URL, deleted ones included; null when that server was never connected. */
export async function findConnection(database: Queryable, baseUrl: string): Promise<Connection | null> {
  const sql = `select ${COLUMNS} from soundings.connections where type = 'sonarqube' and settings ->> 'base_url' = $1`;
  return first(database, sql, [baseUrl]);
}

export async function getConnection(database: Queryable, id: number): Promise<Connection | null> {
  return first(database, `select ${COLUMNS} from soundings.connections where id = $1 and deleted_at is null`, [id]);
}

/** The same, held until the end of the transaction: nobody changes or deletes it meanwhile. */
export async function lockConnection(database: Client, id: number): Promise<Connection | null> {
  const sql = `select ${COLUMNS} from soundings.connections where id = $1 and deleted_at is null for update`;
  return first(database, sql, [id]);
}

/**
 * Makes a connection for a server that has been verified; when there is one already (another process was faster, or it
 * was deleted and its data kept) that one is taken up again, with its id and its data.
 */
export async function createConnection(
  database: Queryable,
  settings: ConnectionSettings,
  name = new URL(settings.base_url).host,
): Promise<Connection> {
  const connection = await first(
    database,
    `insert into soundings.connections (name, settings) values ($1, $2)
     on conflict (type, (settings ->> 'base_url')) do update
       set deleted_at = null,
           name = case when connections.deleted_at is null then connections.name else excluded.name end,
           settings = case when connections.deleted_at is null then connections.settings else excluded.settings end,
           disabled_at = case when connections.deleted_at is null then connections.disabled_at end,
           disabled_reason = case when connections.deleted_at is null then connections.disabled_reason end,
           disabled_by = case when connections.deleted_at is null then connections.disabled_by end
     returning ${COLUMNS}`,
    [name, JSON.stringify(settings)],
  );
  if (!connection) throw new Error(`no connection for ${settings.base_url}`);
  return connection;
}

/** Every connection that is not deleted, ordered by type as the API documents it. */
export async function listConnections(database: Queryable): Promise<Connection[]> {
  const { rows } = await database.query<Connection>(
    `select ${COLUMNS} from soundings.connections where deleted_at is null order by type, id`,
  );
  return rows;
}

/** Writes name and settings unless somebody changed the connection since `version` was read: null then. */
export async function updateConnection(
  database: Queryable,
  { id, version }: Connection,
  changed: { name: string; settings: ConnectionSettings },
): Promise<Connection | null> {
  return first(
    database,
    `update soundings.connections
        set name = $3, settings = $4, state = 'verified', version = version + 1, updated_at = now()
      where id = $1 and version = $2 and deleted_at is null returning ${COLUMNS}`,
    [id, version, changed.name, JSON.stringify(changed.settings)],
  );
}

/** Stops all syncs of a connection, with the reason that people are shown. Keeps an earlier reason. */
export async function disableConnection(
  database: Queryable,
  id: number,
  by: 'person' | 'soundings',
  reason: string,
): Promise<Connection | null> {
  return first(
    database,
    `update soundings.connections
        set disabled_at = coalesce(disabled_at, now()), disabled_reason = coalesce(disabled_reason, $2),
            disabled_by = coalesce(disabled_by, $3), version = version + 1, updated_at = now()
      where id = $1 and deleted_at is null returning ${COLUMNS}`,
    [id, reason, by],
  );
}

export async function enableConnection(database: Queryable, id: number): Promise<Connection | null> {
  return first(
    database,
    `update soundings.connections
        set disabled_at = null, disabled_reason = null, disabled_by = null, version = version + 1, updated_at = now()
      where id = $1 and deleted_at is null returning ${COLUMNS}`,
    [id],
  );
}

/** Takes a connection out of every list; its rows in the warehouse stay. */
export async function deleteConnection(database: Queryable, id: number): Promise<Connection | null> {
  return first(
    database,
    `update soundings.connections set deleted_at = now(), version = version + 1, updated_at = now()
      where id = $1 and deleted_at is null returning ${COLUMNS}`,
    [id],
  );
}

export async function noteSynced(database: Queryable, id: number): Promise<void> {
  await database.query('update soundings.connections set last_synced_at = now() where id = $1', [id]);
}

/** Nothing of the connection is known any more after a purge. */
export async function noteNeverSynced(database: Queryable, id: number): Promise<void> {
  await database.query('update soundings.connections set last_synced_at = null where id = $1', [id]);
}
