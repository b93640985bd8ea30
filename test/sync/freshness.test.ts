/** What changes on the server is seen by the next run, and what the server forgets stays here, marked. */
import { describe, expect, test } from 'vitest';
import { generate, type Issue } from '../simulator/index.ts';
import { expectEqual, rig, type Rig } from './rig.ts';

/** What a proxy or a changed permission may make of the listing: 200, and nothing in it. */
const EMPTY_LISTING = {
  kind: 'answer',
  status: 200,
  body: JSON.stringify({ paging: { pageIndex: 1, pageSize: 500, total: 0 }, components: [] }),
} as const;

const start = async (options: { projects?: number; issuesPerProject?: number } = {}): Promise<Rig> => {
  const data = generate({ projects: 4, issuesPerProject: 60, hotspots: 4, analyses: 3, seed: 5, ...options });
  const r = await rig({ version: '25.12', data });
  expect((await r.sync()).state).toBe('complete');
  r.requests();
  return r;
};

const issuesOf = (r: Rig, project = 0): Issue[] => r.sim.data.projects[project]!.issues;
const open = (r: Rig, project = 0): Issue[] => issuesOf(r, project).filter((issue) => issue.status === 'OPEN');

describe('people', () => {
  test.each<[string, (r: Rig, issue: Issue) => void]>([
    ['accept', (r, issue) => r.sim.mutate.accept(issue)],
    ['resolve', (r, issue) => r.sim.mutate.transition(issue, 'falsepositive')],
    ['assign', (r, issue) => r.sim.mutate.assign(issue, 'somebody')],
    ['tag', (r, issue) => r.sim.mutate.tag(issue, ['new-tag', 'another'])],
    ['severity', (r, issue) => r.sim.mutate.severity(issue, issue.severity === 'BLOCKER' ? 'MINOR' : 'BLOCKER')],
    ['type', (r, issue) => r.sim.mutate.type(issue, issue.type === 'BUG' ? 'CODE_SMELL' : 'BUG')],
  ])('%s is seen by the next run, with a handful of requests', async (_, change) => {
    await using r = await start();
    change(r, open(r)[0]!);
    const report = await r.sync();
    expect(report).toMatchObject({ state: 'complete', mode: 'incremental' });
    expect(report.progress.streams['issues']).toMatchObject({ added: 0, changed: 1 });
    await expectEqual(r);
    const { 'projects/search': _pages, ...asked } = r.requests();
    expect(Object.values(asked).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(8);
  });

  test('accepting an issue moves the live measures too, although no analysis ran', async () => {
    await using r = await start();
    const key = r.sim.data.projects[0]!.key;
    const violations = `select c.value from sonarqube_current_measures c join sonarqube_metrics m on m.id = c.metric_id
      join sonarqube_projects p on p.id = c.project_id where m.source_key = 'violations' and p.source_key = $1`;
    const before = Number((await r.rows<{ value: string }>(violations, [key]))[0]?.value);
    r.sim.mutate.accept(open(r)[0]!);
    await r.sync();
    expect(Number((await r.rows<{ value: string }>(violations, [key]))[0]?.value)).toBe(before - 1);
  });

  test('each observed change of an issue is an event with the date the server gives it', async () => {
    await using r = await start();
    const issue = open(r)[0]!;
    r.sim.mutate.accept(issue);
    await r.sync();
    const events = await r.rows(
      `select e.field, e.old_value, e.new_value, e.occurred_at = i.updated_at as dated
         from sonarqube_issue_events e join sonarqube_issues i on i.id = e.issue_id where i.source_key = $1 order by e.field`,
      [issue.key],
    );
    expect(events).toEqual([
      { field: 'issue_status', old_value: 'OPEN', new_value: 'ACCEPTED', dated: true },
      { field: 'resolution', old_value: null, new_value: 'WONTFIX', dated: true },
    ]);
  });
});

describe('analyses', () => {
  test('closures, new issues with old dates and the new point of history arrive, for the price of one project', async () => {
    await using r = await start({ projects: 30 });
    const { key } = r.sim.data.projects[2]!;
    const old = r.sim.now() - 900 * 86_400;
    r.sim.mutate.analysis(key, {
      // the scan began hours before its result became visible, and the new issue's line is years old
      date: r.sim.now() - 3 * 3600,
      close: open(r, 2)
        .slice(0, 3)
        .map((issue) => issue.key),
      add: [{ created: old, rule: issuesOf(r, 2)[0]!.rule }],
    });
    const report = await r.sync();
    expect(report).toMatchObject({ state: 'complete', mode: 'incremental' });
    expect(report.progress.streams['issues']).toMatchObject({ added: 1, changed: 3 });
    await expectEqual(r);
    const { 'projects/search': _pages, ...asked } = r.requests();
    expect(Object.values(asked).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(8);
  });

  test('a project that appears between two runs is read whole', async () => {
    await using r = await start();
    const more = generate({ projects: 1, issuesPerProject: 25, analyses: 2, seed: 99, projectKey: () => 'brand:new' });
    for (const project of more.projects) r.sim.data.addProject(project);
    expect((await r.sync()).state).toBe('complete');
    await expectEqual(r);
  });

  test('metrics on new code grow a history here, one point an analysis', async () => {
    await using r = await start();
    const { key } = r.sim.data.projects[0]!;
    const points = `select count(*)::int as n from sonarqube_project_metrics pm join sonarqube_metrics m on m.id = pm.metric_id
      join sonarqube_projects p on p.id = pm.project_id where m.source_key = 'new_violations' and p.source_key = $1`;
    const [before] = await r.rows<{ n: number }>(points, [key]);
    r.sim.mutate.analysis(key, { date: r.sim.now() - 60 });
    await r.sync();
    const [after] = await r.rows<{ n: number }>(points, [key]);
    expect(before?.n).toBe(1);
    expect(after?.n).toBe(2);
  });
});

describe('what the server forgets', () => {
  test('purged issues stay, marked, and no longer count as open', async () => {
    await using r = await start();
    const { key } = r.sim.data.projects[1]!;
    const gone = open(r, 1)
      .slice(0, 5)
      .map((issue) => issue.key);
    r.sim.mutate.removeIssues(gone);
    const report = await r.sync();
    expect(report).toMatchObject({ state: 'complete' });
    expect(report.progress.streams['issues']?.gone).toBe(5);
    const rows = await r.rows(
      `select distinct i.status, i.issue_status, i.gone_reason, i.deleted_at is not null as marked from sonarqube_issues i where source_key = any($1)`,
      [gone],
    );
    expect(rows).toEqual([{ status: 'CLOSED', issue_status: 'FIXED', gone_reason: 'vanished', marked: true }]);
    expect(
      await r.rows(`select kept, state from sonarqube_completeness where stream = 'issues' and project = $1`, [key]),
    ).toEqual([{ kept: 5, state: 'complete' }]);
    await expectEqual(r);
  });

  test('half of a project gone at once is first a suspicion: nothing is marked, and the run says so', async () => {
    await using r = await start({ projects: 2, issuesPerProject: 300 });
    r.sim.mutate.removeIssues(
      issuesOf(r)
        .slice(0, 150)
        .map((issue) => issue.key),
    );
    const report = await r.sync();
    expect(report.state).toBe('partly_failed');
    expect(report.shortfalls).toMatchObject([{ stream: 'issues', state: 'suspect' }]);
    expect(await r.rows('select 1 from sonarqube_issues where deleted_at is not null')).toEqual([]);
    // an hour later a second whole read agrees
    await r.rows(`update sonarqube_completeness set suspected_since = suspected_since - interval '61 minutes'`);
    expect((await r.sync()).state).toBe('complete');
    await expectEqual(r);
  });

  test('a deleted project is marked only when a second listing and its own 404 agree; its rows stay', async () => {
    await using r = await start({ projects: 12 });
    const { key } = r.sim.data.projects[3]!;
    r.sim.mutate.deleteProject(key);
    const report = await r.sync();
    expect(report.state).toBe('complete');
    const rows = await r.rows(
      `select p.api_accessible, p.deleted_at is not null as marked, count(i.id)::int as issues, count(i.deleted_at)::int as gone
         from sonarqube_projects p join sonarqube_issues i on i.project_id = p.id where p.source_key = $1 group by p.id`,
      [key],
    );
    expect(rows).toEqual([{ api_accessible: false, marked: true, issues: 60, gone: 60 }]);
    await expectEqual(r);
  });

  test('a deleted analysis is marked with its points', async () => {
    await using r = await start();
    const { key, analyses } = r.sim.data.projects[0]!;
    r.sim.mutate.deleteAnalysis(key, analyses[1]!.date);
    expect((await r.sync({ full: true })).state).toBe('complete');
    await expectEqual(r);
    const points = await r.rows(
      `select distinct gone_reason, value is null as hidden from sonarqube_project_metrics where deleted_at is not null`,
    );
    expect(points).toEqual([{ gone_reason: 'thinned', hidden: false }]);
  });

  test('the newest analysis, when it is deleted, is no longer what "the newest value" finds', async () => {
    await using r = await start();
    const { key, analyses } = r.sim.data.projects[0]!;
    const newest = `select pm.date from sonarqube_project_metrics pm join sonarqube_projects p on p.id = pm.project_id
      where p.source_key = $1 and pm.value is not null order by pm.date desc limit 1`;
    r.sim.mutate.deleteAnalysis(key, analyses[2]!.date);
    expect((await r.sync()).state).toBe('complete');
    expect(await r.rows(newest, [key])).toEqual([{ date: new Date(analyses[1]!.date * 1000).toISOString() }]);
    expect(
      await r.rows(`select distinct gone_reason from sonarqube_project_metrics where gone_value is not null`),
    ).toEqual([{ gone_reason: 'deleted' }]);
  });

  test('a run that leaves projects out does not hide their changes from the next', async () => {
    let hours = 0;
    const data = generate({ projects: 3, issuesPerProject: 40, analyses: 2, seed: 6 });
    await using r = await rig({ version: '25.12', data, clock: () => Date.now() + hours * 3_600_000 });
    await r.sync();
    hours = 2;
    r.sim.mutate.accept(open(r, 1)[0]!);
    await r.sync({ include: [r.sim.data.projects[0]!.key], auditHours: 0 });
    hours = 4;
    await r.sync({ auditHours: 0 });
    await expectEqual(r);
  });
});

describe('what must never delete', () => {
  test('a project that is closed to the token keeps its rows and is named', async () => {
    await using r = await start();
    const { key } = r.sim.data.projects[0]!;
    r.sim.mutate.restrict(key, { browse: [] });
    const report = await r.sync({ full: true });
    expect(report.state).toBe('complete');
    expect(report.shortfalls.map(({ project, state }) => `${String(project)} ${state}`)).toContain(`${key} unreadable`);
    expect(await r.rows('select 1 from sonarqube_issues where deleted_at is not null')).toEqual([]);
  });

  test('an empty listing of projects marks nothing', async () => {
    await using r = await start();
    r.sim.faults.always('projects/search', EMPTY_LISTING);
    const report = await r.sync();
    expect(report.state).toBe('partly_failed');
    expect(await r.rows('select 1 from sonarqube_projects where deleted_at is not null')).toEqual([]);
  });
});

test('--full reports what the incremental way had missed, which is nothing', async () => {
  await using r = await start();
  r.sim.mutate.accept(open(r)[0]!);
  await r.sync();
  expect(await r.sync({ full: true })).toMatchObject({ state: 'complete', mode: 'full', changes: 0 });
});

describe('what no date shows', () => {
  const clocked = async (issuesPerProject = 60): Promise<{ r: Rig; later: (hours: number) => () => Date }> => {
    const r = await start({ projects: 3, issuesPerProject });
    const begin = Date.now();
    return { r, later: (hours) => () => new Date(begin + hours * 3_600_000) };
  };

  test('a hotspot reviewed in a project of which nothing else changed is seen by the daily sweep', async () => {
    const { r, later } = await clocked();
    await using _ = r;
    r.sim.mutate.reviewHotspot(
      r.sim.data.projects[0]!.hotspots.find(({ status }) => status === 'TO_REVIEW')!.key,
      'SAFE',
    );
    await r.sync({ now: later(1) });
    expect(await r.sync({ now: later(25) })).toMatchObject({ state: 'complete' });
    await expectEqual(r);
  });

  test('a line that moved is seen by the daily audit of projects that were analysed, and by --full', async () => {
    const { r, later } = await clocked(600);
    await using _ = r;
    const { key } = r.sim.data.projects[1]!;
    const issue = open(r, 1).find(({ line }) => line !== undefined)!;
    r.sim.mutate.analysis(key, { move: { [issue.key]: 7 } });
    const line = async () =>
      (await r.rows<{ line: number }>('select line from sonarqube_issues where source_key = $1', [issue.key]))[0]?.line;
    await r.sync({ now: later(1) });
    expect(await line()).toBe(issue.line! - 7);
    await r.sync({ now: later(26) });
    expect(await line()).toBe(issue.line);
  });

  test('a line that moved in a project that one answer shows whole is seen at once', async () => {
    await using r = await start({ projects: 2 });
    const { key } = r.sim.data.projects[1]!;
    const issue = open(r, 1).find(({ line }) => line !== undefined)!;
    r.sim.mutate.analysis(key, { move: { [issue.key]: 7 } });
    await r.sync();
    expect(await r.rows('select line from sonarqube_issues where source_key = $1', [issue.key])).toEqual([
      { line: issue.line },
    ]);
  });

  test('an audit that is turned off asks nothing', async () => {
    const { r, later } = await clocked();
    await using _ = r;
    r.requests();
    await r.sync({ now: later(100), auditHours: 0 });
    const { 'projects/search': _pages, ...asked } = r.requests();
    expect(Object.values(asked).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(5);
  });

  test('metrics that an upgrade adds reach projects that were not analysed since', async () => {
    await using r = await start({ projects: 2 });
    r.sim.upgrade('26.9');
    const report = await r.sync();
    expect(report.progress.streams['metrics']?.added).toBeGreaterThan(0);
    const server =
      await r.rows(`select 1 from sonarqube_current_measures c join sonarqube_metrics m on m.id = c.metric_id
      where m.first_seen_at > (select min(first_seen_at) from sonarqube_metrics)`);
    expect(server.length).toBeGreaterThan(0);
  });
});

describe('identity', () => {
  test('a renamed project keeps its rows, its history and its id', async () => {
    const data = generate({ projects: 12, issuesPerProject: 30, hotspots: 0, analyses: 3, seed: 8 });
    await using r = await rig({ version: '26.9', data });
    await r.sync();
    const { key } = r.sim.data.projects[4]!;
    const id = async (name: string) =>
      (await r.rows<{ id: number }>('select id from sonarqube_projects where source_key = $1', [name]))[0]?.id;
    const before = await id(key);
    r.sim.mutate.renameProject(key, 'renamed:project', 'Renamed');
    const report = await r.sync();
    expect(report).toMatchObject({ state: 'complete' });
    expect(await id('renamed:project')).toBe(before);
    expect(await id(key)).toBeUndefined();
    expect(await r.rows('select 1 from sonarqube_issues where deleted_at is not null')).toEqual([]);
    await expectEqual(r);
  });

  test('a hotspot that became an issue under the same key is converted, not vanished', async () => {
    await using r = await start({ projects: 2 });
    const { key, hotspots } = r.sim.data.projects[0]!;
    const converted = hotspots[0]!.key;
    r.sim.mutate.convertHotspot(converted);
    r.sim.mutate.analysis(key, {});
    expect((await r.sync()).state).toBe('complete');
    expect(
      await r.rows('select gone_reason from sonarqube_security_hotspots where source_key = $1', [converted]),
    ).toEqual([{ gone_reason: 'converted' }]);
    expect(await r.rows('select deleted_at from sonarqube_issues where source_key = $1', [converted])).toEqual([
      { deleted_at: null },
    ]);
  });
});
