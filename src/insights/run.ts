/** Runs a chart. What is shown is what ran: the filters are written into the SQL as literals before it is sent. */
import pg from 'pg';
import { asObjects, runQuery, type QueryOptions } from '../warehouse/query.ts';
import type { Chart, ChartColumn } from './chart.ts';
import type { Filters } from './filters.ts';

/** Charts give texts (dates among them), numbers and nothing else. */
export type ChartValue = string | number | null;

export interface ChartResult {
  readonly columns: readonly ChartColumn[];
  /** By column name. */
  readonly rows: readonly Readonly<Record<string, ChartValue>>[];
  /** The statement that gave these rows; in psql or `soundings query` it gives them again. */
  readonly sql: string;
}

/** Runs a chart as the login that can only read. Errors are those of `runQuery`. */
export async function runChart(
  database: Parameters<typeof runQuery>[0],
  chart: Chart,
  filters: Filters,
  options: QueryOptions,
): Promise<ChartResult> {
  const sql = chartSql(chart, filters);
  return {
    columns: chart.columns,
    rows: asObjects(await runQuery(database, sql, { ...options, parallel: chart.parallel ?? true })) as Record<
      string,
      ChartValue
    >[],
    sql,
  };
}

/** A chart's SQL with the filters in it; each literal carries its type, so that nothing depends on where it stands. */
export function chartSql(chart: Chart, { projects, connection, from, to, interval, limit }: Filters): string {
  const literals = [
    projects.length === 0 ? `'{}'::text[]` : `array[${projects.map(literal).join(', ')}]::text[]`,
    connection === null ? 'null::bigint' : `${connection}::bigint`,
    `${literal(from)}::date`,
    `${literal(to)}::date`,
    literal(interval),
    `${limit}`,
  ];
  // one pass: a project's key may itself read $2
  return chart.sql.replace(/\$([1-6])/g, (_, number: string) => literals[Number(number) - 1] ?? '');
}

/** Quoted for PostgreSQL; with a backslash in it pg puts a blank before the E, which reads oddly in a list. */
const literal = (text: string): string => pg.escapeLiteral(text).trimStart();
