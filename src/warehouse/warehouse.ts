/** What the rest of the program sees of the data tables: bring them up to date, write, and say what is known. */
import type { Database } from '../db/database.ts';
import type { Cursor, LedgerState } from '../protocol/sync.ts';
import type { AnyStream } from './ddl.ts';
import { ensureTables } from './schema.ts';
import { Writer } from './write.ts';

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

export class Warehouse {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Opens the warehouse and creates or extends its tables. */
  static async open(database: Database, streams: readonly AnyStream[]): Promise<Warehouse> {
    await ensureTables(database, streams);
    return new Warehouse(database);
  }

  writer(connectionId: number, streams: readonly AnyStream[], now: () => Date): Writer {
    return new Writer(this.#database, connectionId, streams, now);
  }

  async cursors(connectionId: number, stream: string): Promise<Map<string, Cursor>> {
    const { rows } = await this.#database.query<{ slice: string; cursor: Cursor }>(
      'select slice, cursor from soundings.cursors where connection_id = $1 and stream = $2',
      [connectionId, stream],
    );
    return new Map(rows.map((row) => [row.slice, row.cursor]));
  }

  /** The watermark of the last whole look; the first run of a connection sets it to its own beginning. */
  async watermark(connectionId: number, first: Cursor): Promise<Cursor> {
    const known = (await this.cursors(connectionId, WATERMARK)).get('');
    if (known) return known;
    await this.setWatermark(connectionId, first);
    return first;
  }

  async setWatermark(connectionId: number, cursor: Cursor): Promise<void> {
    await this.#database.query(
      `insert into soundings.cursors (connection_id, stream, slice, cursor) values ($1, $2, '', $3)
       on conflict (connection_id, stream, slice) do update set cursor = excluded.cursor, updated_at = now()`,
      [connectionId, WATERMARK, JSON.stringify(cursor)],
    );
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
