/** Several programs at once, and a person who presses Ctrl-C: none pulls anything from under another. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findPostmaster } from '../../src/db/postmaster.ts';
import { generate, startSimulator, type Dataset, type Simulator } from '../simulator/index.ts';
import {
  bench,
  complaint,
  complaints,
  gate,
  newFolder,
  removeFolder,
  requested,
  run,
  start,
  type Bench,
} from './program.ts';

const data = (projects = 6): Dataset => generate({ projects, issuesPerProject: 30, metrics: 12, analyses: 3 });

describe('two runs at once', () => {
  let b: Bench;
  beforeAll(async () => {
    b = await bench();
  });
  afterAll(() => b.close());

  it('of one server: the second is refused, the first goes on', async () => {
    const sim = await b.simulator({ data: data() });
    const held = gate(sim, 'measures/component', 3);
    const first = b.startSync(sim);
    await held.reached;
    const asked = sim.requests('projects/search').length;
    const second = await b.sync(sim);
    expect(second.code).toBe(2);
    expect(complaint(second)).toContain(`A sync of ${sim.url} is running already; wait for it`);
    expect(sim.requests('projects/search')).toHaveLength(asked);
    await held.open();
    expect((await first.ended).code).toBe(0);
    expect((await b.sync(sim)).stdout).toContain('nothing changed (0 rows)');
  });

  it('of a server that neither knew: one of them wins, and there is one connection', async () => {
    const sim = await b.simulator({ data: data(), latencyMs: 60 });
    const codes = (await Promise.all([b.sync(sim), b.sync(sim)])).map(({ code }) => code).sort();
    // the second may also begin when the first is done
    expect([
      [0, 2],
      [0, 0],
    ]).toContainEqual(codes);
    const connections = await b.rows(`select 1 from soundings.connections where settings ->> 'base_url' = $1`, [
      sim.url,
    ]);
    expect(connections).toHaveLength(1);
    expect((await b.sync(sim)).stdout).toContain('nothing changed (0 rows)');
  });

  it('of two servers: both complete', async () => {
    const [one, other] = [
      await b.simulator({ data: data(), latencyMs: 20 }),
      await b.simulator({ data: data(), latencyMs: 20 }),
    ];
    const both = await Promise.all([b.sync(one), b.sync(other)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.flatMap(complaints)).toEqual([]);
    const rows = await b.rows(
      `select count(*)::int as issues, count(distinct project_id)::int as projects from sonarqube_issues i
         join soundings.connections c on c.id = i.connection_id where c.settings ->> 'base_url' = any($1)
        group by c.id`,
      [[one.url, other.url]],
    );
    expect(rows).toEqual([
      { issues: 180, projects: 6 },
      { issues: 180, projects: 6 },
    ]);
    await b.expectNoTokens();
  });
});

describe('on a folder whose server nobody else keeps running', () => {
  let sim: Simulator;
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await newFolder();
  });
  beforeEach(async () => {
    sim = await startSimulator({ data: data(12), version: '25.12', latencyMs: 60 });
  });
  afterEach(() => sim.close());
  afterAll(() => removeFolder(dataDir));

  const syncing = (): ReturnType<typeof start> =>
    start(['sync', '--url', sim.url, '--data-dir', dataDir], { token: sim.tokens.admin });
  const server = (): ReturnType<typeof findPostmaster> => findPostmaster(join(dataDir, 'postgres'));
  const count = async (sql: string): Promise<string> => {
    const ran = await run(['query', sql, '--format', 'csv', '--data-dir', dataDir]);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    return ran.stdout.split('\n')[1] ?? '';
  };

  it('a query during a sync is answered, and takes the database from nobody', async () => {
    const held = gate(sim, 'measures/search_history', 2);
    const running = syncing();
    await held.reached;
    expect(await count('select count(*) from sonarqube_projects')).toBe('12');
    const status = await run(['status', '--json', '--data-dir', dataDir]);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject([{ base_url: sim.url, last_run: { state: 'running' } }]);
    await held.open();
    const ran = await running.ended;
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    expect(await server()).toBeUndefined();
    expect(await count('select count(*) from sonarqube_issues')).toBe('360');
  });

  it('Ctrl-C in mid-run: 130, cleanly; the next run goes on without what was finished', async () => {
    const running = start(['sync', '--url', sim.url, '--data-dir', dataDir, '--max-concurrency', '1'], {
      token: sim.tokens.admin,
    });
    await requested(sim, 'hotspots/search', 5);
    const pressed = Date.now();
    running.child.kill('SIGINT');
    const ran = await running.ended;
    expect(Date.now() - pressed).toBeLessThan(5000);
    expect(ran.code).toBe(130);
    expect(ran.stderr).toContain('Stopping after what is being written; press Ctrl-C again to end at once.');
    expect(complaint(ran)).toContain('[cancelled]');
    expect(ran.stdout).toContain('Stopped; what is stored stays, and the next sync goes on from there.');
    expect(await server()).toBeUndefined();

    const connection = `(select id from soundings.connections where settings ->> 'base_url' = '${sim.url}')`;
    const finished = await withFolder(
      `select slice from soundings.cursors where stream = 'details' and connection_id = ${connection}`,
    );
    expect(finished.length).toBeGreaterThan(0);
    expect(await withFolder(`select state from soundings.runs where connection_id = ${connection}`)).toEqual([
      { state: 'cancelled' },
    ]);
    const asked = sim.log.length;
    sim.latency = 0;
    expect((await syncing().ended).code).toBe(0);
    const again = new Set(sim.log.slice(asked).map(({ params }) => params['component'] ?? params['project']));
    expect(finished.filter(({ slice }) => again.has(String(slice)))).toEqual([]);
    expect(
      await withFolder(`select count(*)::int as n from sonarqube_issues where connection_id = ${connection}`),
    ).toEqual([{ n: 360 }]);
    expect(await withFolder(`select * from sonarqube_completeness where state <> 'complete'`)).toEqual([]);
  });

  it('Ctrl-C while the server does not answer: 130 at once', async () => {
    const held = gate(sim, 'measures/component', 2);
    const running = syncing();
    await held.reached;
    const pressed = Date.now();
    running.child.kill('SIGINT');
    const ran = await running.ended;
    expect(Date.now() - pressed).toBeLessThan(5000);
    expect(ran.code).toBe(130);
    await held.open();
    expect((await syncing().ended).code).toBe(0);
    expect(await server()).toBeUndefined();
  });

  it('SIGTERM, as service managers send it, is the same as Ctrl-C', async () => {
    const running = syncing();
    await requested(sim, 'measures/component', 2);
    running.child.kill('SIGTERM');
    const ran = await running.ended;
    expect(ran.code).toBe(130);
    expect(await server()).toBeUndefined();
  });

  it('killed: the next run joins or clears what was left, says the run was abandoned, and completes', async () => {
    const running = syncing();
    await requested(sim, 'measures/component', 4);
    running.child.kill('SIGKILL');
    expect(await running.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await server()).toBeDefined();
    const ran = await syncing().ended;
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    const runs = await withFolder(
      `select r.state, r.error_code from soundings.runs r join soundings.connections c on c.id = r.connection_id
        where c.settings ->> 'base_url' = '${sim.url}' order by r.id`,
    );
    expect(runs).toEqual([
      { state: 'failed', error_code: 'unexpected' },
      { state: 'complete', error_code: null },
    ]);
    expect(await server()).toBeUndefined();
  });

  /** Rows as the owner sees them: the program's own tables are closed to queries. */
  async function withFolder(sql: string): Promise<Record<string, unknown>[]> {
    const { openDatabase } = await import('../../src/db/database.ts');
    const database = await openDatabase({ dataDir, poolSize: 1 });
    try {
      return (await database.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await database.close();
    }
  }
});
