/**
 * What the database must hold when it holds exactly what a server was read to have, and in what it differs. The left
 * side is made from the server's own answers alone; nothing of the program's mapping is used.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ProjectTruth, Row, Truth } from './oracle.ts';

/** Asks the database as its owner. */
export type Rows = <R extends Record<string, unknown>>(sql: string, values?: readonly unknown[]) => Promise<R[]>;

/** Fields of a row, to be compared one by one. */
export type Fields = Record<string, unknown>;

/** A row in which the two sides differ. */
export interface Difference {
  key: string;
  /** The names of the fields; empty when one side lacks the row. */
  fields: string[];
  /** For people. */
  text: string;
}

const iso = (date: unknown): string | null => (typeof date === 'string' ? new Date(date).toISOString() : null);
const known = (value: unknown): unknown => value ?? null;

/** How older servers, which have no issueStatus, would call it. */
const ISSUE_STATUS: Record<string, string> = {
  OPEN: 'OPEN',
  REOPENED: 'OPEN',
  CONFIRMED: 'CONFIRMED',
  'RESOLVED/FIXED': 'FIXED',
  'RESOLVED/WONTFIX': 'ACCEPTED',
  'RESOLVED/FALSE-POSITIVE': 'FALSE_POSITIVE',
  'CLOSED/FIXED': 'FIXED',
  'CLOSED/REMOVED': 'FIXED',
  'CLOSED/WONTFIX': 'FIXED',
  'CLOSED/FALSE-POSITIVE': 'FIXED',
};

interface Impact {
  softwareQuality: string;
  severity: string;
}

/** The columns of sonarqube_issues, from what the server said. */
function issueFields(issue: Row): Fields {
  const impacts = new Map(
    ((issue['impacts'] ?? []) as Impact[]).map(({ softwareQuality, severity }) => [softwareQuality, severity]),
  );
  const status = [issue['status'], issue['resolution']].filter(Boolean).join('/');
  return {
    project: issue['project'],
    component: issue['component'],
    rule: issue['rule'],
    severity: known(issue['severity']),
    effort: known(issue['effort']),
    debt: known(issue['debt']),
    status: issue['status'],
    issue_status: issue['issueStatus'] ?? ISSUE_STATUS[status],
    issue_type: known(issue['type']),
    clean_code_attribute_category: known(issue['cleanCodeAttributeCategory']),
    clean_code_attribute: known(issue['cleanCodeAttribute']),
    created_at: iso(issue['creationDate']),
    updated_at: iso(issue['updateDate']),
    resolution: known(issue['resolution']),
    close_date: iso(issue['closeDate']),
    message: known(issue['message']),
    line: known(issue['line']),
    hash: known(issue['hash']),
    text_range: known(issue['textRange']),
    assignee: known(issue['assignee']),
    author: known(issue['author']),
    scope: known(issue['scope']),
    quick_fix_available: known(issue['quickFixAvailable']),
    impact_maintainability: known(impacts.get('MAINTAINABILITY')),
    impact_reliability: known(impacts.get('RELIABILITY')),
    impact_security: known(impacts.get('SECURITY')),
    tags: [...((issue['tags'] ?? []) as string[])].sort(),
  };
}

const ISSUES = `select i.source_key as key, p.source_key as project, i.component, i.rule, i.severity, i.effort, i.debt,
       i.status, i.issue_status, i.issue_type, i.clean_code_attribute_category, i.clean_code_attribute, i.created_at,
       i.updated_at, i.resolution, i.close_date, i.message, i.line, i.hash, i.text_range, i.assignee, i.author, i.scope,
       i.quick_fix_available, i.impact_maintainability, i.impact_reliability, i.impact_security,
       coalesce((select array_agg(t.name order by t.name collate "C") from sonarqube_issue_tags it
                   join sonarqube_tags t on t.id = it.tag_id where it.issue_id = i.id), '{}') as tags
  from sonarqube_issues i join sonarqube_projects p on p.id = i.project_id where i.deleted_at is null`;

