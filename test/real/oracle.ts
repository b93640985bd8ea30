/**
 * An independent reading of a server, to compare a copy with, and ways to change a server. Nothing here is shared with
 * the program, and where a server offers two ways to the same rows, the one that the program does not use is taken:
 * issues come from `issues/list` where it exists, else from `issues/search` cut by severity, type, status and file;
 * the numbers of rows are checked against the server's own totals.
 */
import { connect, sleep, type Api } from './api.ts';
import type { Log } from './install.ts';
import { analyse, isModern, type ProjectKey } from './scanner.ts';
import type { RealServer } from './server.ts';

/** A row as the server gave it. */
export type Row = Record<string, unknown> & { key: string };

/** The current value of a metric; `period` is the value of new code. */
export interface Measure {
  metric: string;
  value: string | undefined;
  period: string | undefined;
  best: boolean | undefined;
}

/** Since when code counts as new. */
export interface Period {
  mode?: string;
  parameter?: string;
  date?: string;
}

/** A value that a metric had at an analysis. */
export interface HistoryPoint {
  metric: string;
  date: string;
  value: string;
}

/** Everything that was read of one project. */
export interface ProjectTruth {
  key: string;
  name: string;
  visibility: string | undefined;
  lastAnalysisDate: string | undefined;
  /** The whole row of the list of projects. */
  listed: Row;
  /** False when the reader may not browse the project: nothing below is known then. */
  browsable: boolean;
  issues: Map<string, Row>;
  hotspots: Map<string, Row>;
  measures: Map<string, Measure>;
  period: Period | undefined;
  history: HistoryPoint[];
  analyses: Row[];
}

/** Everything that was read of a server. */
export interface Truth {
  version: string;
  projects: Map<string, ProjectTruth>;
  metrics: Map<string, Row>;
}

const LIMIT = 10_000;
const SEVERITIES = ['BLOCKER', 'CRITICAL', 'MAJOR', 'MINOR', 'INFO'];
const TYPES = ['CODE_SMELL', 'BUG', 'VULNERABILITY'];
const STATUSES = ['OPEN', 'CONFIRMED', 'REOPENED', 'RESOLVED', 'CLOSED'];

interface Page {
  total?: number;
  paging?: { total?: number };
  issues: Row[];
}

function totalOf(page: Page): number {
  return page.paging?.total ?? page.total ?? 0;
}

/** Files of a project that exist now, by path. */
async function filePaths(api: Api, project: string): Promise<string[]> {
  const paths: string[] = [];
  for (let p = 1; ; p++) {
    const page = await api.get<{ components: { path: string }[] }>('components/tree', {
      component: project,
      qualifiers: 'FIL,UTS',
      s: 'path',
      ps: 500,
      p,
    });
    if (page.components.length === 0) return paths;
    paths.push(...page.components.map((component) => component.path));
  }
}

type Slice = Record<string, string>;

/** Reads the issues of a project from `issues/search`, in slices of at most 10,000. */
async function searchIssues(api: Api, project: string): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  const count = async (slice: Slice): Promise<number> =>
    totalOf(await api.get<Page>('issues/search', { componentKeys: project, ...slice, ps: 1 }));
  const read = async (slice: Slice, total: number): Promise<void> => {
    for (let p = 1; (p - 1) * 500 < total; p++) {
      const page = await api.get<Page>('issues/search', {
        componentKeys: project,
        ...slice,
        s: 'CREATION_DATE',
        asc: true,
        ps: 500,
        p,
        additionalFields: 'comments',
      });
      for (const issue of page.issues) found.set(issue.key, issue);
    }
  };
  const cuts: [string, () => Promise<string[]>][] = [
    ['severities', () => Promise.resolve(SEVERITIES)],
    ['types', () => Promise.resolve(TYPES)],
    ['statuses', () => Promise.resolve(STATUSES)],
    [
      'files',
      async () => {
        const paths = await filePaths(api, project);
        // a comma parts the values of a list, so such a file can't be asked for
        const askable = paths.filter((name) => !name.includes(','));
        const lists: string[] = [];
        for (let i = 0; i < askable.length; i += 40) lists.push(askable.slice(i, i + 40).join(','));
        return lists;
      },
    ],
  ];
  const descend = async (slice: Slice, depth: number): Promise<void> => {
    const total = await count(slice);
    if (total === 0) return;
    if (total <= LIMIT) return read(slice, total);
    const cut = cuts[depth];
    if (!cut) throw new Error(`${total} issues of ${project} can't be told apart any further`);
    for (const value of await cut[1]()) await descend({ ...slice, [cut[0]]: value }, depth + 1);
  };
  await descend({}, 0);
  return found;
}

/** Reads the issues of a project from `issues/list`, which knows no limit, but no order and no total either. */
async function listIssues(api: Api, project: string): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  for (let p = 1; ; p++) {
    const page = await api.get<Page>('issues/list', { project, ps: 500, p });
    if (page.issues.length === 0) return found;
    for (const issue of page.issues) found.set(issue.key, issue);
  }
}

