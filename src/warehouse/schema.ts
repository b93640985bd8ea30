/** Brings the tables of a database up to what the streams say: creates what is missing, adds new columns, renews views. */
import type pg from 'pg';
import type { Database } from '../db/database.ts';
import { lockInTransaction } from '../db/locks.ts';
import {
  addColumn,
  columnDefinitions,
  COMMON_COLUMNS,
  COMMON_INDEXES,
  COMMON_TABLES,
  createTable,
  quote,
  VIEWS,
  type AnyStream,
} from './ddl.ts';

/** Idempotent; safe when several processes start at once. Streams must stand in order of their references. */
export async function ensureTables(database: Database, streams: readonly AnyStream[]): Promise<void> {
  const tableOf = (name: string): string => streams.find((stream) => stream.name === name)?.table ?? name;
  await database.transaction(async (client) => {
    await lockInTransaction(client, 'soundings.warehouse.schema');
    const existing = await columnsByTable(client);
    const { rows } = await client.query<{ enforced: boolean }>(
      `select current_setting('server_version_num')::int < 180000 as enforced`,
    );
    const enforced = rows[0]?.enforced ?? true;
    for (const [table, { sql, description }] of Object.entries(COMMON_TABLES)) {
      if (existing.has(table)) continue;
      await client.query(sql);
      if (COMMON_INDEXES[table]) await client.query(COMMON_INDEXES[table]);
      await comment(client, 'table', table, description, COMMON_COLUMNS[table] ?? {});
    }
    for (const stream of streams) {
      const columns = existing.get(stream.table);
      if (!columns) {
        for (const statement of createTable(stream, tableOf, enforced)) await client.query(statement);
        continue;
      }
      for (const [name, sql] of columnDefinitions(stream, tableOf, enforced)) {
        if (!columns.has(name)) await client.query(addColumn(stream, name, sql));
      }
    }
    for (const [view, { sql, description, columns }] of Object.entries(VIEWS)) {
      if (existing.has(view)) continue;
      await client.query(`create view ${view} as ${sql}`);
      await comment(client, 'view', view, description, columns);
    }
  });
}

async function columnsByTable(client: pg.ClientBase): Promise<Map<string, Set<string>>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select table_name as table, array_agg(column_name::text) as columns
       from information_schema.columns where table_schema = current_schema() group by 1`,
  );
  return new Map(rows.map((row) => [row.table, new Set(row.columns)]));
}

async function comment(
  client: pg.ClientBase,
  kind: 'table' | 'view',
  name: string,
  description: string,
  columns: Readonly<Record<string, string>>,
): Promise<void> {
  const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  await client.query(`comment on ${kind} ${name} is ${literal(description)}`);
  for (const [column, meaning] of Object.entries(columns)) {
    await client.query(`comment on column ${name}.${quote(column)} is ${literal(meaning)}`);
  }
}
