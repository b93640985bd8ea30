/**
 * Power cuts for the program and for its database: killed at random moments and started again until it ends, it leaves
 * the same rows as an undisturbed run, none missing and none twice.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { findPostmaster } from '../../src/db/postmaster.ts';
import { complaint, gate, newFolder, removeFolder, start, type Ran } from '../cli/program.ts';
import { generate, seconds, startSimulator, type GenerateOptions, type Simulator } from '../simulator/index.ts';
import { expectSame, randomFrom, stored, type Stored } from './stored.ts';

const KILLS = 50;
const SERVER_KILLS = 6;
/** Printed with every failure; another one, given by the environment, gives other moments. */
const SEED = Number(process.env['SOUNDINGS_CRASH_SEED'] ?? 20_261_122);

const SMALL: GenerateOptions = { projects: 5, issuesPerProject: 90, metrics: 20, analyses: 4, neverAnalysed: 1 };
const LARGE: GenerateOptions = {
  ...{ projects: 2, issuesPerProject: (project) => (project === 0 ? 21_000 : 40), metrics: 30, analyses: 3 },
  ...{ neverAnalysed: 0, closed: 0, resolved: 0 },
};

let dataDir: string;
const sims: Simulator[] = [];
beforeAll(async () => {
  dataDir = await newFolder();
});
afterAll(async () => {
  for (const sim of sims) await sim.close();
  await removeFolder(dataDir);
});

/** The same server every time: same rows, same clock, so that only what the program did can differ. */
async function server(options: GenerateOptions = SMALL): Promise<{ sim: Simulator; change: () => void }> {
  let now = seconds('2026-01-10T12:00:00+0000');
  const sim = await startSimulator({
    version: '25.12',
    data: generate({ ...options, version: '25.12' }),
    clock: () => now * 1000,
    latencyMs: 20,
  });
  sims.push(sim);
  const change = (): void => {
    now += 3600;
    const [first, second, third] = sim.data.projects;
    const open = first!.issues.filter(({ status }) => status === 'OPEN').map(({ key }) => key);
    for (const key of open.slice(0, 12)) sim.mutate.accept(key);
    for (const key of open.slice(12, 20)) sim.mutate.assign(key, 'developer3');
    for (const key of open.slice(20, 25)) sim.mutate.tag(key, ['crash', 'convention']);
    sim.mutate.analysis(second!.key, {
      date: now - 600,
      revision: 'c0ffee',
      add: Array.from({ length: 40 }, (_, n) => ({ key: `added-${n}`, path: `src/New${n % 7}.java`, line: n + 1 })),
      close: second!.issues
        .filter(({ status }) => status === 'OPEN')
        .slice(0, 15)
        .map(({ key }) => key),
    });
    sim.mutate.analysis(third!.key, { date: now - 300, revision: 'decaf' });
  };
  return { sim, change };
}

// ---------------------------------------------------------------------------------------------------- what is stored

/** What the ledger says of a server, and how its runs ended. */
async function expectSettled(database: Database, sim: Simulator, issues: number): Promise<void> {
  const of = `(select id from soundings.connections where settings ->> 'base_url' = $1)`;
  const { rows: open } = await database.query(
    `select stream, project, state, reason from sonarqube_completeness where connection_id = ${of} and state <> 'complete'`,
    [sim.url],
  );
  expect(open).toEqual([]);
  const { rows: runs } = await database.query<{ states: string[] }>(
    `select array_agg(state order by id) as states from soundings.runs where connection_id = ${of}`,
    [sim.url],
  );
  expect(runs[0]?.states.at(-1)).toBe('complete');
  expect(runs[0]?.states).not.toContain('running');
  const { rows: counts } = await database.query(
    `select count(*)::int as rows, count(distinct source_key)::int as keys from sonarqube_issues
      where connection_id = ${of} and deleted_at is null`,
    [sim.url],
  );
  expect(counts).toEqual([{ rows: issues, keys: issues }]);
}

const issuesOf = ({ data }: Simulator): number => data.projects.reduce((sum, { issues }) => sum + issues.length, 0);

