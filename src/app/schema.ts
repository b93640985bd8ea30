/** Use cases on the schema: what tables there are, what they mean and hold. */
import { ConnectorError } from '../protocol/errors.ts';
import { STREAMS } from '../source/sonarqube.ts';
import { describeTables, tableDocs, type TableInfo } from '../warehouse/describe.ts';
import {
  checkedAt,
  relationsOf,
  sampleTable,
  withCounts,
  type ColumnSample,
  type Relation,
} from '../warehouse/explore.ts';
import { sourceOf, type ColumnSource } from './schema-sources.ts';
import type { Service } from './service.ts';

export { describeTables } from '../warehouse/describe.ts';

/** The table reference in `docs/tables.md`. */
export const docs = (): string => tableDocs(STREAMS);

export interface TableOverview extends TableInfo {
  /** When its rows were last compared with the server. */
  readonly freshAt: string | null;
  readonly relations: readonly Relation[];
}

export interface ColumnDetail extends ColumnSample {
  readonly source: ColumnSource | null;
}

/** Tables whose rows come by another stream than the one of their name. */
const FILLED_BY: Readonly<Record<string, string>> = { analyses: 'measures_history' };

/** Every table and view of the warehouse. */
export async function list({ store: { database } }: Pick<Service, 'store'>): Promise<TableOverview[]> {
  const [tables, relations, checked] = await Promise.all([
    describeTables(database).then((found) => withCounts(database, found)),
    relationsOf(database),
    checkedAt(database),
  ]);
  return tables.map((table) => ({
    ...table,
    freshAt: checked.get(streamOf(table.name)) ?? null,
    relations: relations.get(table.name) ?? [],
  }));
}

/** One table, with what a sample of its rows holds. `issues` stands for `sonarqube_issues`. */
export async function info(
  service: Pick<Service, 'store'>,
  name: string,
): Promise<{ table: TableOverview; columns: ColumnDetail[] }> {
  const table = (await list(service)).find((one) => one.name === name || one.name === `sonarqube_${name}`);
  if (!table) {
    throw new ConnectorError(
      'table_not_found',
      `There is no table ${name.slice(0, 100)}; schema.list names all there are.`,
    );
  }
  const samples = await sampleTable(service.store.database, table);
  const stream = STREAMS.find((one) => one.table === table.name);
  const columns = table.columns.map((column, index) => ({
    ...(samples[index] ?? { nullShare: null, examples: [] }),
    source: stream ? sourceOf(stream, stream.columns[column.name]) : null,
  }));
  return { table, columns };
}

export async function tableNames({ store }: Pick<Service, 'store'>): Promise<string[]> {
  return (await describeTables(store.database)).map(({ name }) => name);
}

/** Tags, events and views hang on the issues; the ledger ('') is as new as its newest row. */
function streamOf(table: string): string {
  if (table === 'sonarqube_completeness') return '';
  const stream = STREAMS.find((one) => one.table === table)?.name ?? 'issues';
  return FILLED_BY[stream] ?? stream;
}
