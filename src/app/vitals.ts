/** What an operator watches: how old the data is, what runs and waits, which tokens end soon, how complete it all is. */
import { listConnections } from '../control/connections.ts';
import { listCredentials } from '../control/credentials.ts';
import { lastRuns, runsByState, type RunState } from '../control/runs.ts';
import { changes, NO_PROGRESS } from '../protocol/progress.ts';
import type { LedgerState } from '../protocol/sync.ts';
import { NOTHING_COUNTED } from '../warehouse/warehouse.ts';
import type { Service } from './service.ts';

const DAY_MS = 86_400_000;

export interface ConnectionVitals {
  readonly id: number;
  readonly name: string;
  readonly disabled: boolean;
  /** Seconds since a sync last came to its end; null when none has. */
  readonly lagSeconds: number | null;
  readonly projects: number;
  /** Rows of the completeness ledger by state. */
  readonly ledger: Readonly<Record<LedgerState, number>>;
  /** The last run that has begun. */
  readonly lastRun: {
    readonly state: RunState;
    readonly seconds: number | null;
    readonly requests: number;
    readonly retries: number;
    readonly changes: number;
  } | null;
  readonly tokens: readonly { readonly credential: number; readonly label: string; readonly daysLeft: number }[];
}

export interface Vitals {
  readonly runs: Readonly<Record<RunState, number>>;
  readonly connections: readonly ConnectionVitals[];
}

export async function vitals({ store, now }: Service): Promise<Vitals> {
  const { database, warehouse } = store;
  const [connections, last, runs, counts] = await Promise.all([
    listConnections(database),
    lastRuns(database),
    runsByState(database),
    warehouse.counts(),
  ]);
  const at = now().getTime();
  return {
    runs,
    connections: await Promise.all(
      connections.map(async ({ id, name, disabled_at, last_synced_at }) => {
        const { projects, ledger } = counts.get(id) ?? NOTHING_COUNTED;
        const run = last.get(id);
        const progress = { ...NO_PROGRESS, ...run?.progress };
        const credentials = await listCredentials(database, id);
        return {
          id,
          name,
          disabled: disabled_at !== null,
          lagSeconds: last_synced_at === null ? null : (at - Date.parse(last_synced_at)) / 1000,
          projects,
          ledger,
          lastRun: run
            ? {
                state: run.state,
                seconds:
                  run.started_at === null
                    ? null
                    : ((run.ended_at === null ? at : Date.parse(run.ended_at)) - Date.parse(run.started_at)) / 1000,
                requests: progress.requests,
                retries: progress.retries,
                changes: changes(progress),
              }
            : null,
          tokens: credentials.flatMap(({ id: credential, label, expiration_date: date }) =>
            date === null ? [] : [{ credential, label, daysLeft: Math.floor((Date.parse(date) - at) / DAY_MS) }],
          ),
        };
      }),
    ),
  };
}
