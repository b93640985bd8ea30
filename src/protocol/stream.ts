/**
 * What a stream is: one table, its columns, and how a record (as received) becomes a row (as stored). Pure: the DDL, the
 * merge, the catalog, the schema explorer and the docs are all derived from these values.
 */

/** PostgreSQL types a column may have. `tag_set` holds a reference to a set of tags, made from an array of strings. */
export type ColumnType =
  'text' | 'bigint' | 'integer' | 'double precision' | 'boolean' | 'timestamptz' | 'jsonb' | 'tag_set';

/**
 * Who writes a column. `record`: mapped from what the server sent. `managed`: the warehouse's own bookkeeping.
 * `mark`: set on a row when a pass over what belongs to it ends (for example `issues_synced_at` on a project).
 */
export type ColumnWriter = 'record' | 'managed' | 'mark';

export interface Column<R = never> {
  readonly type: ColumnType;
  readonly writer: ColumnWriter;
  /** One sentence for the schema explorer and the docs. */
  readonly description: string;
  /** The table this column points to, by that table's stream name; the mapped value is then that row's source key. */
  readonly references?: string;
  readonly nullable: boolean;
  readonly value: (record: R) => unknown;
}

export interface Stream<R = never> {
  /** The stream's name in cursors, ledger and progress, for example `issues`. */
  readonly name: string;
  readonly table: string;
  readonly description: string;
  /** The documented endpoint the rows come from, for example `issues/search`. */
  readonly endpoint: string;
  /** The columns that identify a row; `connection_id` may be one of them. */
  readonly key: readonly string[];
  /** Columns in table order; `id` stands before them, bookkeeping columns that are not named come after. */
  readonly columns: Readonly<Record<string, Column<R>>>;
  /** More indexes than the one over the key, as column lists in SQL. */
  readonly indexes?: readonly string[];
  /** The stream whose rows the server's total counts, where it does not count this stream's own: analyses, not points. */
  readonly countedBy?: string;
  /** What the merge writes to `sonarqube_issue_events` when it changes: column names. */
  readonly events?: readonly string[];
  /** SQL condition over a row that the server has closed itself and will forget: its absence is no surprise. */
  readonly closedWhen?: string;
  /**
   * What a row says of itself once the server no longer has it, for readers who do not know `deleted_at`:
   * column → SQL expression over the row, in which `$GONE_AT` stands for the time.
   */
  readonly whenGone?: Readonly<Record<string, string>>;
}

type Map<R> = (record: R) => unknown;

const column =
  (type: ColumnType) =>
  <R>(description: string, value: Map<R>): Column<R> => ({
    type,
    writer: 'record',
    description,
    nullable: true,
    value,
  });

export const text = column('text');
export const bigint = column('bigint');
export const integer = column('integer');
export const double = column('double precision');
export const boolean = column('boolean');
/** A moment; mapped from an ISO text or SonarQube's `yyyy-MM-ddTHH:mm:ss+0000`, both of which PostgreSQL reads. */
export const timestamp = column('timestamptz');
export const json = column('jsonb');
export const tagSet = column('tag_set');

/** The same column, but the server always sends it: a record without it fails its slice. */
export function required<R>(inner: Column<R>): Column<R> {
  return { ...inner, nullable: false };
}

/** A foreign key: maps to the source key of a row of another stream of the same connection. */
export function reference<R>(stream: string, description: string, value: Map<R>): Column<R> {
  return { type: 'bigint', writer: 'record', description, references: stream, nullable: false, value };
}

/** A column of the warehouse's own; see `BOOKKEEPING` in `warehouse/ddl.ts` for the ones every table has. */
export function managed(type: ColumnType, description: string): Column<unknown> {
  return { type, writer: 'managed', description, nullable: true, value: () => null };
}

/** A column that is set when a pass over the row's children ends. */
export function mark(type: ColumnType, description: string): Column<unknown> {
  return { type, writer: 'mark', description, nullable: true, value: () => null };
}

/** Fixes the record type of a stream's columns, so that each mapping is checked where it is written. */
export function defineStream<R>(stream: Stream<R>): Stream<R> {
  return stream;
}
