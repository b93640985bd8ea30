/** The projects of one connection, a page at a time: 50,000 are as quick as 50. */
import type { Database } from '../db/database.ts';
import type { LedgerState } from '../protocol/sync.ts';

/** How a project is: gone from the server, not read yet, or the worst that the ledger says of its streams. */
export type ProjectState = LedgerState | 'unread' | 'gone';

/** What the ledger says of one stream of a project. */
export interface ProjectStream {
  readonly stream: string;
  readonly state: LedgerState;
  readonly server_total: number | null;
  readonly present: number;
  readonly kept: number;
  readonly reason: string | null;
  readonly checked_at: string;
}

export interface ProjectRow {
  readonly id: number;
  readonly connection_id: number;
  readonly key: string;
  readonly name: string;
  readonly visibility: string | null;
  readonly last_analysis_date: string | null;
  readonly api_accessible: boolean | null;
  readonly issues_synced_at: string | null;
  readonly metrics_synced_at: string | null;
  readonly deleted_at: string | null;
  readonly gone_reason: string | null;
  readonly state: ProjectState;
  readonly streams: readonly ProjectStream[];
}

/** What a list can be sorted by; moments that never were come before all others. */
export const PROJECT_SORTS = ['name', 'key', 'last_analysis', 'issues_synced'] as const;
export type ProjectSort = (typeof PROJECT_SORTS)[number];

/** The place of a row in a sorted list: the page after it begins behind it, whatever is added or removed meanwhile. */
export interface Place {
  readonly value: string | number;
  readonly id: number;
}

