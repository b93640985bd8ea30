/** Stream → SQL text. Pure: the tables, their keys and the views over them, derived from the streams' own columns. */
import type { Column, ColumnType, Stream } from '../protocol/stream.ts';

/** Any stream, whatever its records are. */
export type AnyStream = Stream;

/** Columns every data table ends with, unless the stream names them at another place. */
export const BOOKKEEPING: Readonly<Record<string, { sql: string; description: string }>> = {
  connection_id: {
    sql: 'bigint not null',
    description: 'The connection the row came by (soundings connections list).',
  },
  first_seen_at: { sql: 'timestamptz not null default now()', description: 'When the row was first stored here.' },
  synced_at: {
    sql: 'timestamptz not null',
    description: 'When the row was last written here; an unchanged row is not written.',
  },
  deleted_at: { sql: 'timestamptz', description: 'When the server was found not to have it any more; the row stays.' },
  gone_reason: {
    sql: 'text',
    description: 'Why deleted_at is set: purged, vanished, converted, thinned, deleted or project_deleted.',
  },
};

const SQL_TYPE: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  bigint: 'bigint',
  integer: 'integer',
  'double precision': 'double precision',
  boolean: 'boolean',
  timestamptz: 'timestamptz',
  jsonb: 'jsonb',
  tag_set: 'bigint',
};

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The SQL type that a column has in its table and in the staging table. */
export const sqlType = (column: Column): string => SQL_TYPE[column.type];

/** The columns that come from records, in table order: what is copied, compared and merged. */
export function recordColumns(stream: AnyStream): readonly (readonly [string, Column])[] {
  return Object.entries(stream.columns).filter(([, column]) => column.writer === 'record');
}

/** Name and SQL definition of every column, `id` first, bookkeeping last. */
export function columnDefinitions(
  stream: AnyStream,
  tableOf: (stream: string) => string,
  enforced = true,
): Map<string, string> {
  const definitions = new Map([['id', 'bigint generated always as identity primary key']]);
  for (const [name, column] of Object.entries(stream.columns)) {
    const bookkeeping = BOOKKEEPING[name];
    if (bookkeeping) definitions.set(name, bookkeeping.sql);
    else definitions.set(name, definition(name, column, tableOf, enforced));
  }
  for (const [name, { sql }] of Object.entries(BOOKKEEPING)) if (!definitions.has(name)) definitions.set(name, sql);
  return definitions;
}

function definition(name: string, column: Column, tableOf: (stream: string) => string, enforced: boolean): string {
  const parts = [sqlType(column)];
  if (!column.nullable) parts.push('not null');
  if (column.references !== undefined) parts.push(`references ${tableOf(column.references)} (id)`);
  if (column.type === 'tag_set') parts.push('references sonarqube_tag_sets (id)');
  if (parts.some((part) => part.startsWith('references')) && !enforced) parts.push('not enforced');
  if (name === 'api_accessible') parts.push('default true');
  return parts.join(' ');
}

/**
 * `create table` and its indexes; run once, when the table is not there yet. Foreign keys that are not enforced (from
 * PostgreSQL 18 on) tell tools what belongs together and cost nothing: to check each row took a third of every merge. The
 * writer makes sure of it itself, once for each row that is referred to; see `rows.ts`.
 */
export function createTable(stream: AnyStream, tableOf: (stream: string) => string, enforced: boolean): string[] {
  const columns = [...columnDefinitions(stream, tableOf, enforced)].map(([name, sql]) => `  ${quote(name)} ${sql}`);
  const include = stream.key.includes('date') && 'value' in stream.columns ? ' include (value)' : '';
  return [
    `create table ${stream.table} (\n${columns.join(',\n')},\n  unique (${stream.key.join(', ')})${include}\n)`,
    ...(stream.indexes ?? []).map((index) => `create index on ${stream.table} ${index}`),
    `comment on table ${stream.table} is ${literal(stream.description)}`,
    ...columnComments(stream).map(
      ([name, description]) => `comment on column ${stream.table}.${quote(name)} is ${literal(description)}`,
    ),
  ];
}

/** Name and description of every column in table order. */
export function columnComments(stream: AnyStream): [string, string][] {
  const comments = new Map([['id', 'Row id in this database.']]);
  for (const [name, column] of Object.entries(stream.columns)) comments.set(name, column.description);
  for (const [name, { description }] of Object.entries(BOOKKEEPING))
    if (!comments.has(name)) comments.set(name, description);
  return [...comments];
}