function hotspotFields(hotspot: Row): Fields {
  return {
    project: hotspot['project'],
    component: hotspot['component'],
    security_category: hotspot['securityCategory'],
    vulnerability_probability: hotspot['vulnerabilityProbability'],
    status: hotspot['status'],
    rule_key: known(hotspot['ruleKey']),
    created_at: iso(hotspot['creationDate']),
    updated_at: iso(hotspot['updateDate']),
    resolution: known(hotspot['resolution']),
    line: known(hotspot['line']),
    message: hotspot['message'],
    assignee: known(hotspot['assignee']),
    author: known(hotspot['author']),
    text_range: known(hotspot['textRange']),
  };
}

const HOTSPOTS = `select h.source_key as key, p.source_key as project, h.component, h.security_category,
       h.vulnerability_probability, h.status, h.rule_key, h.created_at, h.updated_at, h.resolution, h.line, h.message,
       h.assignee, h.author, h.text_range
  from sonarqube_security_hotspots h join sonarqube_projects p on p.id = h.project_id where h.deleted_at is null`;

function projectFields({ listed, browsable, analyses }: ProjectTruth): Fields {
  return {
    name: listed['name'],
    qualifier: 'TRK',
    visibility: known(listed['visibility']),
    last_analysis_date: iso(listed['lastAnalysisDate']),
    api_accessible: browsable,
    metrics_synced_to: iso(analyses[0]?.['date']),
    revision: known(listed['revision']),
    managed: known(listed['managed']),
    project_uuid: known(listed['projectUuid']),
  };
}

const PROJECTS = `select source_key as key, name, qualifier, visibility, last_analysis_date, api_accessible,
       metrics_synced_to, revision, managed, project_uuid from sonarqube_projects where deleted_at is null`;

function metricFields(metric: Row): Fields {
  return {
    source_id: known(metric['id']),
    source_type: metric['type'],
    name: metric['name'],
    domain: known(metric['domain']),
    api_accessible: true,
    description: known(metric['description']),
    direction: known(metric['direction']),
    qualitative: known(metric['qualitative']),
    hidden: known(metric['hidden']),
    decimal_scale: known(metric['decimalScale']),
  };
}

const METRICS = `select source_key as key, source_id, source_type, name, domain, api_accessible, description, direction,
       qualitative, hidden, decimal_scale from sonarqube_metrics where deleted_at is null`;

const NUMBERS = new Set(['INT', 'FLOAT', 'PERCENT', 'RATING', 'WORK_DUR', 'MILLISEC']);

function valueFields(metric: string, value: string | undefined, { metrics }: Truth): Fields {
  const isNumber = NUMBERS.has(String(metrics.get(metric)?.['type'])) && value !== undefined;
  return { value: known(value), ...(isNumber && { numeric_value: Number(value) }) };
}

function measuresOf(project: ProjectTruth, truth: Truth): [string, Fields][] {
  return [...project.measures.values()].map(({ metric, value, period, best }) => [
    `${project.key} ${metric}`,
    {
      ...valueFields(metric, value ?? period, truth),
      best_value: known(best),
      ...periodFields(period === undefined ? undefined : (project.period ?? {})),
    },
  ]);
}

function periodFields(period: ProjectTruth['period']): Fields {
  return {
    period_mode: known(period?.mode),
    period_parameter: known(period?.parameter),
    period_date: iso(period?.date),
  };
}

const MEASURES = `select p.source_key || ' ' || m.source_key as key, c.value, c.numeric_value, c.best_value,
       c.period_mode, c.period_parameter, c.period_date
  from sonarqube_current_measures c join sonarqube_projects p on p.id = c.project_id
  join sonarqube_metrics m on m.id = c.metric_id where c.deleted_at is null`;

const pointKey = (project: string, metric: string, date: unknown): string => `${project} ${metric} ${iso(date) ?? ''}`;

function pointsOf(project: ProjectTruth, truth: Truth): [string, Fields][] {
  return project.history.map(({ metric, date, value }) => [
    pointKey(project.key, metric, date),
    { ...valueFields(metric, value, truth), ...periodFields(undefined) },
  ]);
}

/**
 * Points that the program makes itself: the current value of a metric on new code, of which the server keeps no
 * history, at the date of the newest analysis. They stay when the next analysis brings others, so this is carried on
 * from one reading of the server to the next.
 */
