/** A simulated server and a fresh warehouse, and the comparison of the two: key by key, value by value. */
import { expect } from 'vitest';
import { withinStore, type Store } from '../../src/app/store.ts';
import { sync, type SyncReport, type SyncRequest } from '../../src/app/sync.ts';
import { testDatabase } from '../../src/db/database.testing.ts';
import { issueStatus } from '../../src/source/streams/issues.ts';
import { startSimulator, type Simulator, type SimulatorOptions, type TokenName } from '../simulator/index.ts';

export interface Rig {
  readonly sim: Simulator;
  readonly store: Store;
  /** Runs a sync as the administrator, or as told. */
  readonly sync: (request?: Partial<SyncRequest> & { as?: TokenName }) => Promise<SyncReport>;
  /** Rows of a query as the owner. */
  readonly rows: <R extends Record<string, unknown>>(sql: string, values?: readonly unknown[]) => Promise<R[]>;
  /** Requests made since the last call, as `path` → count. */
  readonly requests: () => Record<string, number>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function rig(options: SimulatorOptions): Promise<Rig> {
  const sim = await startSimulator(options);
  const database = await testDatabase();
  const store = await withinStore(database);
  let logged = 0;
  return {
    sim,
    store,
    sync: ({ as = 'admin', ...request } = {}) =>
      sync(store, { baseUrl: sim.url, token: sim.tokens[as], signal: new AbortController().signal, ...request }),
    rows: async <R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
      (await database.query<R>(sql, values)).rows,
    requests: () => {
      const counts: Record<string, number> = {};
      for (const { path } of sim.log.slice(logged)) {
        const name = path.replace('/api/', '');
        counts[name] = (counts[name] ?? 0) + 1;
      }
      logged = sim.log.length;
      return counts;
    },
    [Symbol.asyncDispose]: async () => {
      await sim.close();
      await database.close();
    },
  };
}

const iso = (seconds: number | undefined): string | null =>
  seconds === undefined ? null : new Date(seconds * 1000).toISOString();

/** Issues as the simulated server has them, in the columns that carry a date or are told by one. */
function issuesOf({ data }: Simulator): Record<string, unknown>[] {
  return data.projects
    .flatMap((project) =>
      project.issues.map((issue) => ({
        key: issue.key,
        project: project.key,
        component: issue.path === undefined ? project.key : `${project.key}:${issue.path}`,
        rule: issue.rule,
        severity: issue.severity,
        status: issue.status,
        issue_status: issueStatus({ status: issue.status, resolution: issue.resolution, issueStatus: undefined }),
        resolution: issue.resolution ?? null,
        type: issue.type,
        assignee: issue.assignee ?? null,
        created: iso(issue.created),
        updated: iso(issue.updated),
        closed: iso(issue.closed),
        tags: [...issue.tags].sort().join(','),
      })),
    )
    .sort(byKey);
}

const STORED_ISSUES = `select i.source_key as key, p.source_key as project, i.component, i.rule, i.severity, i.status,
       i.issue_status, i.resolution, i.issue_type as type, i.assignee, i.created_at as created, i.updated_at as updated,
       i.close_date as closed,
       coalesce((select string_agg(t.name, ',' order by t.name collate "C") from sonarqube_issue_tags it
                   join sonarqube_tags t on t.id = it.tag_id where it.issue_id = i.id), '') as tags
  from sonarqube_issues i join sonarqube_projects p on p.id = i.project_id
 where i.deleted_at is null`;

const byKey = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  String(a['key']) < String(b['key']) ? -1 : 1;

/** Every issue, hotspot, project, analysis and history point of the server is stored, and nothing else is shown as present. */
export async function expectEqual({ sim, rows }: Rig): Promise<void> {
  expect((await rows(STORED_ISSUES)).sort(byKey)).toEqual(issuesOf(sim));
  expect(
    (await rows(`select source_key as key, name from sonarqube_projects where deleted_at is null`)).sort(byKey),
  ).toEqual(sim.data.projects.map(({ key, name }) => ({ key, name })).sort(byKey));
  const hotspots = sim.data.projects.flatMap((project) => project.hotspots.filter(({ status }) => status !== 'CLOSED'));
  expect(
    (
      await rows(
        `select source_key as key, status, resolution from sonarqube_security_hotspots where deleted_at is null`,
      )
    ).sort(byKey),
  ).toEqual(
    hotspots.map(({ key, status, resolution }) => ({ key, status, resolution: resolution ?? null })).sort(byKey),
  );
  const analyses = sim.data.projects.flatMap((project) =>
    project.analyses.map(({ date }) => ({ key: `${project.key} ${String(iso(date))}` })),
  );
  const stored = await rows<{ project: string; date: string }>(
    `select p.source_key as project, a.date from sonarqube_analyses a join sonarqube_projects p on p.id = a.project_id where a.deleted_at is null`,
  );
  expect(stored.map(({ project, date }) => ({ key: `${project} ${date}` })).sort(byKey)).toEqual(analyses.sort(byKey));
}

/** What the server itself says of one project's measures, for comparing with what is stored. */
export async function serverMeasures(
  sim: Simulator,
  project: string,
  metrics: readonly string[],
): Promise<Map<string, string>> {
  const url = `${sim.url}/api/measures/component?component=${encodeURIComponent(project)}&metricKeys=${metrics.join(',')}`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${sim.tokens.admin}` } });
  const body = (await answer.json()) as {
    component: { measures: { metric: string; value?: string; period?: { value: string } }[] };
  };
  return new Map(body.component.measures.map((one) => [one.metric, one.value ?? one.period?.value ?? '']));
}
