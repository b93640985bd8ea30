/** Changes, with the dates that the real server writes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import type { Row } from './ask.ts';
import { Dataset, seconds, startSimulator } from './index.ts';
import type { Simulator } from './index.ts';

const START = seconds('2026-01-01T00:00:00+0000');
let now = START;
let sim: Simulator;

beforeEach(async () => {
  now = START + 86_400;
  const data = new Dataset({
    projects: [
      {
        key: 'p',
        live: { ncloc: '100' },
        analyses: [{ date: START, revision: 'r1', measures: { ncloc: '100', violations: '3' } }],
        issues: ['k1', 'k2', 'k3'].map((key, i) => ({
          key,
          path: 'src/a.py',
          line: i + 2,
          created: START,
          updated: START,
        })),
        hotspots: [{ key: 'h1', created: START }],
      },
    ],
  });
  sim = await startSimulator({ version: '25.12', data, clock: () => now * 1000 });
});
afterEach(() => sim.close());

interface IssueRow extends Row {
  readonly line?: number;
  readonly status: string;
  readonly updateDate: string;
}

async function issues(query = 's=CREATION_DATE'): Promise<Record<string, IssueRow>> {
  const reply = await ask(sim, `issues/search?${query}`);
  expect(reply.status).toBe(200);
  return Object.fromEntries((reply.json.issues as IssueRow[]).map((row) => [row.key, row]));
}

describe('people', () => {
  it('move updateDate to now, and the orders follow', async () => {
    const newest = async (): Promise<string> => Object.keys(await issues('s=UPDATE_DATE&asc=false'))[0]!;
    await newest();
    sim.mutate.accept('k2');
    expect(await newest()).toBe('k2');
    now += 5;
    sim.mutate.assign('k1', 'viewer');
    sim.mutate.tag('k1', ['a', 'b']);
    sim.mutate.severity('k1', 'BLOCKER');
    sim.mutate.type('k1', 'BUG');
    sim.mutate.comment('k1', 'looked at');
    expect(await newest()).toBe('k1');
    const found = await issues('additionalFields=comments');
    expect(found['k1']).toMatchObject({
      ...{ assignee: 'viewer', tags: ['a', 'b'], severity: 'BLOCKER', type: 'BUG' },
      comments: [{ markdown: 'looked at' }],
      updateDate: '2026-01-02T00:00:05+0000',
      creationDate: '2026-01-01T00:00:00+0000',
    });
    expect(found['k2']).toMatchObject({ status: 'RESOLVED', resolution: 'WONTFIX', issueStatus: 'ACCEPTED' });
    sim.mutate.reopen('k2');
    expect((await issues())['k2']).toMatchObject({ status: 'REOPENED', issueStatus: 'OPEN' });
    expect((await issues('severities=BLOCKER'))['k1']).toBeDefined();
  });

  it('an administrator changes what a rule means: no date moves', async () => {
    const before = (await issues())['k1']!;
    sim.mutate.ruleImpacts(before['rule'] as string, [{ softwareQuality: 'SECURITY', severity: 'HIGH' }]);
    const after = (await issues('impactSoftwareQualities=SECURITY'))['k1']!;
    expect(after['impacts']).toEqual([{ softwareQuality: 'SECURITY', severity: 'HIGH' }]);
    expect(after.updateDate).toBe(before.updateDate);
  });
});

describe('an analysis', () => {
  it('dates what it writes by the start of the scan, which may lie before now', async () => {
    now += 3600;
    const scan = now - 1800;
    sim.mutate.analysis('p', {
      date: scan,
      revision: 'r2',
      close: ['k1'],
      move: { k2: 5 },
      add: [{ key: 'k4', path: 'src/b.py', created: seconds('2015-01-02T03:04:05+0000') }],
      measures: { ncloc: '120', new_violations: '1' },
    });
    const found = await issues();
    expect(found['k1']).toMatchObject({
      status: 'CLOSED',
      resolution: 'FIXED',
      updateDate: '2026-01-02T00:30:00+0000',
      closeDate: '2026-01-02T00:30:00+0000',
    });
    expect(found['k1']).not.toHaveProperty('line');
    expect(found['k2']).toMatchObject({ line: 8, updateDate: '2026-01-01T00:00:00+0000' });
    expect(found['k4']).toMatchObject({
      creationDate: '2015-01-02T03:04:05+0000',
      updateDate: '2026-01-02T00:30:00+0000',
    });
    const project = (await ask(sim, 'projects/search')).json.components[0];
    expect(project).toMatchObject({ lastAnalysisDate: '2026-01-02T00:30:00+0000', revision: 'r2' });
    const history = await ask(sim, 'measures/search_history?component=p&metrics=violations,ncloc,new_violations');
    expect(history.json.measures.map((one) => one.history.at(-1))).toEqual([
      { date: '2026-01-02T00:30:00+0000', value: '3' },
      { date: '2026-01-02T00:30:00+0000', value: '120' },
      { date: '2026-01-02T00:30:00+0000' },
    ]);
    // what people do afterwards changes the present and not the point
    sim.mutate.accept('k2');
    expect((await ask(sim, 'measures/search_history?component=p&metrics=violations')).text).toBe(
      '{"paging":{"pageIndex":1,"pageSize":100,"total":2},"measures":[{"metric":"violations","history":[{"date":"2026-01-01T00:00:00+0000","value":"3"},{"date":"2026-01-02T00:30:00+0000","value":"3"}]}]}',
    );
    const live = await ask(
      sim,
      'measures/component?component=p&metricKeys=violations,new_violations&additionalFields=period',
    );
    expect(live.json.component.measures).toContainEqual({ metric: 'violations', value: '2', bestValue: false });
    expect(live.json.component.measures).toContainEqual({
      metric: 'new_violations',
      period: { index: 1, value: '1', bestValue: false },
    });
    expect(live.json.period).toMatchObject({ index: 1, date: '2026-01-01T00:00:00+0000' });
    expect(() => sim.mutate.analysis('p', { date: scan })).toThrow('refuses');
  });

  it('may be dated ahead, rename files, and purge', async () => {
    sim.mutate.analysis('p', { date: now + 30 * 86_400, rename: { 'src/a.py': 'src/z.py' }, close: ['k3'] });
    const found = await issues();
    expect(found['k1']).toMatchObject({ component: 'p:src/z.py', updateDate: '2026-02-01T00:00:00+0000' });
    const future = encodeURIComponent('2026-02-01T00:00:00+0000');
    expect((await ask(sim, `issues/search?createdAfter=${future}`)).status).toBe(400);
    expect(sim.mutate.purgeClosed('p', 30)).toBe(0);
    expect(sim.mutate.purgeClosed('p')).toBe(1);
    expect(Object.keys(await issues())).toEqual(['k1', 'k2']);
    sim.mutate.deleteAnalysis('p', START);
    expect((await ask(sim, 'measures/search_history?component=p&metrics=ncloc')).json.paging.total).toBe(1);
    now += 60 * 86_400;
    sim.mutate.analyseOtherBranch('p');
    const project = (await ask(sim, 'projects/search')).json.components[0];
    expect(project?.['lastAnalysisDate']).toBe('2026-03-03T00:00:00+0000');
    expect(project?.['revision']).toBeUndefined();
  });
});

describe('administration', () => {
  it('renames, deletes and creates projects', async () => {
    const { uuid } = sim.data.project('p')!;
    sim.mutate.renameProject('p', 'q', 'Q');
    expect((await ask(sim, 'issues/search?componentKeys=p')).json.total).toBe(0);
    expect((await issues('componentKeys=q'))['k1']).toMatchObject({ project: 'q', component: 'q:src/a.py' });
    expect((await ask(sim, 'projects/search')).json.components[0]).toMatchObject({
      key: 'q',
      name: 'Q',
      projectUuid: uuid,
    });
    sim.mutate.createProject({ key: 'p', issues: [{ key: 'n1' }] });
    expect((await ask(sim, 'issues/search')).json.total).toBe(4);
    sim.mutate.deleteProject('q');
    expect((await ask(sim, 'measures/search_history?component=q&metrics=ncloc')).status).toBe(404);
    expect(Object.keys(await issues())).toEqual(['n1']);
  });

  it('turns hotspots into issues under the same key', async () => {
    sim.mutate.addHotspot('p', { key: 'h2' });
    sim.mutate.reviewHotspot('h2', 'SAFE');
    expect((await ask(sim, 'hotspots/search?project=p&status=REVIEWED')).json.hotspots[0]).toMatchObject({
      ...{ key: 'h2', resolution: 'SAFE', updateDate: '2026-01-02T00:00:00+0000' },
    });
    sim.upgrade('26.9');
    sim.mutate.convertHotspots('p');
    expect((await ask(sim, 'hotspots/search?project=p')).json.paging.total).toBe(0);
    const found = await issues('tags=former-hotspot');
    expect(found['h1']).toMatchObject({ type: 'VULNERABILITY', status: 'OPEN' });
    expect(found['h2']).toMatchObject({ status: 'CLOSED', resolution: 'WONTFIX' });
  });
});