/** Every issue of a project, in all states, as complete as the server itself counts. */
export async function readIssues(
  server: RealServer,
  project: string,
  api: Api = server.api,
): Promise<Map<string, Row>> {
  let why = '';
  for (let attempt = 0; attempt < 4; attempt++) {
    const found = isModern(server.version) ? await listIssues(api, project) : await searchIssues(api, project);
    const page = await api.get<Page>('issues/search', { componentKeys: project, ps: 1 });
    if (totalOf(page) === found.size) return found;
    why = `${found.size} issues of ${project} were read where the server counts ${totalOf(page)}`;
    await sleep(1000);
  }
  throw new Error(why);
}

/** Every hotspot of a project, each state of review asked for by itself. */
export async function readHotspots(
  server: RealServer,
  project: string,
  api: Api = server.api,
): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  const states = [
    { status: 'TO_REVIEW' },
    ...['FIXED', 'SAFE', 'ACKNOWLEDGED'].map((resolution) => ({ status: 'REVIEWED', resolution })),
  ];
  for (const state of states) {
    for (let p = 1; ; p++) {
      const page = await api.get<{ paging: { total: number }; hotspots: Row[] }>('hotspots/search', {
        projectKey: project,
        ...state,
        ps: 100,
        p,
      });
      for (const hotspot of page.hotspots) found.set(hotspot.key, hotspot);
      if (p * 100 >= page.paging.total) break;
    }
  }
  const all = await api.get<{ paging: { total: number } }>('hotspots/search', { projectKey: project, ps: 1 });
  if (all.paging.total !== found.size) {
    throw new Error(`${found.size} hotspots of ${project} were read where the server counts ${all.paging.total}`);
  }
  return found;
}

/** Every metric that the server knows, by key. */
export async function readMetrics(server: RealServer, api: Api = server.api): Promise<Map<string, Row>> {
  const { metrics } = await api.get<{ metrics: Row[] }>('metrics/search', { ps: 500 });
  return new Map(metrics.map((metric) => [metric.key, metric]));
}

/** The current measures of a project, for all metrics, and the period of new code. */
export async function readMeasures(
  project: string,
  metrics: Iterable<string>,
  api: Api,
): Promise<{ measures: Map<string, Measure>; period: Period | undefined }> {
  interface Given {
    metric: string;
    value?: string;
    bestValue?: boolean;
    period?: { value: string; bestValue?: boolean };
  }
  type Answer = { component: { measures: Given[] }; period?: Period };
  // an older server says 404 of a project that was never analysed
  const answer = await api.tryGet<Answer>(
    'measures/component',
    { component: project, metricKeys: [...metrics].join(','), additionalFields: 'period' },
    [404],
  );
  const measures = (answer?.component.measures ?? []).map(({ metric, value, period, bestValue }) => {
    return { metric, value, period: period?.value, best: bestValue ?? period?.bestValue };
  });
  return { measures: new Map(measures.map((measure) => [measure.metric, measure])), period: answer?.period };
}

/** Every point of a project's history that has a value. */
export async function readHistory(project: string, metrics: Iterable<string>, api: Api): Promise<HistoryPoint[]> {
  type Answer = {
    paging: { total: number };
    measures: { metric: string; history: { date: string; value?: string }[] }[];
  };
  const points: HistoryPoint[] = [];
  for (let p = 1; ; p++) {
    const answer = await api.tryGet<Answer>(
      'measures/search_history',
      { component: project, metrics: [...metrics].join(','), ps: 1000, p },
      [404],
    );
    for (const { metric, history } of answer?.measures ?? []) {
      for (const { date, value } of history) if (value !== undefined) points.push({ metric, date, value });
    }
    if (!answer || p * 1000 >= answer.paging.total) return points;
  }
}

/** Every analysis of a project, newest first. */
export async function readAnalyses(project: string, api: Api): Promise<Row[]> {
  const rows: Row[] = [];
  for (let p = 1; ; p++) {
    type Answer = { paging: { total: number }; analyses: Row[] };
    const page = await api.tryGet<Answer>('project_analyses/search', { project, ps: 500, p }, [404]);
    rows.push(...(page?.analyses ?? []));
    if (!page || p * 500 >= page.paging.total) return rows;
  }
}

/**
 * Reads the whole server: as the administrator, or with another token. Of projects that `known` has and that are not
 * among the `changed` ones, only the row of the list is read again.
 */
