/** What the rest of the program sees of the data tables: bring them up to date, write, and say what is known. */
import type pg from 'pg';
import type { Database } from '../db/database.ts';
import type { Cursor, LedgerState } from '../protocol/sync.ts';
import { quote, type AnyStream } from './ddl.ts';
import { ensureTables } from './schema.ts';
import { Writer, type Hold, type Write } from './write.ts';

/** One row of `status`: a project and stream as the ledger last saw it. */
export interface LedgerRow {
  readonly stream: string;
  readonly project: string;
  readonly server_total: number | null;
  readonly present: number;
  readonly kept: number;
  readonly state: LedgerState;
  readonly reason: string | null;
  readonly checked_at: string;
}

interface CheckedRow {
  readonly project: string;
  readonly state: LedgerState;
  readonly checked_at: string;
  readonly full_read_at: string | null;
  readonly present: number;
}

/** The worst state of some streams of a project, and what has waited longest. */
export interface CheckedProject {
  readonly state: LedgerState;
  readonly checkedAt: Date;
  readonly fullReadAt: Date | null;
  readonly present: number;
}

/** What is here of one connection. */
export interface Counts {
  readonly projects: number;
  readonly ledger: Readonly<Record<LedgerState, number>>;
}

export const NOTHING_COUNTED: Counts = {
  projects: 0,
  ledger: { complete: 0, moving: 0, short: 0, suspect: 0, unreadable: 0 },
};

export class Warehouse {
  readonly #database: Database;
  readonly #streams: readonly AnyStream[];

  private constructor(database: Database, streams: readonly AnyStream[]) {
    this.#database = database;
    this.#streams = streams;
  }

  /** Opens the warehouse and creates or extends its tables. */
  static async open(database: Database, streams: readonly AnyStream[]): Promise<Warehouse> {
    await ensureTables(database, streams);
    return new Warehouse(database, streams);
  }

  writer(connectionId: number, streams: readonly AnyStream[], now: () => Date, hold?: Hold): Writer {
    return new Writer(this.#database, connectionId, streams, now, hold);
  }

  /** Cursors by slice (project key); those of the given slices alone, or of all. */
  async cursors(connectionId: number, stream: string, slices?: readonly string[]): Promise<Map<string, Cursor>> {
    const { rows } = await this.#database.query<{ slice: string; cursor: Cursor }>(
      `select slice, cursor from soundings.cursors
        where connection_id = $1 and stream = $2 and ($3::text[] is null or slice = any($3))`,
      [connectionId, stream, slices ?? null],
    );
    return new Map(rows.map((row) => [row.slice, row.cursor]));
  }

  /** The watermark of the last whole look; the first run of a connection sets it to its own beginning. */
  async watermark(connectionId: number, first: Cursor): Promise<Cursor> {
    const known = (await this.cursors(connectionId, WATERMARK)).get('');
    if (known) return known;
    await this.#database.query(
      `insert into soundings.cursors (connection_id, stream, slice, cursor) values ($1, $2, '', $3) on conflict do nothing`,
      [connectionId, WATERMARK, JSON.stringify(first)],
    );
    return first;
  }

  /** The write that sets the watermark. */
  watermarkAt(cursor: Cursor): Write {
    return { type: 'cursor', stream: WATERMARK, slice: '', cursor };
  }

  /** What the ledger says of the given streams together, by project; a project without a row for each of them has none. */
  async checked(connectionId: number, streams: readonly string[]): Promise<Map<string, CheckedProject>> {
    const { rows } = await this.#database.query<CheckedRow>(
      `select project, (array_agg(state order by array_position($3::text[], state)))[1] as state,
              min(checked_at) as checked_at, max(present) as present, case when bool_and(full_read_at is not null) then min(full_read_at) end as full_read_at
         from sonarqube_completeness
        where connection_id = $1 and stream = any($2) group by project having count(*) = cardinality($2)`,
      [connectionId, streams, ['unreadable', 'short', 'suspect', 'moving', 'complete']],
    );
    return new Map(
      rows.map(({ project, state, checked_at, full_read_at, present }) => [
        project,
        {
          state,
          present,
          checkedAt: new Date(checked_at),
          fullReadAt: full_read_at === null ? null : new Date(full_read_at),
        },
      ]),
    );
  }

  /** Rows that the server still has (holes it counts included), by project key, over projects open to the token. */
  async presentByProject(connectionId: number, stream: string): Promise<Map<string, number>> {
    const { rows } = await this.#database.query<{ project: string; present: number }>(
      `select project, present + holes as present from sonarqube_completeness
        where connection_id = $1 and stream = $2 and project <> '' and state <> 'unreadable'`,
      [connectionId, stream],
    );
    return new Map(rows.map((row) => [row.project, row.present]));
  }

  /** Projects that are there, and ledger rows by state, of every connection that has any. */
  async counts(): Promise<Map<number, Counts>> {
    const { rows } = await this.#database.query<{ connection_id: number; state: LedgerState | null; n: number }>(
      `select connection_id, state, count(*) as n from sonarqube_completeness group by 1, 2
       union all select connection_id, null, count(*) from sonarqube_projects where deleted_at is null group by 1`,
    );
    const counts = new Map<number, Counts>();
    for (const { connection_id, state, n } of rows) {
      const before = counts.get(connection_id) ?? NOTHING_COUNTED;
      counts.set(
        connection_id,
        state === null ? { ...before, projects: n } : { ...before, ledger: { ...before.ledger, [state]: n } },
      );
    }
    return counts;
  }

  /** Removes every row of a connection, in the caller's transaction. */
  async purge(client: pg.ClientBase, connectionId: number): Promise<void> {
    const { rows } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where table_schema = current_schema() and column_name = 'connection_id' and table_type = 'BASE TABLE'`,
    );
    // what refers to others goes before them: streams stand in the order of their references
    const streams = this.#streams.map(({ table }) => table).reverse();
    const rest = rows.map(({ name }) => name).filter((name) => !streams.includes(name));
    for (const table of [...rest, ...streams]) {
      await client.query(`delete from ${quote(table)} where connection_id = $1`, [connectionId]);
    }
    await client.query('delete from soundings.cursors where connection_id = $1', [connectionId]);
  }

  async ledger(connectionId: number | null): Promise<LedgerRow[]> {
    const { rows } = await this.#database.query<LedgerRow>(
      `select stream, project, server_total, present, kept, state, reason, checked_at
         from sonarqube_completeness where $1::bigint is null or connection_id = $1
        order by project, stream`,
      [connectionId],
    );
    return rows;
  }
}

/** The name under which the instance-wide look keeps its cursor. */
const WATERMARK = 'look';
