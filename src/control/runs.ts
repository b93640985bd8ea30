/** Runs: what was read when, how it went, and why not. */
import type { Database } from '../db/database.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { Progress } from '../protocol/progress.ts';

export type RunState = 'running' | 'complete' | 'partly_failed' | 'failed' | 'cancelled';

export interface RunEnd {
  readonly state: Exclude<RunState, 'running'>;
  readonly mode: 'full' | 'incremental' | 'unknown';
  readonly progress: Progress;
  readonly shortfalls: readonly unknown[];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

export async function startRun(database: Database, connectionId: number, version: string): Promise<number> {
  const { rows } = await database.query<{ id: number }>(
    `insert into soundings.runs (connection_id, mode, state, program_version) values ($1, 'unknown', 'running', $2) returning id`,
    [connectionId, version],
  );
  return rows[0]?.id ?? 0;
}

/** Runs that no living process holds: their process ended without a word. Called under the connection's lock. */
export async function closeAbandoned(database: Database, connectionId: number): Promise<void> {
  await database.query(
    `update soundings.runs set state = 'failed', ended_at = now(), error_code = 'unexpected',
            error_message = 'The process ended in the middle of the run; the next run went on from its last commit.'
      where connection_id = $1 and state = 'running'`,
    [connectionId],
  );
}

export async function saveProgress(database: Database, id: number, progress: Progress): Promise<void> {
  await database.query('update soundings.runs set progress = $2, heartbeat_at = now() where id = $1', [
    id,
    JSON.stringify(progress),
  ]);
}

export async function endRun(database: Database, id: number, end: RunEnd): Promise<void> {
  await database.query(
    `update soundings.runs
        set state = $2, mode = $3, progress = $4, shortfalls = $5, error_code = $6, error_message = $7, ended_at = now()
      where id = $1`,
    [
      id,
      end.state,
      end.mode,
      JSON.stringify(end.progress),
      JSON.stringify(end.shortfalls),
      end.error?.code ?? null,
      end.error?.message ?? null,
    ],
  );
}

export interface LastRun {
  readonly id: number;
  readonly connection_id: number;
  readonly mode: string;
  readonly state: RunState;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

/** The latest run of every connection, by connection id. */
export async function lastRuns(database: Database): Promise<Map<number, LastRun>> {
  const { rows } = await database.query<LastRun>(
    `select distinct on (connection_id) id, connection_id, mode, state, started_at, ended_at, error_code, error_message
       from soundings.runs order by connection_id, started_at desc, id desc`,
  );
  return new Map(rows.map((run) => [run.connection_id, run]));
}
