/** What the schema explorer shows beyond names and meanings: relations, freshness, and what a sample of the rows holds. */
import type { Database } from '../db/database.ts';
import { quote } from './ddl.ts';
import type { ColumnInfo, TableInfo } from './describe.ts';

/** A column that names a row of another table. */
export interface Relation {
  readonly column: string;
  readonly table: string;
  readonly foreign_column: string;
}

/** Relations that no constraint holds: of views, and of rows that outlive what they name. */
const UNDECLARED: Readonly<Record<string, readonly Relation[]>> = {
  sonarqube_issue_events: [{ column: 'issue_id', table: 'sonarqube_issues', foreign_column: 'id' }],
  sonarqube_issue_tags: [
    { column: 'issue_id', table: 'sonarqube_issues', foreign_column: 'id' },
    { column: 'tag_id', table: 'sonarqube_tags', foreign_column: 'id' },
  ],
  sonarqube_issue_impacts: [{ column: 'issue_id', table: 'sonarqube_issues', foreign_column: 'id' }],
};

/** Table → its relations. */
export async function relationsOf(database: Database): Promise<Map<string, Relation[]>> {
  const { rows } = await database.query<Relation & { of: string }>(
    `select c.conrelid::regclass::text as of, a.attname as column, t.relname as table, f.attname as foreign_column
       from pg_constraint c
       join pg_class o on o.oid = c.conrelid
       join pg_class t on t.oid = c.confrelid
       join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
       join pg_attribute f on f.attrelid = c.confrelid and f.attnum = c.confkey[1]
      where c.contype = 'f' and o.relnamespace = current_schema()::regnamespace and o.relname like 'sonarqube\\_%'
      order by o.relname, a.attnum`,
  );
  const relations = new Map<string, Relation[]>();
  for (const [table, list] of Object.entries(UNDECLARED)) relations.set(table, [...list]);
  for (const { of, ...relation } of rows) relations.set(of, [...(relations.get(of) ?? []), relation]);
  return relations;
}

/** Stream → when it was last compared with the server, and under '' the newest of all; from the ledger, not from the rows. */
export async function checkedAt(database: Database): Promise<Map<string, string>> {
  const { rows } = await database.query<{ stream: string; at: string }>(
    `select coalesce(stream, '') as stream, max(checked_at) as at
       from sonarqube_completeness group by rollup (stream) having max(checked_at) is not null`,
  );
  return new Map(rows.map(({ stream, at }) => [stream, at]));
}

/** Up to this size counting takes some milliseconds, and an estimate of few rows is a bad one. */
const COUNTED_BYTES = 8 * 1024 * 1024;

/** The tables with their rows counted where they are small; the others keep PostgreSQL's estimate. */
export async function withCounts(database: Database, tables: readonly TableInfo[]): Promise<TableInfo[]> {
  const small = tables.filter(({ kind, bytes }) => kind === 'table' && (bytes ?? 0) <= COUNTED_BYTES);
  if (small.length === 0) return [...tables];
  const { rows } = await database.query<{ name: string; rows: number }>(
    small.map(({ name }) => `select '${name}' as name, count(*) as rows from ${quote(name)}`).join(' union all '),
  );
  const counts = new Map(rows.map(({ name, rows: count }) => [name, count]));
  return tables.map((table) => ({ ...table, rows: counts.get(table.name) ?? table.rows }));
}

/** What a sample says of a column. */
export interface ColumnSample {
  /** 0 to 1; null when the table is empty. */
  readonly nullShare: number | null;
  /** The most frequent values, as text, cut after 120 characters. */
  readonly examples: readonly string[];
}

const SAMPLE_ROWS = 3000;
const EXAMPLES = 5;
const EXAMPLE_LENGTH = 120;

/** Samples a table: whole blocks of it, so that a million rows take no longer than some thousands. */
export async function sampleTable(
  database: Database,
  { name, kind, rows, columns }: TableInfo,
): Promise<ColumnSample[]> {
  // twice as many as wanted, since blocks hold unequal numbers of rows
  const percent = Math.min(100, (100 * 2 * SAMPLE_ROWS) / Math.max(1, rows ?? 0));
  const blocks = kind === 'table' && percent < 100 ? ` tablesample system (${percent.toFixed(4)})` : '';
  const parts = columns.map((column, index) => sampleColumn(column, index));
  const { rows: found } = await database.query<{ total: number; filled: number[]; examples: string[][] }>(
    `with sample as materialized (select * from ${quote(name)}${blocks} limit ${SAMPLE_ROWS})
select (select count(*) from sample) as total,
       (select array[${columns.map((column) => `count(${quote(column.name)})`).join(', ')}] from sample) as filled,
       jsonb_build_array(${parts.join(',\n')}) as examples`,
  );
  const { total = 0, filled = [], examples = [] } = found[0] ?? {};
  return columns.map((_, index) => ({
    nullShare: total === 0 ? null : 1 - (filled[index] ?? 0) / total,
    examples: examples[index] ?? [],
  }));
}

function sampleColumn({ name }: ColumnInfo, index: number): string {
  return `(select coalesce(jsonb_agg(v order by n desc, v), '[]') from (
   select left(${quote(name)}::text, ${EXAMPLE_LENGTH}) as v, count(*) as n from sample
    where ${quote(name)} is not null group by 1 order by n desc, v limit ${EXAMPLES}) e${index})`;
}
