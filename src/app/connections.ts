/** Use cases on connections: which servers there are, and how each of them is. */
import { getConnection, listConnections, type Connection } from '../control/connections.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Service } from './service.ts';

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
