/** Works on a run that waits or is under way: what every worker does, on however many machines. */
import { getConnection } from '../control/connections.ts';
import { beginRun, cancelRun, closeAbandoned, endRun, getRun } from '../control/runs.ts';
import { UNOBSERVED } from './observer.ts';
import type { Service } from './service.ts';
import { Shift, type Turn } from './shift.ts';
import { VERSION } from './version.ts';

export type { Turn };

export interface WorkOptions {
  /** The worker's name, for logs and for the run's slices: no two processes have the same. */
  readonly worker: string;
  /** No new slice is begun after so long, so that other runs get their turn (default 20 s). */
  readonly quantumMs?: number;
  /** Stops at the next commit; what is read so far stays. */
  readonly signal: AbortSignal;
}

const DONE: Turn = { state: 'done', slices: 0 };
const BUSY: Turn = { state: 'busy', slices: 0 };

/**
 * One worker's turn on a run. `more`: there is more to do, come again after the others; `busy`: other workers hold what is
 * left, or another run of the connection is under way; `done`: the run has ended. Throws `database_unavailable` when the
 * store is away: the run stays, and is gone on with from its last commit.
 */
export async function work(service: Service, runId: number, options: WorkOptions): Promise<Turn> {
  const { database } = service.store;
  const { observer = UNOBSERVED } = service;
  let run = await getRun(database, runId);
  if (run?.state !== 'queued' && run?.state !== 'running') return DONE;
  const connection = await getConnection(database, run.connection_id);
  if (!connection || (connection.disabled_at !== null && run.state === 'queued')) {
    const message = connection ? 'The connection was disabled.' : 'The connection was deleted.';
    if (run.state === 'queued') await cancelRun(database, runId);
    else {
      const { mode, progress, shortfalls } = run;
      await endRun(database, runId, {
        state: 'cancelled',
        mode,
        progress,
        shortfalls,
        error: { code: 'cancelled', message },
      });
    }
    return DONE;
  }
  if (run.state === 'queued') {
    const lock = await database.tryLock(`soundings.sync.${connection.id}`);
    if (!lock) return BUSY;
    try {
      await closeAbandoned(database, connection.id);
      if (!(await beginRun(database, run, VERSION))) return BUSY;
    } finally {
      await lock.release();
    }
    run = { ...run, state: 'running' };
    observer.log.info({ run: run.id, connection: connection.id, worker: options.worker }, 'A run begins.');
  }
  const ids = { run: run.id, connection: connection.id };
  const shift = new Shift(service, run, connection, options);
  return observer.span('run', ids, () => shift.go());
}
