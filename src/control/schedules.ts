/** What the scheduler reads and writes: connections that are due, runs that nobody is at work on, runs that are old. */
import type { Client, Queryable } from '../db/database.ts';

export interface Planned {
  readonly id: number;
  /** As in its settings; null: the default. */
  readonly schedule: string | null;
  readonly next_run_at: string | null;
  readonly planned_by: string | null;
  /** When its latest run was asked for; null: it never had one. */
  readonly last_run_at: string | null;
}

/**
 * Connections of which something is to be settled: their time has come, or their schedule is new. One whose run waits or
 * is under way comes later: however many times it misses meanwhile, they are one.
 */
export async function dueConnections(database: Queryable): Promise<Planned[]> {
  const { rows } = await database.query<Planned>(
    `select c.id, c.settings ->> 'schedule' as schedule, c.next_run_at, c.planned_by,
            (select max(coalesce(r.started_at, r.queued_at)) from soundings.runs r where r.connection_id = c.id) as last_run_at
       from soundings.connections c
      where c.deleted_at is null and c.disabled_at is null
        and (c.next_run_at <= now() or c.planned_by is distinct from coalesce(c.settings ->> 'schedule', ''))
        and exists (select from soundings.credentials k where k.connection_id = c.id and k.deleted_at is null)
        and not exists (select from soundings.runs r where r.connection_id = c.id and r.state in ('queued', 'running'))
      order by c.next_run_at nulls first, c.id`,
  );
  return rows;
}

/** Writes a connection's next time; false when another process was faster. */
export async function planNext(client: Client, connection: Planned, next: Date | null): Promise<boolean> {
  const { rowCount } = await client.query(
    `update soundings.connections set next_run_at = $2, planned_by = $3
      where id = $1 and date_trunc('milliseconds', next_run_at) is not distinct from $4 and planned_by is not distinct from $5
        and deleted_at is null and disabled_at is null`,
    [
      connection.id,
      next?.toISOString() ?? null,
      connection.schedule ?? '',
      connection.next_run_at,
      connection.planned_by,
    ],
  );
  return rowCount === 1;
}

/** When each connection that is not disabled is to be synced by itself, by connection id. */
export async function nextRuns(database: Queryable): Promise<Map<number, string>> {
  const { rows } = await database.query<{ id: number; next_run_at: string }>(
    `select id, next_run_at from soundings.connections
      where next_run_at is not null and disabled_at is null and deleted_at is null`,
  );
  return new Map(rows.map(({ id, next_run_at }) => [id, next_run_at]));
}

/**
 * Runs that a worker could do something for right now: those that wait, and those under way of which a part is free, because
 * it waits or because its holder fell silent.
 */
export async function runsToDo(database: Queryable): Promise<number[]> {
  const { rows } = await database.query<{ id: number }>(
    `select r.id from soundings.runs r
      where r.state = 'queued'
         or r.state = 'running' and (
              r.cancel_requested_at is not null
              or exists (select from soundings.slices s
                          where s.run_id = r.id and s.kind <> 'finish'
                            and (s.state = 'waiting' or s.state = 'held' and s.lease_until < now()))
              or exists (select from soundings.slices s where s.run_id = r.id)
                 and not exists (select from soundings.slices s
                                  where s.run_id = r.id and s.state = 'held' and s.lease_until >= now()))
      order by r.id`,
  );
  return rows.map(({ id }) => id);
}

/** Which worker took the last turn on a run. */
export async function noteWorker(database: Queryable, runId: number, worker: string): Promise<void> {
  await database.query('update soundings.runs set worker = $2 where id = $1 and worker is distinct from $2', [
    runId,
    worker,
  ]);
}

/** Forgets runs that ended so many days ago, with their slices; the latest of each connection stays. Gives how many. */
export async function forgetRuns(database: Queryable, days: number): Promise<number> {
  const { rowCount } = await database.query(
    `delete from soundings.runs where id in (
       select r.id from soundings.runs r
        where r.ended_at < now() - make_interval(days => $1)
          and exists (select from soundings.runs n where n.connection_id = r.connection_id and n.id > r.id)
        limit 5000)`,
    [days],
  );
  return rowCount ?? 0;
}
