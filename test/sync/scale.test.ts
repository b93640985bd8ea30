/** What a run costs follows from what changed, not from how much there is; counted in the simulated server's own log. */
import { expect, test } from 'vitest';
import { generate } from '../simulator/index.ts';
import { expectEqual, rig } from './rig.ts';

test(
  '1,000 projects: a first sync, one with nothing new, and one with a single changed project',
  { timeout: 300_000 },
  async () => {
    const data = generate({
      version: '25.12',
      projects: 1000,
      issuesPerProject: 3,
      hotspots: 0,
      analyses: 1,
      metrics: 12,
      seed: 21,
    });
    await using r = await rig({ version: '25.12', data });
    const requests = (): { lists: number; rest: number } => {
      const { 'projects/search': lists = 0, ...asked } = r.requests();
      return { lists, rest: Object.values(asked).reduce((sum, count) => sum + count, 0) };
    };
    const beyondLists = async (): Promise<number> => {
      requests();
      expect(await r.sync()).toMatchObject({ state: 'complete' });
      return requests().rest;
    };

    const first = await beyondLists();
    await expectEqual(r);
    // three a project, one a hundred projects for their issues, and the lists: as few as there can be, and 5 % more
    expect(first).toBeLessThanOrEqual(Math.ceil((3 * 1000 + 10 + 2) * 1.05));

    expect(await beyondLists()).toBeLessThanOrEqual(5);

    const { key, issues } = data.projects[500]!;
    r.sim.mutate.analysis(key, {
      date: r.sim.now() - 60,
      close: [issues.find(({ status }) => status === 'OPEN')!.key],
    });
    expect(await beyondLists()).toBeLessThanOrEqual(10);
    await expectEqual(r);
  },
);

test(
  'issues are read while the measures of later projects still are, for next to no request more; a closed project is never asked for them',
  { timeout: 300_000 },
  async () => {
    const data = generate({
      version: '25.12',
      projects: 40,
      issuesPerProject: (n) => (n === 3 ? 9 : 600),
      hotspots: 0,
      analyses: 1,
      metrics: 12,
      seed: 23,
    });
    const closed = data.projects[3]!;
    await using r = await rig({ version: '25.12', data });
    const open = new Set(data.projects.map(({ key }) => key).filter((key) => key !== closed.key));
    r.sim.mutate.restrict(closed.key, { browse: [] });
    const { shortfalls } = await r.sync();
    expect(new Set(shortfalls.map(({ project, state }) => `${String(project)} ${state}`))).toEqual(
      new Set([`${closed.key} unreadable`]),
    );
    const paths = r.sim.log.map(({ path, params }) => `${path} ${params['componentKeys'] ?? ''}`);
    const issues = paths.filter((path) => path.startsWith('/api/issues/search ') && path.length > 20);
    const asked = issues.flatMap((path) => path.replace('/api/issues/search ', '').split(','));
    expect(new Set(asked)).toEqual(open);
    expect(paths.indexOf(issues[0]!)).toBeLessThan(paths.findLastIndex((path) => path.includes('measures/component')));
    const rows = data.projects.reduce((sum, { issues }) => sum + issues.length, 0);
    expect(r.sim.log.length).toBeLessThanOrEqual(1.05 * (Math.ceil(rows / 500) + 3 * 40 + 3));
    expect(await r.rows('select count(*)::int as n from sonarqube_issues')).toEqual([
      { n: rows - closed.issues.length },
    ]);
  },
);

test(
  '25,000 issues in one second end complete, for at most a fifth more requests than the fewest',
  { timeout: 300_000 },
  async () => {
    const data = generate({
      version: '26.9',
      projects: 2,
      issuesPerProject: (n) => (n === 0 ? 25_000 : 300),
      oneSecond: true,
      rules: 60,
      hotspots: 0,
      analyses: 1,
      metrics: 12,
      seed: 4,
    });
    await using r = await rig({ version: '26.9', data });
    expect(await r.sync()).toMatchObject({ state: 'complete', shortfalls: [] });
    expect(r.requests()['issues/search']).toBeLessThanOrEqual(Math.ceil((25_300 / 500) * 1.2));
    expect(
      await r.rows(
        `select stream, server_total, present, state from sonarqube_completeness where stream = 'issues' order by present`,
      ),
    ).toEqual([
      { stream: 'issues', server_total: 300, present: 300, state: 'complete' },
      { stream: 'issues', server_total: 25_000, present: 25_000, state: 'complete' },
    ]);
    expect(await r.sync()).toMatchObject({ state: 'complete', changes: 0 });
  },
);

test('12,000 hotspots in one project are split by what was decided and by category', { timeout: 300_000 }, async () => {
  const data = generate({
    version: '25.12',
    projects: 1,
    issuesPerProject: 5,
    hotspots: 12_000,
    analyses: 1,
    metrics: 12,
    seed: 13,
  });
  await using r = await rig({ version: '25.12', data });
  expect(await r.sync()).toMatchObject({ state: 'complete', shortfalls: [] });
  await expectEqual(r);
});

test(
  'hotspots that no filter brings under 10,000 are counted and named, and the run says so',
  { timeout: 300_000 },
  async () => {
    const data = generate({
      version: '25.12',
      projects: 1,
      issuesPerProject: 5,
      hotspots: 10_700,
      analyses: 1,
      metrics: 12,
      seed: 14,
    });
    for (const hotspot of data.projects[0]!.hotspots)
      Object.assign(hotspot, { status: 'TO_REVIEW', resolution: undefined, category: 'dos' });
    data.touch();
    await using r = await rig({ version: '25.12', data });
    const report = await r.sync();
    expect(report.state).toBe('partly_failed');
    expect(report.shortfalls).toMatchObject([
      { stream: 'hotspots', state: 'short', reason: /700 hotspots of one category and decision/ },
    ]);
  },
);
