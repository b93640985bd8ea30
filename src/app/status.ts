/** The use case "how complete is it?": connections, their last runs, and the ledger. */
import { listConnections } from '../control/connections.ts';
import { lastRuns, type LastRun } from '../control/runs.ts';
import type { LedgerRow } from '../warehouse/warehouse.ts';
import type { Store } from './store.ts';

export interface ConnectionStatus {
  readonly id: number;
  readonly name: string;
  readonly base_url: string;
  readonly state: string;
  readonly last_synced_at: string | null;
  readonly last_run: LastRun | null;
  readonly complete: boolean;
  readonly ledger: readonly LedgerRow[];
}

export async function status({ database, warehouse }: Store): Promise<ConnectionStatus[]> {
  const runs = await lastRuns(database);
  const connections = await listConnections(database);
  return Promise.all(
    connections.map(async ({ id, name, settings, state, last_synced_at }) => {
      const ledger = await warehouse.ledger(id);
      const complete = ledger.length > 0 && ledger.every((row) => row.state === 'complete');
      return {
        id,
        name,
        base_url: settings.base_url,
        state,
        last_synced_at,
        last_run: runs.get(id) ?? null,
        complete,
        ledger,
      };
    }),
  );
}
