/**
 * Which process does what only one of all need do. A lease runs out by itself: also a holder that was frozen, or whose
 * machine lost its power, is succeeded within seconds, which a lock of its session would not allow.
 */
import type { Queryable } from '../db/database.ts';

/** Takes or keeps a lease for so many seconds; false while another process holds it. */
export async function holdLease(database: Queryable, name: string, holder: string, seconds: number): Promise<boolean> {
  const { rowCount } = await database.query(
    `insert into soundings.leases (name, holder, until) values ($1, $2, now() + make_interval(secs => $3))
     on conflict (name) do update set holder = excluded.holder, until = excluded.until
       where leases.holder = excluded.holder or leases.until < now()`,
    [name, holder, seconds],
  );
  return rowCount === 1;
}

/** Gives a lease back, so that the next process need not wait for its end. */
export async function dropLease(database: Queryable, name: string, holder: string): Promise<void> {
  await database.query('delete from soundings.leases where name = $1 and holder = $2', [name, holder]);
}