async function withDatabase<T>(use: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase({ dataDir, poolSize: 2 });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

// ---------------------------------------------------------------------------------------------------- running and killing

interface Started {
  readonly child: ReturnType<typeof start>['child'];
  readonly ended: Promise<Ran>;
  /** Resolves with the first request, or with the end. */
  readonly begun: Promise<unknown>;
}

function sync(sim: Simulator): Started {
  const asked = Promise.withResolvers<undefined>();
  const off = sim.faults.on(() => {
    asked.resolve(undefined);
    return undefined;
  });
  const { child, ended } = start(['sync', '--url', sim.url, '--data-dir', dataDir], { token: sim.tokens.admin });
  const begun = Promise.race([asked.promise, ended]).finally(() => {
    off();
  });
  begun.catch(() => undefined);
  return { child, ended, begun };
}

/** An undisturbed run: what it leaves, and how many milliseconds it takes from its first request on. */
async function undisturbed(sim: Simulator): Promise<{ rows: Stored; ms: number }> {
  const { ended, begun } = sync(sim);
  await begun;
  const from = Date.now();
  const ran = await ended;
  const ms = Date.now() - from;
  expect(ran.code, ran.stderr).toBe(0);
  return { rows: await withDatabase((database) => stored(database, sim.url)), ms };
}

/** Starts and kills until a run ends by itself; gives the number of kills. */
async function killUntilDone(sim: Simulator, ms: number, random: () => number): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    const { child, ended, begun } = sync(sim);
    // one in eight while it starts, the others from the first request on
    const startup = random() < 1 / 8;
    // on a busy machine a run takes longer than the undisturbed one did: what was killed often gets more time
    const moment = random() * (startup ? 1200 : ms * (1 + kills / 4));
    if (!startup) await begun;
    await Promise.race([delay(moment), ended]);
    child.kill('SIGKILL');
    const ran = await ended;
    if (ran.signal === null) {
      expect(ran.code, `seed ${SEED}: ${ran.stderr}`).toBe(0);
      return kills;
    }
  }
}

/** What undisturbed runs leave: of a new server, and after it changed. */
let first: { rows: Stored; ms: number };
let second: { rows: Stored; ms: number };
beforeAll(async () => {
  const { sim, change } = await server();
  first = await undisturbed(sim);
  change();
  second = await undisturbed(sim);
  expect(second.rows.get('sonarqube_issue_events')).not.toEqual([]);
  expect(second.rows.get('sonarqube_issues')).toHaveLength(issuesOf(sim));
  await withDatabase((database) => expectSettled(database, sim, issuesOf(sim)));
}, 120_000);

it(`${KILLS} kills at random moments, two programs at a time on one folder`, { timeout: 400_000 }, async () => {
  let kills = 0;
  let rounds = 0;
  const chain = async (random: () => number): Promise<void> => {
    while (kills < KILLS) {
      rounds += 1;
      const { sim, change } = await server();
      kills += await killUntilDone(sim, first.ms, random);
      await withDatabase(async (database) => {
        expectSame(await stored(database, sim.url), first.rows);
        await expectSettled(database, sim, issuesOf(sim));
      });
      change();
      kills += await killUntilDone(sim, second.ms, random);
      await withDatabase(async (database) => {
        expectSame(await stored(database, sim.url), second.rows);
        await expectSettled(database, sim, issuesOf(sim));
      });
    }
  };
  await Promise.all([1, 2].map((n) => chain(randomFrom(SEED + n))));
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  expect(rounds).toBeGreaterThan(1);
});

it('kills in the middle of a large project, which is gone on with where it was', { timeout: 300_000 }, async () => {
  const whole = await server(LARGE);
  const { rows } = await undisturbed(whole.sim);
  const pages = whole.sim.requests('issues/search').length;
  const { sim } = await server(LARGE);
  // held near its end until the place to go on from is stored; then killed again, soon after it went on
  for (const page of [pages - 5, 8]) {
    const held = gate(sim, 'issues/search', page);
    const { child, ended } = sync(sim);
    await held.reached;
    await withDatabase(async (database) => {
      const sql = `select from soundings.cursors where stream = 'issues' and cursor ? 'resumeFrom'`;
      while ((await database.query(sql)).rowCount === 0) await delay(50);
    });
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    await held.open();
  }
  const before = sim.requests('issues/search').length;
  expect(await sync(sim).ended).toMatchObject({ code: 0 });
  expect(sim.requests('issues/search').length - before).toBeLessThan(pages - 10);
  await withDatabase(async (database) => {
    expectSame(await stored(database, sim.url), rows);
    await expectSettled(database, sim, 21_040);
  });
});

it(`${SERVER_KILLS} kills of the database itself`, { timeout: 300_000 }, async () => {
  const random = randomFrom(SEED);
  const cluster = join(dataDir, 'postgres');
  for (let kills = 0; kills < SERVER_KILLS;) {
    const { sim } = await server();
    for (let done = false; !done;) {
      const { child, ended, begun } = sync(sim);
      await begun;
      if (kills < SERVER_KILLS) await Promise.race([delay(random() * first.ms), ended]);
      const postmaster = child.exitCode === null && kills < SERVER_KILLS ? await findPostmaster(cluster) : undefined;
      if (postmaster) {
        kills += 1;
        process.kill(postmaster.pid, 'SIGKILL');
      }
      const ran = await ended;
      done = ran.code === 0;
      if (!done) {
        expect(postmaster, ran.stderr).toBeDefined();
        expect(ran.code, ran.stderr).toBe(1);
        expect(complaint(ran)).toContain('[database_unavailable]');
      }
    }
    await withDatabase(async (database) => {
      expectSame(await stored(database, sim.url), first.rows);
      await expectSettled(database, sim, issuesOf(sim));
    });
  }
  expect(await findPostmaster(cluster)).toBeUndefined();
});
