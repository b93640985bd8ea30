/** What the connections page shows of every connection. */
import { listConnections, type Connection } from '../control/connections.ts';
import { listCredentials } from '../control/credentials.ts';
import { lastRuns, type LastRun } from '../control/runs.ts';
import { nextRuns } from '../control/schedules.ts';
import { NOTHING_COUNTED, type Counts } from '../warehouse/warehouse.ts';
import { warnings } from './connections.ts';
import type { Service } from './service.ts';

export interface Overview extends Counts {
  readonly connection: Connection;
  readonly serverVersion: string | null;
  readonly lastRun: LastRun | null;
  /** When it is synced by itself; null while it is disabled, or when it is synced by hand only. */
  readonly nextSyncAt: string | null;
  /** The earliest end of its credentials. */
  readonly expirationDate: string | null;
  readonly warnings: readonly string[];
}

export async function overview(service: Service): Promise<Overview[]> {
  const { database, warehouse } = service.store;
  const [connections, runs, counts, next] = await Promise.all([
    listConnections(database),
    lastRuns(database),
    warehouse.counts(),
    nextRuns(database),
  ]);
  return Promise.all(
    connections.map(async (connection) => {
      const credentials = await listCredentials(database, connection.id);
      const dates = credentials.flatMap(({ expiration_date: date }) => (date === null ? [] : [date]));
      return {
        connection,
        serverVersion: credentials.find(({ server_version }) => server_version !== null)?.server_version ?? null,
        lastRun: runs.get(connection.id) ?? null,
        nextSyncAt: next.get(connection.id) ?? null,
        expirationDate: dates.sort()[0] ?? null,
        warnings: await warnings(service, connection),
        ...(counts.get(connection.id) ?? NOTHING_COUNTED),
      };
    }),
  );
}
