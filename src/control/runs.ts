/** Runs: what was read when, how it went, and why not. */
import type { Client, Database, Queryable } from '../db/database.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { add, NO_PROGRESS, type Progress } from '../protocol/progress.ts';
import { forgetSlices, insertPlanSlice, openProgress } from './slices.ts';

export type RunState = 'queued' | 'running' | 'complete' | 'partly_failed' | 'failed' | 'cancelled';
export type RunMode = 'full' | 'incremental' | 'unknown';

/** What a run was asked to do beyond its connection's settings. */
export interface RunRequest {
  readonly full?: boolean;
}

export interface RunEnd {
  readonly state: Exclude<RunState, 'queued' | 'running'>;
  readonly mode: RunMode;
  readonly progress: Progress;
  readonly shortfalls: readonly unknown[];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

export interface Run {
  readonly id: number;
  readonly connection_id: number;
  /** What began it: `command`, `api` or `schedule`. */
  readonly trigger: string;
  readonly mode: RunMode;
  readonly state: RunState;
  readonly requested: RunRequest;
  readonly queued_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly cancel_requested_at: string | null;
  readonly progress: Progress;
  readonly shortfalls: readonly unknown[];
  readonly error_code: ErrorCode | null;
  readonly error_message: string | null;
  readonly program_version: string;
  /** The worker that took the last turn on it. */
  readonly worker: string | null;
}

const COLUMNS = `id, connection_id, trigger, mode, state, requested, queued_at,
  case when state <> 'queued' then started_at end as started_at, ended_at, cancel_requested_at, progress, shortfalls,
  error_code, error_message, program_version, worker`;

/** A run that begins now. */
export async function startRun(
  database: Queryable,
  connectionId: number,
  version: string,
  trigger = 'command',
): Promise<number> {
  const { rows } = await database.query<{ id: number }>(
    `insert into soundings.runs (connection_id, mode, state, program_version, trigger)
     values ($1, 'unknown', 'running', $2, $3) returning id`,
    [connectionId, version, trigger],
  );
  return rows[0]?.id ?? 0;
}

/** A run that waits for a worker; one that waits already is that one, with both wishes. */
export async function queueRun(
  database: Queryable,
  connectionId: number,
  { version, trigger, requested }: { version: string; trigger: string; requested: RunRequest },
): Promise<Run> {
  const { rows } = await database.query<Run>(
    `insert into soundings.runs (connection_id, mode, state, program_version, trigger, requested)
     values ($1, 'unknown', 'queued', $2, $3, $4)
     on conflict (connection_id) where state = 'queued' do update set requested = runs.requested || excluded.requested
     returning ${COLUMNS}`,
    [connectionId, version, trigger, JSON.stringify(requested)],
  );
  if (!rows[0]) throw new Error('the run was not queued');
  return rows[0];
}

/**
 * Takes a waiting run into work by slices; false when it waits no longer, or while another run of its connection is under
 * way. Called under the connection's lock.
 */
export async function beginRun(database: Database, { id, connection_id }: Run, version: string): Promise<boolean> {
  return database.transaction(async (client) => {
    const { rowCount } = await client.query(
      `update soundings.runs r set state = 'running', started_at = now(), heartbeat_at = now(), program_version = $2
        where id = $1 and state = 'queued'
          and not exists (select from soundings.runs o where o.connection_id = r.connection_id and o.state = 'running')`,
      [id, version],
    );
    if (rowCount !== 1) return false;
    await forgetSlices(client, connection_id);
    await insertPlanSlice(client, id);
    return true;
  });
}

/** A run of the connection that workers are at work on, if there is one. */
export async function sharedRun(database: Queryable, connectionId: number): Promise<number | null> {
  const { rows } = await database.query<{ id: number }>(
    `select id from soundings.runs r where connection_id = $1 and state = 'running'
        and exists (select from soundings.slices s where s.run_id = r.id)`,
    [connectionId],
  );
  return rows[0]?.id ?? null;
}

/**
 * Runs of single processes that ended without a word; runs that workers share go on instead. Called under the connection's
 * lock.
 */
export async function closeAbandoned(database: Queryable, connectionId: number): Promise<void> {
  await database.query(
    `update soundings.runs set state = 'failed', ended_at = now(), error_code = 'unexpected',
            error_message = 'The process ended in the middle of the run; the next run went on from its last commit.'
      where connection_id = $1 and state = 'running'
        and not exists (select from soundings.slices s where s.run_id = runs.id)`,
    [connectionId],
  );
}

/** Stores how far a run is; true when somebody asked for its end meanwhile. */
export async function saveProgress(database: Queryable, id: number, progress: Progress): Promise<boolean> {
  const { rows } = await database.query<{ cancel: boolean }>(
    `update soundings.runs set progress = $2, heartbeat_at = now() where id = $1
     returning cancel_requested_at is not null as cancel`,
    [id, JSON.stringify(progress)],
  );
  return rows[0]?.cancel ?? false;
}

/** Locks a run that is under way and adds to its progress; null when it has ended. Before any of its slices is locked. */
export async function addProgress(
  client: Client,
  id: number,
  part: Progress,
  mode: RunMode = 'unknown',
): Promise<Progress | null> {
  const { rows } = await client.query<{ progress: Partial<Progress> }>(
    `select progress from soundings.runs where id = $1 and state = 'running' for update`,
    [id],
  );
  if (!rows[0]) return null;
  const progress = add({ ...NO_PROGRESS, ...rows[0].progress }, part);
  await client.query(
    `update soundings.runs set progress = $2, heartbeat_at = now(), mode = case when $3 = 'unknown' then mode else $3 end
      where id = $1`,
    [id, JSON.stringify(progress), mode],
  );
  return progress;
}

/** Ends a run; false when it had ended before: the first end counts. */
export async function endRun(database: Queryable, id: number, end: RunEnd): Promise<boolean> {
  const { rowCount } = await database.query(
    `update soundings.runs
        set state = $2, mode = $3, progress = $4, shortfalls = $5, error_code = $6, error_message = $7, ended_at = now()
      where id = $1 and state = 'running'`,
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
  return rowCount === 1;
}

/** Asks for a run's end. One that waits ends here; one that is under way is stopped by its worker. Null: no such run. */
export async function cancelRun(database: Queryable, id: number): Promise<Run | null> {
  const { rows } = await database.query<Run>(
    `update soundings.runs
        set cancel_requested_at = case when state in ('queued', 'running') then coalesce(cancel_requested_at, now())
                                       else cancel_requested_at end,
            ended_at = case when state = 'queued' then now() else ended_at end,
            error_code = case when state = 'queued' then 'cancelled' else error_code end,
            error_message = case when state = 'queued' then 'Cancelled before it began.' else error_message end,
            state = case when state = 'queued' then 'cancelled' else state end
      where id = $1 returning ${COLUMNS}`,
    [id],
  );
  return rows[0] ?? null;
}

/** Runs of a connection that wait or are under way. */
export async function openRuns(database: Queryable, connectionId: number): Promise<Run[]> {
  const { rows } = await database.query<Run>(
    `select ${COLUMNS} from soundings.runs where connection_id = $1 and state in ('queued', 'running') order by id`,
    [connectionId],
  );
  return rows;
}

export async function getRun(database: Queryable, id: number): Promise<Run | null> {
  const { rows } = await database.query<Run>(`select ${COLUMNS} from soundings.runs where id = $1`, [id]);
  return (await live(database, rows))[0] ?? null;
}

export interface RunsWanted {
  readonly before: number | null;
  readonly limit: number;
  readonly connectionId: number | null;
  readonly state?: RunState | null;
}

/** Newest first, from before an id on. */
export async function listRuns(
  database: Queryable,
  { before, limit, connectionId, state = null }: RunsWanted,
): Promise<Run[]> {
  const { rows } = await database.query<Run>(
    `select ${COLUMNS} from soundings.runs
      where ($1::bigint is null or id < $1) and ($2::bigint is null or connection_id = $2) and ($4::text is null or state = $4)
      order by id desc limit $3`,
    [before, connectionId, limit, state],
  );
  return live(database, rows);
}

/** Runs as they are now: what slices under way have done is not in the run's own row yet. */
async function live(database: Queryable, runs: readonly Run[]): Promise<Run[]> {
  const running = runs.filter(({ state }) => state === 'running').map(({ id }) => id);
  const parts = running.length === 0 ? [] : await openProgress(database, running);
  return runs.map((run) => ({ ...run, progress: togetherWith(run, parts) }));
}

/** A worker's slices share its pace: it counts once. */
function togetherWith(run: Run, parts: Awaited<ReturnType<typeof openProgress>>): Progress {
  let progress: Progress = { ...NO_PROGRESS, ...run.progress };
  const counted = new Set<string | null>([null]);
  for (const { run_id, worker, progress: part } of parts) {
    if (run_id !== run.id) continue;
    progress = add(progress, { ...NO_PROGRESS, ...part, ...(counted.has(worker) && { concurrency: null }) });
    counted.add(worker);
  }
  return progress;
}

export type LastRun = Pick<
  Run,
  'id' | 'connection_id' | 'mode' | 'state' | 'started_at' | 'ended_at' | 'progress' | 'error_code' | 'error_message'
>;

/** The latest run of every connection that has begun, by connection id. */
export async function lastRuns(database: Database): Promise<Map<number, LastRun>> {
  const { rows } = await database.query<LastRun>(
    `select distinct on (connection_id) id, connection_id, mode, state, started_at, ended_at, progress, error_code,
            error_message
       from soundings.runs where state <> 'queued' order by connection_id, started_at desc, id desc`,
  );
  return new Map(rows.map((run) => [run.connection_id, run]));
}

/** How many runs are remembered in each state. */
export async function runsByState(database: Queryable): Promise<Record<RunState, number>> {
  const { rows } = await database.query<{ state: RunState; n: number }>(
    'select state, count(*)::int as n from soundings.runs group by state',
  );
  const none = { queued: 0, running: 0, complete: 0, partly_failed: 0, failed: 0, cancelled: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ state, n }) => [state, n])) };
}
