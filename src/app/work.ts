/** Works on a run that waits or is under way: what every worker does, on however many machines. */
import { getConnection, noteSynced } from '../control/connections.ts';
import { listCredentials } from '../control/credentials.ts';
import { beginRun, closeAbandoned, endRun, getRun, saveProgress, type RunEnd } from '../control/runs.ts';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import { NO_PROGRESS } from '../protocol/progress.ts';
import { SonarClient } from '../source/client.ts';
import { SonarSource } from '../source/sonarqube.ts';
import { selects } from '../sync/plan.ts';
import { runSync } from '../sync/run.ts';
import type { Service } from './service.ts';
import { VERSION } from './version.ts';

export interface WorkOptions {
  /** The worker's name, for logs and for the run's row. */
  readonly worker: string;
  /** At most about so long before another run gets its turn (default 20 s). */
  readonly quantumMs?: number;
  /** At most about so many requests before another run gets its turn (default 50). */
  readonly quantumRequests?: number;
  readonly signal: AbortSignal;
  readonly log?: (line: string) => void;
}

/** `more`: there is more to do, call again; `busy`: others do what is left; `done`: the run has ended. */
export type WorkState = 'more' | 'done' | 'busy';

/** Asked this often whether somebody wants the run to end. */
const LOOK_EVERY_MS = 1000;

/** Works on a run for a while. Throws `database_unavailable` when the store is away; the run stays and can be gone on with. */
export async function work(service: Service, runId: number, { signal }: WorkOptions): Promise<WorkState> {
  const { database, warehouse } = service.store;
  const run = await getRun(database, runId);
  if (run?.state !== 'queued' && run?.state !== 'running') return 'done';
  const connection = await getConnection(database, run.connection_id);
  if (!connection) return 'done';
  const lock = await database.tryLock(`soundings.sync.${connection.id}`);
  if (!lock) return 'busy';
  try {
    if (run.state === 'queued') {
      await closeAbandoned(database, connection.id);
      if (!(await beginRun(database, runId, VERSION))) return 'busy';
    }
    const cancel = new AbortController();
    const ended = AbortSignal.any([signal, lock.lost, cancel.signal]);
    let progress = NO_PROGRESS;
    const saving = setInterval(() => {
      saveProgress(database, runId, progress).then(
        (wanted) => wanted && cancel.abort(),
        () => undefined, // the run itself meets the same database, and reports it
      );
    }, LOOK_EVERY_MS);
    let end: RunEnd;
    try {
      const [credential] = (await listCredentials(database, connection.id)).filter((one) => one.disabled_at === null);
      const sealed = credential?.secrets['api_token'];
      if (!credential || sealed === undefined) {
        throw new ConnectorError('invalid_credentials', 'The connection has no credential that can be used; add one.');
      }
      const client = new SonarClient({
        baseUrl: connection.settings.base_url,
        token: service.vault.open(sealed, {
          connection: connection.id,
          credential: credential.id,
          field: 'api_token',
        }),
        version: VERSION,
        signal: ended,
      });
      try {
        const result = await runSync(new SonarSource(client), warehouse, {
          connectionId: connection.id,
          full: run.requested.full ?? false,
          auditHours: 24,
          now: service.now,
          selects: selects([], []),
          signal: ended,
          traffic: () => client.flow,
          onProgress: (next) => (progress = next),
        });
        end = { ...result, state: result.outcome };
      } finally {
        await client.close();
      }
    } catch (thrown) {
      const error = asConnectorError(thrown);
      if (signal.aborted || lock.lost.aborted || error.code === 'database_unavailable') throw error;
      const state = error.code === 'cancelled' ? 'cancelled' : 'failed';
      end = { state, mode: 'unknown', progress, shortfalls: [], error };
    } finally {
      clearInterval(saving);
    }
    await endRun(database, runId, end);
    if (end.state === 'complete' || end.state === 'partly_failed') await noteSynced(database, connection.id);
    return 'done';
  } finally {
    await lock.release();
  }
}
