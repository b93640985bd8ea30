/** What goes wrong between the first and the last request: what passes is waited for, what stays is named, nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actions, generate, type Action, type Dataset, type Request, type Simulator } from '../simulator/index.ts';
import { bench, complaint, complaints, requested, type Bench } from './program.ts';

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(() => b.close());

const data = (projects = 3): Dataset => generate({ projects, issuesPerProject: 30, metrics: 12, analyses: 3 });

/** Rows that are here of one project, by table. */
async function held(sim: Simulator, project: string): Promise<Record<string, number>> {
  const count = (table: string): string =>
    `(select count(*) from ${table} t where t.project_id = p.id and t.deleted_at is null)::int`;
  const rows = await b.rows<{ issues: number; hotspots: number; measures: number; points: number }>(
    `select ${count('sonarqube_issues')} as issues, ${count('sonarqube_security_hotspots')} as hotspots,
            ${count('sonarqube_current_measures')} as measures, ${count('sonarqube_project_metrics')} as points
       from sonarqube_projects p join soundings.connections c on c.id = p.connection_id
      where p.source_key = $2 and c.settings ->> 'base_url' = $1`,
    [sim.url, project],
  );
  return { ...rows[0] };
}

const issuesOf = (sim: Simulator): Promise<Record<string, unknown>[]> =>
  b.rows(
    `select i.* from sonarqube_issues i join soundings.connections c on c.id = i.connection_id
      where c.settings ->> 'base_url' = $1 order by i.id`,
    [sim.url],
  );

/** States in the ledger that are not "complete", as `project stream`. */
async function incomplete(sim: Simulator): Promise<string[]> {
  const rows = await b.rows<{ text: string }>(
    `select l.project || ' ' || l.stream as text from sonarqube_completeness l
       join soundings.connections c on c.id = l.connection_id
      where c.settings ->> 'base_url' = $1 and l.state <> 'complete' order by 1`,
    [sim.url],
  );
  return rows.map(({ text }) => text);
}

/** Runs without a fault: complete, and every issue of the server is here. */
async function expectWhole(sim: Simulator): Promise<void> {
  const ran = await b.sync(sim);
  expect(complaints(ran)).toEqual([]);
  expect(ran.code).toBe(0);
  expect(await incomplete(sim)).toEqual([]);
  for (const project of sim.data.projects) {
    const here = await held(sim, project.key);
    expect(here['issues'], project.key).toBe(project.issues.length);
    expect(here['points'], project.key).toBeGreaterThan(0);
  }
}

/** An error of the server that a proxy says may be tried again at once: the same as without, only quicker. */
const failing: Action = {
  kind: 'answer',
  status: 500,
  body: '{"errors":[{"msg":"An error has occurred. Please contact your administrator"}]}',
  headers: { 'Retry-After': '0' },
};

describe.concurrent('what passes', { timeout: 150_000 }, () => {
  it.each<[string, string, Action]>([
    ['unreadable JSON', 'issues/search', actions.notJson()],
    ['a truncated answer', 'measures/search_history', actions.truncate(40)],
    ['a connection cut before the answer', 'measures/component', actions.reset()],
    ['a connection cut in the answer', 'issues/search', actions.reset(100)],
    ['a gateway that does not reach the server', 'hotspots/search', actions.gateway(502)],
    ['an error of the server', 'metrics/search', actions.serverError()],
  ])('%s is read again', async (_, path, action) => {
    const sim = await b.simulator({ version: '25.12', data: data() });
    // the first request of a run is told at once when it fails: nothing has answered yet
    sim.faults.nth(path, 1, action);
    await expectWhole(sim);
  });

  it('503 while issues are indexed: waited for', async () => {
    const sim = await b.simulator({ data: data() });
    sim.faults.nth('issues/search', [1, 2, 3], actions.indexing());
    await expectWhole(sim);
    expect(sim.requests('issues/search').filter(({ status }) => status === 503)).toHaveLength(3);
  });

  it('429 with Retry-After: waited as long as it says', async () => {
    const sim = await b.simulator({ data: data() });
    sim.faults.nth('issues/search', 1, actions.tooMany(3));
    await expectWhole(sim);
    const [refused, next] = sim.requests('issues/search');
    expect(refused?.status).toBe(429);
    expect(next!.start - refused!.end).toBeGreaterThanOrEqual(2990);
  });
});