export interface ProjectQuery {
  readonly connectionId: number;
  /** A part of the name or of the key, in any case. */
  readonly search: string | null;
  /** With at least one stream in that state; `complete`: all of them. */
  readonly state: ProjectState | null;
  readonly sort: ProjectSort;
  readonly desc: boolean;
  readonly after: Place | null;
  readonly limit: number;
  /** The streams that have rows of projects. */
  readonly streams: readonly string[];
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

const micros = (column: string): string => `coalesce((extract(epoch from ${column}) * 1000000)::bigint, -1)`;

/** Expression and type; the first two are those of indexes. */
const SORTS: Readonly<Record<ProjectSort, { readonly sql: string; readonly type: 'text' | 'bigint' }>> = {
  name: { sql: 'left(lower(p.name), 200)', type: 'text' },
  key: { sql: 'p.source_key', type: 'text' },
  last_analysis: { sql: micros('p.last_analysis_date'), type: 'bigint' },
  issues_synced: { sql: micros('p.issues_synced_at'), type: 'bigint' },
};

/** Is the value of a place one that this sort has? */
export const isPlaceOf = (sort: ProjectSort, { value }: Place): boolean =>
  SORTS[sort].type === 'bigint' ? Number.isSafeInteger(value) : typeof value === 'string';

const LEDGER = `select from sonarqube_completeness c
   where c.connection_id = $1 and c.stream = any($2) and c.project = p.source_key`;

/** Named so that the index over everything that is not complete can be used. */
const NOT_COMPLETE = `c.state <> 'complete'`;

function isIn(state: ProjectState, parameter: string): string {
  switch (state) {
    case 'gone':
      return 'p.deleted_at is not null';
    case 'unread':
      return `p.deleted_at is null and not exists (${LEDGER})`;
    case 'complete':
      return `p.deleted_at is null and exists (${LEDGER}) and not exists (${LEDGER} and ${NOT_COMPLETE})`;
    default:
      return `p.deleted_at is null and p.source_key in (
  select c.project from sonarqube_completeness c
   where c.connection_id = $1 and c.stream = any($2) and c.state = ${parameter} and ${NOT_COMPLETE})`;
  }
}

function filter({ connectionId, streams, search, state }: ProjectQuery): { where: string; values: unknown[] } {
  const values: unknown[] = [connectionId, streams];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  // the second parameter is named even where no condition needs it: PostgreSQL wants to know its type
  const parts = ['p.connection_id = $1', 'cardinality($2::text[]) >= 0'];
  if (search !== null) {
    const text = `lower(${parameter(search)}::text)`;
    parts.push(`(position(${text} in lower(p.name)) > 0 or position(${text} in lower(p.source_key)) > 0)`);
  }
  if (state !== null) {
    const named = state !== 'gone' && state !== 'unread' && state !== 'complete';
    parts.push(isIn(state, named ? `${parameter(state)}::text` : ''));
  }
  return { where: parts.join(' and '), values };
}

/** One page, with one row more than asked for when there is another page. Pure. */
export function pageStatement(query: ProjectQuery): Statement {
  const { sql, type } = SORTS[query.sort];
  const { where, values } = filter(query);
  const direction = query.desc ? 'desc' : 'asc';
  const after = query.after
    ? ` and (${sql}, p.id) ${query.desc ? '<' : '>'} ($${values.push(query.after.value)}::${type}, $${values.push(query.after.id)}::bigint)`
    : '';
  const text = `select p.id, p.connection_id, p.source_key as key, p.name, p.visibility, p.last_analysis_date, p.api_accessible,
       p.issues_synced_at, p.metrics_synced_at, p.deleted_at, p.gone_reason, ${sql} as place
  from sonarqube_projects p where ${where}${after}
 order by ${sql} ${direction}, p.id ${direction} limit $${values.push(query.limit + 1)}`;
  return { text, values };
}

/** Worst first. */
const BY_URGENCY: readonly LedgerState[] = ['unreadable', 'short', 'suspect', 'moving', 'complete'];

/** The state of a whole project. Pure. */
export function stateOf(deletedAt: string | null, streams: readonly Pick<ProjectStream, 'state'>[]): ProjectState {
  if (deletedAt !== null) return 'gone';
  return BY_URGENCY.find((state) => streams.some((stream) => stream.state === state)) ?? 'unread';
}

type Found = Omit<ProjectRow, 'state' | 'streams'> & { readonly place: string | number };

/** A page of projects with what the ledger says of each, and the place after which the next page begins. */
export async function listProjects(
  database: Database,
  query: ProjectQuery,
): Promise<{ projects: ProjectRow[]; next: Place | null }> {
  const { text, values } = pageStatement(query);
  const { rows } = await database.query<Found>(text, [...values]);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const ledger = await ledgerOf(database, query, page);
  return {
    projects: page.map((found) => {
      const { place: _, ...row } = found;
      const streams = ledger.get(row.key) ?? [];
      return { ...row, streams, state: stateOf(row.deleted_at, streams) };
    }),
    next: rows.length > query.limit && last ? { value: last.place, id: last.id } : null,
  };
}

/** How many projects all pages together have. */
export async function countProjects(database: Database, query: ProjectQuery): Promise<number> {
  const { where, values } = filter(query);
  const { rows } = await database.query<{ n: number }>(
    `select count(*) as n from sonarqube_projects p where ${where}`,
    values,
  );
  return rows[0]?.n ?? 0;
}

async function ledgerOf(
  database: Database,
  { connectionId, streams }: ProjectQuery,
  page: readonly Found[],
): Promise<Map<string, ProjectStream[]>> {
  const { rows } = await database.query<ProjectStream & { project: string }>(
    `select c.project, c.stream, c.state, c.server_total, c.present, c.kept, c.reason, c.checked_at
       from sonarqube_completeness c
      where c.connection_id = $1 and c.stream = any($2) and c.project = any($3)
      order by array_position($2::text[], c.stream)`,
    [connectionId, streams, page.map(({ key }) => key)],
  );
  const byProject = new Map<string, ProjectStream[]>();
  for (const { project, ...stream } of rows) byProject.set(project, [...(byProject.get(project) ?? []), stream]);
  return byProject;
}