export function newCodePoints(truth: Truth, before: ReadonlyMap<string, Fields> = new Map()): Map<string, Fields> {
  const points = new Map(before);
  for (const project of truth.projects.values()) {
    const newest = project.analyses[0]?.['date'];
    const inHistory = new Set(project.history.map(({ metric, date }) => pointKey(project.key, metric, date)));
    for (const { metric, period } of project.measures.values()) {
      const key = pointKey(project.key, metric, newest);
      if (period === undefined || newest === undefined || inHistory.has(key)) continue;
      points.set(key, { ...valueFields(metric, period, truth), ...periodFields(project.period ?? {}) });
    }
  }
  return points;
}

const POINTS = `select p.source_key || ' ' || m.source_key || ' ' || to_char(h.date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as key,
       h.value, h.numeric_value, h.period_mode, h.period_parameter, h.period_date
  from sonarqube_project_metrics h join sonarqube_projects p on p.id = h.project_id
  join sonarqube_metrics m on m.id = h.metric_id where h.deleted_at is null`;

const ANALYSES = `select p.source_key || ' ' || to_char(a.date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as key
  from sonarqube_analyses a join sonarqube_projects p on p.id = a.project_id where a.deleted_at is null`;

function compareRows(what: string, server: ReadonlyMap<string, Fields>, stored: readonly Fields[]): Difference[] {
  const found: Difference[] = [];
  const left = new Map(server);
  for (const row of stored) {
    const key = String(row['key']);
    const expected = left.get(key);
    left.delete(key);
    if (!expected) {
      found.push({ key, fields: [], text: `${what} ${key}: ${server.has(key) ? 'twice' : 'not on the server'}` });
      continue;
    }
    const fields = Object.keys(expected).filter((name) => !isDeepStrictEqual(expected[name], row[name]));
    if (fields.length === 0) continue;
    const said = fields.map(
      (name) => `${name} is ${JSON.stringify(expected[name])} there, ${JSON.stringify(row[name])} here`,
    );
    found.push({ key, fields, text: `${what} ${key}: ${said.join('; ')}` });
  }
  for (const key of left.keys()) found.push({ key, fields: [], text: `${what} ${key}: missing` });
  return found;
}

/** Everything that the database should hold as present, table by table. */
function expectedRows(truth: Truth, newCode: ReadonlyMap<string, Fields>): Record<string, Map<string, Fields>> {
  const projects = [...truth.projects.values()];
  return {
    project: new Map(projects.map((project) => [project.key, projectFields(project)])),
    metric: new Map([...truth.metrics.values()].map((metric) => [metric.key, metricFields(metric)])),
    issue: new Map(projects.flatMap(({ issues }) => [...issues.values()].map((row) => [row.key, issueFields(row)]))),
    hotspot: new Map(
      projects.flatMap(({ hotspots }) => [...hotspots.values()].map((row) => [row.key, hotspotFields(row)])),
    ),
    measure: new Map(projects.flatMap((project) => measuresOf(project, truth))),
    point: new Map([
      ...[...newCode].filter(([key]) => truth.projects.has(key.slice(0, key.indexOf(' ')))),
      ...projects.flatMap((project) => pointsOf(project, truth)),
    ]),
    analysis: new Map(
      projects.flatMap(({ key, analyses }) => analyses.map(({ date }) => [`${key} ${iso(date) ?? ''}`, {}])),
    ),
  };
}

const STORED: Record<string, string> = {
  project: PROJECTS,
  metric: METRICS,
  issue: ISSUES,
  hotspot: HOTSPOTS,
  measure: MEASURES,
  point: POINTS,
  analysis: ANALYSES,
};

/** Everything in which database and server differ: rows that one side lacks, and fields that are not equal. */
export async function differences(
  truth: Truth,
  newCode: ReadonlyMap<string, Fields>,
  rows: Rows,
): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const [what, expected] of Object.entries(expectedRows(truth, newCode))) {
    found.push(...compareRows(what, expected, await rows(STORED[what] ?? '')));
  }
  return found;
}

/** The texts of the first ones, and how many there are. */
export function summary(found: readonly Difference[]): string[] {
  const first = found.slice(0, 12).map(({ text }) => text.slice(0, 600));
  return found.length > first.length ? [...first, `and ${found.length - first.length} more`] : first;
}
