/**
 * A run as slices, each read by one worker at a time. A slice is held by a lease that its holder renews; when the lease
 * lapses another worker takes the slice over and raises its epoch, and every transaction of the earlier holder fails from then on.
 */
import type { Client, Queryable } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { NO_PROGRESS, type Progress } from '../protocol/progress.ts';

/** `plan` makes the others, `finish` comes after all of them. */
export type SliceKind = 'plan' | 'read' | 'finish';

export interface Slice {
  readonly run_id: number;
  readonly number: number;
  readonly kind: SliceKind;
  readonly epoch: number;
  /** What is to be done; made and read by the use case. */
  readonly work: unknown;
  /** Projects of which everything has been read and committed. */
  readonly done: readonly string[];
  readonly shortfalls: readonly unknown[];
  readonly progress: Progress;
  /** Holders that vanished without having committed anything. */
  readonly lapses: number;
}

/** Which slice, and by whose epoch. */
export type Held = Pick<Slice, 'run_id' | 'number' | 'epoch'>;

/** Seconds that a slice stays its holder's without a sign of life. */
export const LEASE_S = 30;
/** The first number after all slices to read: at most as many as there are projects. */
const FINISH = 2_147_483_647;

const COLUMNS = 'run_id, number, kind, epoch, work, done, shortfalls, progress, lapses';
const KEY = 'run_id = $1 and number = $2 and epoch = $3';
const key = ({ run_id, number, epoch }: Held): [number, number, number] => [run_id, number, epoch];

/** The first slice of a run. */
export async function insertPlanSlice(database: Queryable, runId: number): Promise<void> {
  await database.query(`insert into soundings.slices (run_id, number, kind) values ($1, 0, 'plan')`, [runId]);
}

/** The slices that a plan came to, and the last one. */
export async function insertSlices(
  client: Client,
  runId: number,
  works: readonly unknown[],
  finish: unknown,
): Promise<void> {
  await client.query(
    `insert into soundings.slices (run_id, number, kind, work)
     select $1, n, 'read', work from jsonb_array_elements($2::jsonb) with ordinality as e (work, n)`,
    [runId, JSON.stringify(works)],
  );
  await client.query(`insert into soundings.slices (run_id, number, kind, work) values ($1, $2, 'finish', $3)`, [
    runId,
    FINISH,
    JSON.stringify(finish),
  ]);
}

/** Takes the next slice that nobody holds; null when there is none now. The last one waits for all others. */
export async function takeSlice(database: Queryable, runId: number, worker: string): Promise<Slice | null> {
  const { rows } = await database.query<Slice>(TAKE, [runId, worker, LEASE_S]);
  const [slice] = rows;
  return slice ? { ...slice, progress: { ...NO_PROGRESS, ...slice.progress } } : null;
}

const TAKE = `update soundings.slices s
   set lapses = s.lapses + (s.state = 'held')::int, state = 'held', epoch = s.epoch + 1, worker = $2,
       lease_until = now() + make_interval(secs => $3)
  from soundings.runs r
 where r.id = s.run_id and r.state = 'running' and s.run_id = $1 and s.number = (
   select o.number from soundings.slices o
    where o.run_id = $1 and (o.state = 'waiting' or (o.state = 'held' and o.lease_until < now()))
      and (o.kind <> 'finish' or not exists (
            select from soundings.slices u where u.run_id = $1 and u.kind <> 'finish' and u.state <> 'done'))
    order by o.number limit 1 for update skip locked)
returning ${COLUMNS.split(', ')
  .map((name) => `s.${name}`)
  .join(', ')}`;

/** How a run stands for those who work on it. */
export interface Standing {
  readonly running: boolean;
  readonly cancelRequested: boolean;
  /** Slices that are not done. */
  readonly open: number;
  /** Workers that hold slices, by name in order. */
  readonly workers: readonly string[];
}

export async function standing(database: Queryable, runId: number): Promise<Standing> {
  const { rows } = await database.query<{ running: boolean; cancel: boolean; open: number; workers: string[] | null }>(
    `select r.state = 'running' as running, r.cancel_requested_at is not null as cancel,
            (select count(*)::int from soundings.slices s where s.run_id = r.id and s.state <> 'done') as open,
            (select array_agg(distinct worker order by worker) from soundings.slices s
              where s.run_id = r.id and s.state = 'held' and s.lease_until > now()) as workers
       from soundings.runs r where r.id = $1`,
    [runId],
  );
  const [row] = rows;
  return {
    running: row?.running ?? false,
    cancelRequested: row?.cancel ?? false,
    open: row?.open ?? 0,
    workers: row?.workers ?? [],
  };
}

/** Keeps a slice for its holder and stores how far it is; false when it is another's now. */
export async function renewSlice(database: Queryable, held: Held, progress: Progress): Promise<boolean> {
  const { rowCount } = await database.query(
    `update soundings.slices set lease_until = now() + make_interval(secs => $5), progress = $4 where ${KEY}`,
    [...key(held), JSON.stringify(progress), LEASE_S],
  );
  return rowCount === 1;
}

/**
 * The first statement of each transaction that writes for a slice: locks its row, so that nobody takes it over before the
 * transaction has ended, and fails when somebody has. The session says which slice it is at work on, so that `endStalled`
 * finds it.
 */
export async function enterSlice(client: Pick<Client, 'query'>, held: Held): Promise<void> {
  const { rows } = await client.query<{ running: boolean }>(
    `select (select state = 'running' from soundings.runs where id = $1) as running,
            set_config('application_name', $4, true)
       from soundings.slices where ${KEY} for update`,
    [...key(held), sessionName(held)],
  );
  if (rows[0]?.running !== true) throw lostSlice();
}

