/** Connections: which servers are synced. */
import type { Database } from '../db/database.ts';

export interface Connection {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly settings: { readonly base_url: string };
  readonly state: string;
  readonly last_synced_at: string | null;
}

const COLUMNS = 'id, type, name, settings, state, last_synced_at';

/** The connection to a normalised base URL, or null when that server has never been synced. */
export async function findConnection(database: Database, baseUrl: string): Promise<Connection | null> {
  const { rows } = await database.query<Connection>(
    `select ${COLUMNS} from soundings.connections where type = 'sonarqube' and settings ->> 'base_url' = $1`,
    [baseUrl],
  );
  return rows[0] ?? null;
}

/** Makes a connection; when another process was faster, that one's. Only for a server that has been verified. */
export async function createConnection(database: Database, baseUrl: string): Promise<Connection> {
  await database.query(
    `insert into soundings.connections (name, settings) values ($1, jsonb_build_object('base_url', $2::text))
     on conflict (type, (settings ->> 'base_url')) do nothing`,
    [new URL(baseUrl).host, baseUrl],
  );
  const connection = await findConnection(database, baseUrl);
  if (!connection) throw new Error(`no connection for ${baseUrl}`);
  return connection;
}

export async function listConnections(database: Database): Promise<Connection[]> {
  const { rows } = await database.query<Connection>(`select ${COLUMNS} from soundings.connections order by type, id`);
  return rows;
}

export async function noteSynced(database: Database, id: number): Promise<void> {
  await database.query('update soundings.connections set last_synced_at = now(), updated_at = now() where id = $1', [
    id,
  ]);
}