describe.concurrent('what stays', { timeout: 150_000 }, () => {
  it('500 on one project: 3, named, the rest stored; the next run repairs it', async () => {
    const sim = await b.simulator({ version: '25.12', data: data() });
    const [bad, ...good] = sim.data.projects.map(({ key }) => key);
    sim.faults.on(({ path, params }: Request) =>
      path === '/api/measures/component' && params.get('component') === bad ? failing : undefined,
    );
    const ran = await b.sync(sim);
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stdout).toContain('partly failed');
    expect(ran.stdout).toMatch(new RegExp(`short: ${bad!} \\(measures, .*api/measures/component.* \\(500: `));
    expect(await incomplete(sim)).toEqual([`${bad!} hotspots`, `${bad!} measures`, `${bad!} measures_history`]);
    expect((await held(sim, bad!))['issues']).toBe(30);
    for (const key of good) {
      expect(await held(sim, key)).toMatchObject({ issues: 30, hotspots: 4 });
    }
    expect(await b.lastRun(sim)).toMatchObject({ state: 'partly_failed' });
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('an answer about one project that stays cut off: 3, named; the next run repairs it', async () => {
    const sim = await b.simulator({ data: data(2) });
    const [, bad] = sim.data.projects.map(({ key }) => key);
    sim.faults.on(({ path, params }) =>
      path === '/api/measures/search_history' && params.get('component') === bad ? actions.truncate(90) : undefined,
    );
    const ran = await b.sync(sim);
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stdout).toMatch(new RegExp(`short: ${bad!} \\(.*measures_history.*cannot be read \\(it was cut off\\)`));
    expect(await held(sim, bad!)).toMatchObject({ issues: 30 });
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('a connection that is cut at every answer about one project: 3, named; the next run repairs it', async () => {
    const sim = await b.simulator({ data: data(2) });
    const [bad, good] = sim.data.projects.map(({ key }) => key);
    sim.faults.on(({ path, params }) =>
      path === '/api/measures/search_history' && params.get('component') === bad ? actions.reset(60) : undefined,
    );
    const ran = await b.sync(sim);
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stdout).toMatch(new RegExp(`short: ${bad!} \\(.*measures_history`));
    expect(await held(sim, good!)).toMatchObject({ issues: 30 });
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('an answer of another shape for one project: 3, named with the field', async () => {
    const sim = await b.simulator({ data: data(2) });
    const [bad] = sim.data.projects.map(({ key }) => key);
    sim.faults.on(({ path, params }) =>
      path === '/api/measures/component' && params.get('component') === bad
        ? { kind: 'edit', body: () => `{"component":{"key":${JSON.stringify(bad)},"measures":17}}` }
        : undefined,
    );
    const ran = await b.sync(sim);
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stdout).toMatch(new RegExp(`short: ${bad!} \\(.*component\\.measures`));
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('500 on the issues of one project: the others are complete', async () => {
    const sim = await b.simulator({ data: data() });
    const bad = sim.data.projects[1]!.key;
    sim.faults.on(({ path, params }) =>
      path === '/api/issues/search' && params.get('componentKeys')?.split(',').includes(bad) ? failing : undefined,
    );
    const ran = await b.sync(sim);
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stdout).toMatch(new RegExp(`short: ${bad} \\(issues\\): `));
    expect(await incomplete(sim)).toEqual([`${bad} issues`]);
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('500 on several projects: 3, each named, all others stored', async () => {
    const sim = await b.simulator({ data: data(8) });
    const bad = [1, 2, 3, 4].map((n) => sim.data.projects[n]!.key);
    sim.faults.on(({ path, params }) =>
      path === '/api/measures/component' && bad.includes(params.get('component') ?? '') ? failing : undefined,
    );
    const ran = await b.sync(sim);
    expect(ran.code, ran.stderr).toBe(3);
    for (const key of bad) expect(ran.stdout).toContain(`short: ${key} (`);
    for (const { key } of sim.data.projects) expect(await held(sim, key), key).toMatchObject({ issues: 30 });
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('503 without end while issues are indexed: 6, said, and what was stored stays', async () => {
    const sim = await b.simulator({ version: '25.12', data: data(2) });
    await expectWhole(sim);
    const before = await issuesOf(sim);
    sim.faults.always('issues/search', { ...actions.indexing(), headers: { 'Retry-After': '0' } } as Action);
    const ran = await b.sync(sim);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain('Indexing of issues is in progress.); try again later.');
    expect(await issuesOf(sim)).toEqual(before);
    sim.faults.clear();
    await expectWhole(sim);
  });

  it('the token is revoked in mid-run: 4; what was stored stays, and the next run goes on from there', async () => {
    const sim = await b.simulator({ version: '25.12', data: data(12), latencyMs: 30 });
    const running = b.startSync(sim, ['--max-concurrency', '1']);
    await requested(sim, 'hotspots/search', 6);
    sim.revoke('admin');
    const ran = await running.ended;
    expect(ran.code).toBe(4);
    expect(complaint(ran)).toContain('refuses the token (401)');
    const finished = await b.rows<{ slice: string }>(
      `select slice from soundings.cursors k join soundings.connections c on c.id = k.connection_id
        where c.settings ->> 'base_url' = $1 and k.stream = 'details'`,
      [sim.url],
    );
    expect(finished.length).toBeGreaterThan(0);
    for (const { slice } of finished) expect((await held(sim, slice))['hotspots'], slice).toBe(4);
    sim.restore('admin');
    const asked = sim.log.length;
    await expectWhole(sim);
    const again = new Set(sim.log.slice(asked).map(({ params }) => params['component']));
    expect(finished.filter(({ slice }) => again.has(slice))).toEqual([]);
  });

  it('the server goes away in mid-run and stays away: 6, and what was stored stays', async () => {
    const sim = await b.simulator({ version: '25.12', data: data(12), latencyMs: 30 });
    const running = b.startSync(sim, ['--max-concurrency', '1']);
    await requested(sim, 'hotspots/search', 4);
    await sim.faults.become('refusing');
    const ran = await running.ended;
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain('nothing listens there (connection refused)');
    expect(complaint(ran)).toContain("--header 'Authorization: Bearer ****'");
    expect((await b.rows(`select 1 from sonarqube_projects`)).length).toBeGreaterThan(0);
    await sim.faults.become('up');
    await expectWhole(sim);
  });

  it('the server restarts in mid-run: waited for, 0', async () => {
    const sim = await b.simulator({ version: '25.12', data: data(6), latencyMs: 30 });
    const running = b.startSync(sim, ['--max-concurrency', '1']);
    await requested(sim, 'hotspots/search', 3);
    await sim.faults.become('refusing');
    await sim.faults.become('starting');
    await requested(sim, '', 2);
    await sim.faults.become('unauthenticated');
    await requested(sim, '', 2);
    await sim.faults.become('up');
    const ran = await running.ended;
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    expect(await incomplete(sim)).toEqual([]);
  });
});

it('no token stands anywhere', async () => {
  await b.expectNoTokens();
});
