/** Metrics, live measures, history and projects. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import type { Value } from './ask.ts';
import { Dataset, generate, metricsOf, seconds, startSimulator } from './index.ts';
import type { Simulator } from './index.ts';

const FIRST = seconds('2012-06-02T10:11:12+0000');
const SECOND = seconds('2012-10-23T10:11:12+0000');
const THIRD = seconds('2014-01-14T10:11:12+0000');

function data(): Dataset {
  return new Dataset({
    projects: [
      {
        key: 'lab-express',
        name: 'Express',
        period: { mode: 'PREVIOUS_VERSION', date: SECOND, parameter: '1.0' },
        analyses: [
          { date: FIRST, revision: 'a1', measures: { ncloc: '1231', violations: '98' } },
          { date: SECOND, revision: undefined, measures: { ncloc: '1040' } },
          {
            date: THIRD,
            revision: 'c3',
            measures: { ncloc: '1135', violations: '2', new_violations: '1', new_sqale_debt_ratio: '0.5' },
          },
        ],
        live: { ncloc: '1135', coverage: '27.7', alert_status: 'ERROR', new_violations: '1', new_coverage: '100.0' },
        issues: [
          { path: 'a.js', type: 'BUG', severity: 'MAJOR', effort: 10 },
          { path: 'a.js', severity: 'MINOR', effort: 5 },
          { path: 'a.js', status: 'RESOLVED', resolution: 'WONTFIX' },
          { path: 'a.js', status: 'CLOSED', resolution: 'FIXED', closed: THIRD },
        ],
      },
      { key: 'b', name: 'beta', analyses: [{ date: FIRST, revision: undefined, measures: {} }] },
      { key: 'a', name: 'Alpha', visibility: 'private' },
    ],
  });
}

let sim: Simulator;
beforeAll(async () => {
  sim = await startSimulator({ version: '26.9', data: data() });
});
afterAll(() => sim.close());

async function live(one: Simulator, keys: string, project = 'lab-express'): Promise<Record<string, Value>> {
  const reply = await ask(one, `measures/component?component=${project}&metricKeys=${keys}&additionalFields=period`);
  expect(reply.status).toBe(200);
  return Object.fromEntries(reply.json.component.measures.map((measure) => [measure.metric, measure]));
}

describe('measures/component', () => {
  it('counts issues as they are now, and puts new code under period', async () => {
    expect(
      await live(
        sim,
        'ncloc,violations,bugs,code_smells,accepted_issues,sqale_index,coverage,alert_status,new_violations,tests,minor_violations',
      ),
    ).toEqual({
      ncloc: { metric: 'ncloc', value: '1135' },
      violations: { metric: 'violations', value: '2', bestValue: false },
      bugs: { metric: 'bugs', value: '1', bestValue: false },
      code_smells: { metric: 'code_smells', value: '1', bestValue: false },
      minor_violations: { metric: 'minor_violations', value: '1', bestValue: false },
      accepted_issues: { metric: 'accepted_issues', value: '1' },
      sqale_index: { metric: 'sqale_index', value: '5', bestValue: false },
      coverage: { metric: 'coverage', value: '27.7', bestValue: false },
      alert_status: { metric: 'alert_status', value: 'ERROR' },
      new_violations: { metric: 'new_violations', period: { index: 1, value: '1', bestValue: false } },
    });
    const reply = await ask(sim, 'measures/component?component=lab-express&metricKeys=ncloc&additionalFields=period');
    expect(reply.json.period).toEqual({
      index: 1,
      mode: 'PREVIOUS_VERSION',
      date: '2012-10-23T10:11:12+0000',
      parameter: '1.0',
    });
    expect((await ask(sim, 'measures/component?component=lab-express&metricKeys=ncloc')).json).not.toHaveProperty(
      'period',
    );
    expect(
      (await ask(sim, 'measures/component?component=lab-express&metricKeys=ncloc&additionalFields=periods')).status,
    ).toBe(400);
  });

  it('answers an old name with the new metric', async () => {
    expect((await live(sim, 'wont_fix_issues'))['wont_fix_issues']?.value).toBe('1');
    const old = await startSimulator({ version: '10.0', data: data() });
    expect((await live(old, 'wont_fix_issues'))['wont_fix_issues']?.value).toBe('1');
    const reply = await ask(old, 'measures/component?component=lab-express&metricKeys=accepted_issues');
    expect(reply.json.errors[0]?.msg).toBe('The following metric keys are not found: accepted_issues');
    await old.close();
  });

  it('has no security_hotspots_reviewed without a hotspot', async () => {
    const one = await startSimulator({ version: '25.12', data: data() });
    expect(await live(one, 'security_hotspots,security_hotspots_reviewed')).toMatchObject({
      security_hotspots: { value: '0' },
    });
    expect(await live(one, 'security_hotspots_reviewed')).toEqual({});
    const hotspot = one.mutate.addHotspot('lab-express');
    expect((await live(one, 'security_hotspots_reviewed'))['security_hotspots_reviewed']).toMatchObject({
      value: '0.0',
      bestValue: false,
    });
    one.mutate.reviewHotspot(hotspot.key, 'SAFE');
    expect((await live(one, 'security_hotspots_reviewed'))['security_hotspots_reviewed']).toMatchObject({
      value: '100.0',
      bestValue: true,
    });
    await one.close();
  });

  it('a person accepts an issue: live at once, history as it was', async () => {
    const one = await startSimulator({ data: data() });
    const issue = one.data.projects[0]!.issues[0]!;
    one.mutate.accept(issue);
    expect((await live(one, 'violations'))['violations']?.value).toBe('1');
    const reply = await ask(one, 'measures/search_history?component=lab-express&metrics=violations');
    expect(reply.json.measures[0]?.history.at(-1)).toEqual({ date: '2014-01-14T10:11:12+0000', value: '2' });
    await one.close();
  });
});

describe('measures/search_history', () => {
  it('has a point for each analysis, also without a value; pages count analyses', async () => {
    const reply = await ask(
      sim,
      'measures/search_history?component=lab-express&metrics=ncloc,violations,new_violations,new_sqale_debt_ratio&ps=2&p=1',
    );
    expect(reply.text).toBe(
      '{"paging":{"pageIndex":1,"pageSize":2,"total":3},"measures":[' +
        '{"metric":"ncloc","history":[{"date":"2012-06-02T10:11:12+0000","value":"1231"},{"date":"2012-10-23T10:11:12+0000","value":"1040"}]},' +
        '{"metric":"violations","history":[{"date":"2012-06-02T10:11:12+0000","value":"98"},{"date":"2012-10-23T10:11:12+0000"}]},' +
        '{"metric":"new_violations","history":[{"date":"2012-06-02T10:11:12+0000"},{"date":"2012-10-23T10:11:12+0000"}]},' +
        '{"metric":"new_sqale_debt_ratio","history":[{"date":"2012-06-02T10:11:12+0000"},{"date":"2012-10-23T10:11:12+0000"}]}]}',
    );
    const rest = await ask(
      sim,
      'measures/search_history?component=lab-express&metrics=new_violations,new_sqale_debt_ratio&ps=2&p=2',
    );
    expect(rest.json.measures).toEqual([
      { metric: 'new_violations', history: [{ date: '2014-01-14T10:11:12+0000' }] },
      { metric: 'new_sqale_debt_ratio', history: [{ date: '2014-01-14T10:11:12+0000', value: '0.5' }] },
    ]);
    expect(
      (await ask(sim, 'measures/search_history?component=lab-express&metrics=ncloc&p=9')).json.measures[0]?.history,
    ).toEqual([]);
  });

  it.each([
    ['from=2012-10-23', 2],
    ['from=2012-10-23T10:11:12%2B0000', 2],
    ['from=2012-10-23T10:11:13%2B0000', 1],
    ['to=2012-10-23', 2],
    ['to=2012-10-23T10:11:12%2B0000', 2],
    ['to=2012-10-23T10:11:11%2B0000', 1],
    ['from=2012-10-23&to=2012-10-23', 1],
  ])('%s: %i analyses', async (bounds, count) => {
    const reply = await ask(sim, `measures/search_history?component=lab-express&metrics=ncloc&${bounds}`);
    expect(reply.json.paging.total).toBe(count);
  });
});

describe('metrics/search', () => {
  it('pages without a paging object; 21 names belong to two metrics from 10.8 on', async () => {
    const reply = await ask(sim, 'metrics/search?ps=2');
    expect(Object.keys(reply.json)).toEqual(['metrics', 'total', 'p', 'ps']);
    expect(reply.json).toMatchObject({ total: metricsOf(2609).length, p: 1, ps: 2 });
    expect(reply.json.metrics[0]).toMatchObject({
      ...{ key: 'accepted_issues', type: 'INT', name: 'Accepted Issues', domain: 'Issues', direction: -1 },
      ...{ qualitative: false, hidden: false },
    });
    const all = (await ask(sim, 'metrics/search?ps=500')).json.metrics;
    const names = all.map((metric) => metric.name);
    expect(new Set(names.filter((name, i) => names.indexOf(name) !== i)).size).toBe(21);
    expect(new Set(all.map((metric) => metric.id)).size).toBe(all.length);
    expect((await ask(sim, 'metrics/search?ps=501')).status).toBe(400);
  });

  it('an upgrade brings metrics, and a test may bring its own', async () => {
    const one = await startSimulator({ version: '10.0', data: data() });
    const before = (await ask(one, 'metrics/search')).json.total;
    one.upgrade('26.9');
    expect((await ask(one, 'metrics/search')).json.total).toBeGreaterThan(before);
    expect((await ask(one, 'system/status')).json.version).toBe('26.9.0.129388');
    await one.close();
    const many = await startSimulator({ data: generate({ metrics: 400, issuesPerProject: 3 }) });
    expect((await ask(many, 'metrics/search?ps=1')).json.total).toBe(400);
    await many.close();
  });
});

describe('projects/search', () => {
  it('orders by name, shows what the version has', async () => {
    const reply = await ask(sim, 'projects/search');
    expect(reply.json.paging).toEqual({ pageIndex: 1, pageSize: 100, total: 3 });
    expect(reply.json.components.map((one) => one['name'])).toEqual(['Alpha', 'beta', 'Express']);
    expect(Object.keys(reply.json.components[2] ?? {})).toEqual([
      ...['key', 'name', 'qualifier', 'visibility', 'lastAnalysisDate', 'revision', 'managed', 'projectUuid'],
    ]);
    expect(reply.json.components[2]).toMatchObject({ lastAnalysisDate: '2014-01-14T10:11:12+0000', revision: 'c3' });
    expect(reply.json.components[0]).toEqual({
      ...{ key: 'a', name: 'Alpha', qualifier: 'TRK', visibility: 'private', managed: false },
      projectUuid: sim.data.project('a')?.uuid,
    });
    const old = await startSimulator({ version: '10.0', data: data() });
    expect((await ask(old, 'projects/search')).json.components[0]).toEqual({
      key: 'a',
      name: 'Alpha',
      qualifier: 'TRK',
      visibility: 'private',
    });
    await old.close();
    const total = async (query: string): Promise<unknown> =>
      (await ask(sim, `projects/search?${query}`)).json.paging.total;
    expect(await total('q=EXP')).toBe(1);
    expect(await total('onProvisionedOnly=true')).toBe(1);
    expect(await total('analyzedBefore=2013-01-01')).toBe(1);
    expect(await total('p=99')).toBe(3);
    expect((await ask(sim, 'projects/search?ps=0')).json.errors[0]?.msg).toBe(
      'Page size must be strictly positive. Got 0',
    );
  });

  it('has no window: 53,740 projects to the last page', async () => {
    const many = await startSimulator({
      data: generate({ projects: 53_740, issuesPerProject: 0, analyses: 1, hotspots: 0 }),
    });
    const reply = await ask(many, 'projects/search?ps=500&p=108');
    expect([reply.json.paging.total, reply.json.components.length]).toEqual([53_740, 240]);
    await many.close();
  });
});