export async function readServer(
  server: RealServer,
  token: string = server.adminToken,
  before?: { known: Truth; changed: readonly string[] },
): Promise<Truth> {
  const api = connect(server.url, { token });
  const metrics = await readMetrics(server, api);
  const projects = new Map<string, ProjectTruth>();
  type Component = Row & { name: string; visibility?: string; lastAnalysisDate?: string };
  for (let p = 1; ; p++) {
    // only the administrator may list all projects; the list of others has those they may browse
    const page = await server.api.get<{ components: Component[] }>('projects/search', { ps: 100, p });
    if (page.components.length === 0) break;
    for (const listed of page.components) {
      const { key, name, visibility, lastAnalysisDate } = listed;
      const browsable = (await api.tryGet('components/show', { component: key }, [403])) !== undefined;
      const same = before?.changed.includes(key) ? undefined : before?.known.projects.get(key);
      const inside = same ?? (browsable ? await readProject(server, key, metrics, api) : NOTHING);
      projects.set(key, { ...inside, key, name, visibility, lastAnalysisDate, listed, browsable });
    }
  }
  return { version: server.version, projects, metrics };
}

type Inside = Pick<ProjectTruth, 'issues' | 'hotspots' | 'measures' | 'period' | 'history' | 'analyses'>;

/** What is known of a project that may not be browsed. */
const NOTHING: Inside = {
  issues: new Map(),
  hotspots: new Map(),
  measures: new Map(),
  period: undefined,
  history: [],
  analyses: [],
};

async function readProject(server: RealServer, key: string, metrics: Truth['metrics'], api: Api): Promise<Inside> {
  const [issues, hotspots, measured, history, analyses] = await Promise.all([
    readIssues(server, key, api),
    readHotspots(server, key, api),
    readMeasures(key, metrics.keys(), api),
    readHistory(key, metrics.keys(), api),
    readAnalyses(key, api),
  ]);
  return { issues, hotspots, ...measured, history, analyses };
}

/** Numbers of rows per project, one line each, for people. */
export function summarize(truth: Truth): string[] {
  const lines = [`SonarQube ${truth.version}: ${truth.projects.size} projects, ${truth.metrics.size} metrics`];
  for (const project of truth.projects.values()) {
    const states = new Map<string, number>();
    for (const issue of project.issues.values()) {
      const state = [issue['status'], issue['resolution']].filter(Boolean).join('/');
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    const reviewed = [...project.hotspots.values()].filter((hotspot) => hotspot['status'] === 'REVIEWED').length;
    lines.push(
      `${project.key.padEnd(14)} ${project.browsable ? '' : 'NOT BROWSABLE '}issues ${project.issues.size}` +
        ` (${[...states].map(([state, n]) => `${state} ${n}`).join(', ')})` +
        ` hotspots ${project.hotspots.size} (reviewed ${reviewed}) measures ${project.measures.size}` +
        ` history ${project.history.length} analyses ${project.analyses.length}`,
    );
  }
  return lines;
}

/** Changes to a server, as people and pipelines make them. */
export const mutate = {
  /** Moves an issue: confirm, unconfirm, reopen, resolve, falsepositive; `accept` is `wontfix` on older servers, which also refuse all transitions of external issues. */
  async transition(server: RealServer, issue: string, transition: string): Promise<void> {
    const known = transition === 'accept' && !isModern(server.version) ? 'wontfix' : transition;
    await server.api.post('issues/do_transition', { issue, transition: known });
  },
  /** Assigns an issue to a login; to nobody when left out. */
  async assign(server: RealServer, issue: string, assignee?: string): Promise<void> {
    await server.api.post('issues/assign', { issue, assignee });
  },
  /** Replaces the tags of an issue. */
  async setTags(server: RealServer, issue: string, tags: readonly string[]): Promise<void> {
    await server.api.post('issues/set_tags', { issue, tags: tags.join(',') });
  },
  /** Adds a comment to an issue. */
  async comment(server: RealServer, issue: string, text: string): Promise<void> {
    await server.api.post('issues/add_comment', { issue, text });
  },
  /** Decides about a hotspot: SAFE, FIXED or ACKNOWLEDGED; back to TO_REVIEW when left out. */
  async review(server: RealServer, hotspot: string, resolution?: string): Promise<void> {
    const status = resolution ? 'REVIEWED' : 'TO_REVIEW';
    await server.api.post('hotspots/change_status', { hotspot, status, resolution });
  },
  /** Makes a project without an analysis. */
  async createProject(server: RealServer, project: string, name: string): Promise<void> {
    await server.api.post('projects/create', { project, name, visibility: 'public' });
  },
  /** Gives a project another key. */
  async renameProject(server: RealServer, from: string, to: string): Promise<void> {
    await server.api.post('projects/update_key', { from, to });
  },
  /** Deletes a project with everything in it. */
  async deleteProject(server: RealServer, project: string): Promise<void> {
    await server.api.post('projects/delete', { project });
  },
  /**
   * Analyses a project again, now. Of real-history, revision 4 (then 5, …) closes the issues of one module and brings a
   * new one; other projects are analysed as they are.
   */
  async rescan(server: RealServer, project: ProjectKey, revision: number, log?: Log): Promise<void> {
    await analyse(server, { project, revision }, log);
  },
};
