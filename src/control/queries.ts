/** Saved queries, which everybody who may query shares, and what each caller has asked. */
import type { Queryable } from '../db/database.ts';

export interface SavedQuery {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
  readonly created_by: string;
  readonly updated_at: string;
}

const COLUMNS = 'id, name, sql, created_by, updated_at';

export async function listSavedQueries(database: Queryable): Promise<SavedQuery[]> {
  return (await database.query<SavedQuery>(`select ${COLUMNS} from soundings.saved_queries order by lower(name), id`))
    .rows;
}

export async function findSavedQuery(database: Queryable, id: number): Promise<SavedQuery | null> {
  const { rows } = await database.query<SavedQuery>(`select ${COLUMNS} from soundings.saved_queries where id = $1`, [
    id,
  ]);
  return rows[0] ?? null;
}

/** Null when the name is taken. */
export async function createSavedQuery(
  database: Queryable,
  { name, sql, by }: { name: string; sql: string; by: string },
): Promise<SavedQuery | null> {
  const { rows } = await database.query<SavedQuery>(
    `insert into soundings.saved_queries (name, sql, created_by) values ($1, $2, $3)
     on conflict do nothing returning ${COLUMNS}`,
    [name, sql, by],
  );
  return rows[0] ?? null;
}

/** Null when another one has the name, or it is gone. */
export async function updateSavedQuery(
  database: Queryable,
  { id, name, sql }: { id: number; name: string; sql: string },
): Promise<SavedQuery | null> {
  const { rows } = await database.query<SavedQuery>(
    `update soundings.saved_queries set name = $2, sql = $3, updated_at = now()
      where id = $1 and not exists (select from soundings.saved_queries where lower(name) = lower($2) and id <> $1)
     returning ${COLUMNS}`,
    [id, name, sql],
  );
  return rows[0] ?? null;
}

export async function deleteSavedQuery(database: Queryable, id: number): Promise<void> {
  await database.query('delete from soundings.saved_queries where id = $1', [id]);
}

export interface PastQuery {
  readonly id: number;
  readonly sql: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly rows: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

/** What a caller keeps; older ones are forgotten. */
const KEPT = 200;

/** Notes what a caller asked; the same text again takes the place of the one before it. */
export async function notePastQuery(
  database: Queryable,
  caller: string,
  { sql, started_at, duration_ms, rows, error_code, error_message }: Omit<PastQuery, 'id'>,
): Promise<void> {
  await database.query(
    `with again as (
       delete from soundings.query_history h using (
         select id, sql from soundings.query_history where caller = $1 order by id desc limit 1) newest
        where h.id = newest.id and newest.sql = $2
     ), old as (
       delete from soundings.query_history where caller = $1
          and id <= (select id from soundings.query_history where caller = $1 order by id desc offset ${KEPT} limit 1)
     )
     insert into soundings.query_history (caller, sql, started_at, duration_ms, rows, error_code, error_message)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [caller, sql, started_at, duration_ms, rows, error_code, error_message],
  );
}

export async function listPastQueries(database: Queryable, caller: string, limit: number): Promise<PastQuery[]> {
  const { rows } = await database.query<PastQuery>(
    `select id, sql, started_at, duration_ms, rows, error_code, error_message from soundings.query_history
      where caller = $1 order by id desc limit $2`,
    [caller, limit],
  );
  return rows;
}
