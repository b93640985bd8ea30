/** What tables there are and what they mean: for `soundings schema` from the database, for the docs from the streams. */
import type { Database } from '../db/database.ts';
import { COMMON_COLUMNS, COMMON_TABLES, columnComments, columnDefinitions, VIEWS, type AnyStream } from './ddl.ts';

export interface TableInfo {
  readonly name: string;
  readonly kind: 'table' | 'view';
  readonly description: string | null;
  /** PostgreSQL's estimate; null for views. */
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly columns: readonly ColumnInfo[];
}

export interface ColumnInfo {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly description: string | null;
}

/** The warehouse's tables and views as the database has them. */
export async function describeTables(database: Database): Promise<TableInfo[]> {
  const { rows } = await database.query<TableInfo>(DESCRIBE);
  return rows;
}

const DESCRIBE = `select c.relname as name,
       case c.relkind when 'v' then 'view' else 'table' end as kind,
       obj_description(c.oid) as description,
       case when c.relkind = 'r' then greatest(c.reltuples, coalesce(s.n_live_tup, 0))::bigint end as rows,
       case when c.relkind = 'r' then pg_total_relation_size(c.oid) end as bytes,
       (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                                          'nullable', not a.attnotnull, 'description', col_description(c.oid, a.attnum))
                        order by a.attnum)
          from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
  from pg_class c
  left join pg_stat_user_tables s on s.relid = c.oid
 where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v') and c.relname like 'sonarqube\\_%'
 order by c.relname`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The reference of all tables as Markdown, made from the streams themselves: it cannot say anything else than the code. */
export function tableDocs(streams: readonly AnyStream[]): string {
  const tableOf = (name: string): string => streams.find((stream) => stream.name === name)?.table ?? name;
  const parts = [
    '# Tables',
    'Made by `npm run docs` from the streams in `src/source/streams/`; do not edit by hand.',
    'Every moment is a `timestamptz`. Rows that the server no longer has stay, with `deleted_at` set.',
  ];
  for (const stream of streams) {
    const definitions = columnDefinitions(stream, tableOf);
    parts.push(
      `## ${stream.table}`,
      `${stream.description} Source: \`api/${stream.endpoint}\`. One row per ${stream.key.map((name) => `\`${name}\``).join(' × ')}.`,
      table(
        columnComments(stream).map(([name, text]) => [
          name,
          (definitions.get(name) ?? '').replace(/ (generated|not null|default).*$/, '').replace('references', '→'),
          text,
        ]),
      ),
    );
  }
  for (const [name, { description }] of Object.entries(COMMON_TABLES)) {
    parts.push(
      `## ${name}`,
      description,
      table(Object.entries(COMMON_COLUMNS[name] ?? {}).map(([column, text]) => [column, '', text])),
    );
  }
  for (const [name, { description, columns }] of Object.entries(VIEWS)) {
    parts.push(
      `## ${name} (view)`,
      description,
      table(Object.entries(columns).map(([column, text]) => [column, '', text])),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function table(rows: readonly (readonly [string, string, string])[]): string {
  const lines = rows.map(([name, type, text]) => `| \`${name}\` | ${cell(type)} | ${cell(text)} |`);
  return ['| column | type | meaning |', '| --- | --- | --- |', ...lines].join('\n');
}