/** The last statement: what the transaction made true. A holder that commits has not lapsed. */
export async function leaveSlice(
  client: Pick<Client, 'query'>,
  held: Held,
  { done, shortfalls }: { done: readonly string[]; shortfalls: readonly unknown[] },
): Promise<void> {
  await client.query(
    `update soundings.slices set done = done || $4::text[], shortfalls = $5, lapses = 0,
            lease_until = now() + make_interval(secs => $6) where ${KEY}`,
    [...key(held), done, JSON.stringify(shortfalls), LEASE_S],
  );
}

/** Ends a slice, in the transaction that adds its progress to the run's. `keep`: what stays of it for the others. */
export async function endSlice(
  client: Client,
  held: Held,
  { progress, keep = null }: { progress: Progress; keep?: unknown },
): Promise<void> {
  const { rowCount } = await client.query(
    `update soundings.slices set state = 'done', work = $5, progress = $4 where ${KEY} and state = 'held'`,
    [...key(held), JSON.stringify(progress), keep === null ? null : JSON.stringify(keep)],
  );
  if (rowCount !== 1) throw lostSlice();
}

/** What the plan left for the slices after it; null while there is none. */
export async function planContext(database: Queryable, runId: number): Promise<unknown> {
  const { rows } = await database.query<{ work: unknown }>(
    `select work from soundings.slices where run_id = $1 and number = 0 and state = 'done'`,
    [runId],
  );
  return rows[0]?.work ?? null;
}

/** Gives a slice back unfinished, for whoever comes next. */
export async function releaseSlice(database: Queryable, held: Held, progress: Progress): Promise<void> {
  await database.query(
    `update soundings.slices set state = 'waiting', epoch = epoch + 1, progress = $4 where ${KEY} and state = 'held'`,
    [...key(held), JSON.stringify(progress)],
  );
}

/** Everything that slices of a run fell short of. */
export async function shortfallsOf(database: Queryable, runId: number): Promise<unknown[]> {
  const { rows } = await database.query<{ shortfall: unknown }>(
    `select e.shortfall from soundings.slices s cross join lateral jsonb_array_elements(s.shortfalls) as e (shortfall)
      where s.run_id = $1 order by s.number`,
    [runId],
  );
  return rows.map(({ shortfall }) => shortfall);
}

/** Progress of the slices that are under way or were given back; those that are done are in the run's own. */
export async function openProgress(
  database: Queryable,
  runIds: readonly number[],
): Promise<{ run_id: number; worker: string | null; progress: Progress }[]> {
  const { rows } = await database.query<{ run_id: number; worker: string | null; progress: Progress }>(
    `select run_id, case when state = 'held' then worker end as worker, progress from soundings.slices
      where run_id = any($1) and state <> 'done' and progress <> '{}' order by run_id, number`,
    [runIds],
  );
  return rows;
}

/**
 * Forgets the slices of a connection's ended runs. Waits for a transaction that an earlier holder still has open, so that
 * nothing of an earlier run is written after this.
 */
export async function forgetSlices(client: Client, connectionId: number): Promise<void> {
  await client.query(
    `delete from soundings.slices where run_id in
       (select id from soundings.runs where connection_id = $1 and state not in ('queued', 'running'))`,
    [connectionId],
  );
}

/** A session that holds a slice and has said nothing for so long is a process that was stopped, or is beyond the network. */
const STALLED_S = 30;

/**
 * Ends the sessions of holders that fell silent in the middle of a transaction: as long as it is open, their slice cannot
 * be taken over. PostgreSQL rolls it back.
 */
export async function endStalled(database: Queryable, runId: number): Promise<void> {
  await database.query(
    `select pg_terminate_backend(a.pid)
       from pg_stat_activity a
       join soundings.slices s on a.application_name = 'soundings slice ' || s.run_id || '/' || s.number || '/' || s.epoch
      where a.datname = current_database() and a.usename = current_user and s.run_id = $1
        and a.wait_event = 'ClientRead' and a.state_change < now() - make_interval(secs => $2)
        and (s.lease_until < now() or s.state <> 'held')`,
    [runId, STALLED_S],
  );
}

const sessionName = ({ run_id, number, epoch }: Held): string => `soundings slice ${run_id}/${number}/${epoch}`;

/** What a holder is told that holds its slice no longer. Never seen by people: the slice goes on elsewhere. */
export function lostSlice(): ConnectorError {
  return new ConnectorError('conflict', 'This part of the run was taken over by another worker.', {
    details: { lost: 'slice' },
  });
}

export const isLostSlice = (error: unknown): boolean =>
  error instanceof ConnectorError && error.details['lost'] === 'slice';

/** Runs that nobody works on although they have waited for so many seconds: not begun, or with a lapsed lease. */
export async function waitingFor(database: Queryable, seconds: number): Promise<{ queued: number; stuck: number }> {
  const { rows } = await database.query<{ queued: number; stuck: number }>(
    `select count(*) filter (where state = 'queued' and queued_at < now() - make_interval(secs => $1))::int as queued,
            count(*) filter (where state = 'running' and heartbeat_at < now() - make_interval(secs => $1)
              and exists (select from soundings.slices s where s.run_id = r.id)
              and not exists (select from soundings.slices s
                               where s.run_id = r.id and s.state = 'held' and s.lease_until > now()))::int as stuck
       from soundings.runs r where state in ('queued', 'running')`,
    [seconds],
  );
  return rows[0] ?? { queued: 0, stuck: 0 };
}