/** A new column of an existing table. Without `not null`: the rows that are there have no value until they are read again. */
export function addColumn(stream: AnyStream, name: string, sql: string): string {
  return `alter table ${stream.table} add column ${quote(name)} ${sql.replace(' not null', '')}`;
}

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** Tables and views that belong to no stream: tags, what changed on issues, the ledger. Each runs if it is not there yet. */
export const COMMON_TABLES: Readonly<Record<string, { description: string; sql: string }>> = {
  sonarqube_tags: {
    description: 'Every tag that any issue has or had.',
    sql: `create table sonarqube_tags (
  id bigint generated always as identity primary key,
  name text not null unique
)`,
  },
  sonarqube_tag_sets: {
    description: 'Every combination of tags that issues have; a dictionary behind sonarqube_issue_tags.',
    sql: `create table sonarqube_tag_sets (
  id bigint generated always as identity primary key,
  tag_ids bigint[] not null unique
)`,
  },
  sonarqube_tag_set_tags: {
    description: 'Which tags a combination holds.',
    sql: `create table sonarqube_tag_set_tags (
  tag_set_id bigint not null references sonarqube_tag_sets (id),
  tag_id bigint not null references sonarqube_tags (id),
  primary key (tag_id, tag_set_id)
)`,
  },
  sonarqube_issue_events: {
    description: 'One row per observed change of an issue: what it was, what it became, and when.',
    sql: `create table sonarqube_issue_events (
  id bigint generated always as identity primary key,
  issue_id bigint not null,
  connection_id bigint not null,
  field text not null,
  old_value text,
  new_value text,
  occurred_at timestamptz not null,
  observed_at timestamptz not null
)`,
  },
  sonarqube_completeness: {
    description:
      'The proof: per project and stream what the server counts, what was read, what is here, and what follows.',
    sql: `create table sonarqube_completeness (
  connection_id bigint not null,
  stream text not null,
  project text not null default '',
  server_total bigint,
  total_before bigint,
  seen bigint,
  holes bigint not null default 0,
  present bigint not null default 0,
  kept bigint not null default 0,
  state text not null check (state in ('complete', 'moving', 'short', 'suspect', 'unreadable')),
  reason text,
  checked_at timestamptz not null,
  full_read_at timestamptz,
  suspected bigint,
  suspected_since timestamptz,
  primary key (connection_id, stream, project)
)`,
  },
};

export const COMMON_INDEXES: Readonly<Record<string, string>> = {
  sonarqube_completeness: `create index on sonarqube_completeness (connection_id, state, project) where state <> 'complete'`,
  sonarqube_issue_events: 'create index on sonarqube_issue_events (issue_id, occurred_at)',
};

export const COMMON_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sonarqube_tags: { id: 'Row id in this database.', name: 'The tag.' },
  sonarqube_tag_sets: { id: 'Row id in this database.', tag_ids: 'The tags, ascending by id.' },
  sonarqube_tag_set_tags: { tag_set_id: 'The combination.', tag_id: 'One of its tags.' },
  sonarqube_issue_events: {
    id: 'Row id in this database.',
    issue_id: 'The issue that changed.',
    connection_id: 'The connection the change was seen by.',
    field: 'issue_status, resolution, severity, assignee or issue_type.',
    old_value: 'What was stored before.',
    new_value: 'What the server says now.',
    occurred_at: "The server's date of the change; transitions between two syncs are not known one by one.",
    observed_at: 'When the change was read.',
  },
  sonarqube_completeness: {
    connection_id: 'The connection that was read.',
    stream: 'projects, metrics, issues, hotspots, measures or measures_history.',
    project: 'Project key; empty for a stream that is listed once per connection.',
    server_total: "The server's own total at the end of the read; for measures_history it counts analyses.",
    total_before: "The server's own total at the beginning of the read.",
    seen: 'Distinct rows in the read; empty when only the totals were compared.',
    holes: 'Rows the server counts but does not deliver (its index names rows its database no longer has).',
    present: 'Rows here that the server still has.',
    kept: 'Rows here that the server has forgotten; they stay, with deleted_at.',
    state:
      'complete, moving (changed while it was read), short (rows are missing), suspect (too much gone at once), unreadable (not open to the token).',
    reason: 'Why it is not complete, in a sentence.',
    checked_at: 'When this was found.',
    suspected: 'How many rows are suspected to be gone, while the state is suspect.',
    suspected_since: 'Since when that many are; an hour later a read that agrees is believed.',
    full_read_at: 'When every row was last read, not just the changed ones.',
  },
};

/** Views are replaced at every start: they hold no data. */
export const VIEWS: Readonly<
  Record<string, { description: string; sql: string; columns: Readonly<Record<string, string>> }>
> = {
  sonarqube_issue_tags: {
    description: 'Which issue has which tag.',
    // 20 bits hold a million tags; the id is as stable as the pair it names
    sql: `select (i.id << 20) | t.tag_id as id, i.id as issue_id, t.tag_id
  from sonarqube_issues i join sonarqube_tag_set_tags t on t.tag_set_id = i.tag_set_id`,
    columns: { id: 'Made of issue and tag.', issue_id: 'The issue.', tag_id: 'The tag.' },
  },
  sonarqube_issue_impacts: {
    description: 'Impact of each issue on the three software qualities; SonarQube 10.2 and later.',
    sql: `select i.id * 4 + q.position as id, i.id as issue_id, q.software_quality, q.severity
  from sonarqube_issues i
  cross join lateral (values (1, 'MAINTAINABILITY', i.impact_maintainability),
                             (2, 'RELIABILITY', i.impact_reliability),
                             (3, 'SECURITY', i.impact_security)) q (position, software_quality, severity)
 where q.severity is not null`,
    columns: {
      id: 'Made of issue and quality.',
      issue_id: 'The issue.',
      software_quality: 'MAINTAINABILITY, RELIABILITY or SECURITY.',
      severity: 'BLOCKER, HIGH, MEDIUM, LOW or INFO.',
    },
  },
};
