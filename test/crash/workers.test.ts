/**
 * Workers that are killed and frozen, a database that restarts and networks that are cut, all at random and in mid-run: what
 * is stored in the end is what an undisturbed run stores, key by key.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serviceOn } from '../../src/app/service.testing.ts';
import { openVault } from '../../src/app/vault.ts';
import { withinStore } from '../../src/app/store.ts';
import { work } from '../../src/app/work.ts';
import { getRun, openRuns, queueRun, type Run } from '../../src/control/runs.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { findPostmaster } from '../../src/db/postmaster.ts';
import { encodeKey, newKey } from '../../src/vault/keys.ts';
import { newFolder, removeFolder, start, type Running } from '../cli/program.ts';
import { generate, seconds, startSimulator, type Simulator } from '../simulator/index.ts';
import { connect } from '../worker/rig.ts';
import { expectSame, randomFrom, stored } from './stored.ts';
import { wire, type Wire } from './wire.ts';

const KILLS = 50;
const RESTART_EVERY = 10;
const CUT_EVERY = 7;
const WORKERS = 3;
/** Printed with every failure; another one, given by the environment, gives other moments. */
const SEED = Number(process.env['SOUNDINGS_CRASH_SEED'] ?? 20_261_128);
/** Nobody waits so long but on a machine that does something else. */
const MOST_MS = 240_000;

const KEY = encodeKey(newKey());
const random = randomFrom(SEED);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;

let dataDir: string;
let database: Database;
let toServer: Wire | undefined;
let toDatabase: Wire;
const sims: Simulator[] = [];
const hired: Hand[] = [];

beforeAll(async () => {
  dataDir = await newFolder();
  database = await openDatabase({ dataDir, settings: { fsync: 'off', max_connections: '200' } });
  toDatabase = await wire(async () => {
    const postmaster = await findPostmaster(join(dataDir, 'postgres'));
    if (!postmaster) throw new Error('no server now');
    return postmaster.port;
  });
});
afterAll(async () => {
  for (const { running } of hired) running.child.kill('SIGKILL');
  await toServer?.close();
  await toDatabase.close();
  for (const sim of sims) await sim.close();
  await database.close();
  await removeFolder(dataDir);
});

/** The same server every time: same rows, same clock, so that only what workers did can differ. */
async function server(): Promise<{ sim: Simulator; change: () => void }> {
  let now = seconds('2026-01-10T12:00:00+0000');
  const sim = await startSimulator({
    version: '25.12',
    data: generate({
      version: '25.12',
      projects: 60,
      issuesPerProject: 14,
      metrics: 12,
      analyses: 2,
      neverAnalysed: 1,
    }),
    clock: () => now * 1000,
    latencyMs: 15,
  });
  sims.push(sim);
  const change = (): void => {
    now += 3600;
    const [first, second] = sim.data.projects;
    const open = first!.issues.filter(({ status }) => status === 'OPEN').map(({ key }) => key);
    for (const key of open.slice(0, 4)) sim.mutate.accept(key);
    for (const key of open.slice(4, 6)) sim.mutate.assign(key, 'developer3');
    sim.mutate.analysis(second!.key, {
      date: now - 600,
      revision: 'c0ffee',
      add: Array.from({ length: 20 }, (_, n) => ({ key: `added-${n}`, path: `src/New${n % 7}.java`, line: n + 1 })),
      close: second!.issues.filter(({ status }) => status === 'OPEN').map(({ key }) => key),
    });
  };
  return { sim, change };
}

// ---------------------------------------------------------------------------------------------------- workers and runs

interface Hand {
  running: Running;
  /** What it calls itself, once it has said so. */
  name: string | null;
  frozen: boolean;
}

/** Every other one reaches the database over a wire that is cut now and then, the others as processes on one folder do. */
function hire(n: number): Hand {
  const { user, password, database: name } = database.logins!.owner;
  const url = `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${toDatabase.port}/${name}`;
  const where = n % 2 === 0 ? ['--database', url] : ['--data-dir', dataDir];
  const running = start(['worker', '--slots', '2', ...where], {
    held: true,
    env: { SOUNDINGS_KEY: KEY, SOUNDINGS_LOG_LEVEL: 'warn' },
  });
  const hand: Hand = { running, name: null, frozen: false };
  running.until(/Worker (\S+) runs/).then(
    ([, found]) => (hand.name = found ?? null),
    () => undefined, // it was killed before
  );
  running.ended.catch(() => undefined);
  hired.push(hand);
  return hand;
}

const isGone = ({ running: { child } }: Hand): boolean => child.exitCode !== null || child.signalCode !== null;

/** What this process asks the database itself, which restarts now and then. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + MOST_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > until) throw error;
      await delay(100);
    }
  }
}

async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + MOST_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`seed ${SEED}: ${what} has not come to pass`);
    await delay(100);
  }
}

const openOf = (connection: number): Promise<Run[]> => asked(() => openRuns(database, connection));
const queued = (connection: number): Promise<number> =>
  asked(async () => {
    const wanted = { version: 'test', trigger: 'api', requested: { full: true } };
    return (await queueRun(database, connection, wanted)).id;
  });

async function ended(run: number): Promise<Run | null> {
  const state = async (): Promise<string | undefined> => (await asked(() => getRun(database, run)))?.state;
  await until(`the end of run ${run}`, async () => !['queued', 'running'].includes((await state()) ?? ''));
  return asked(() => getRun(database, run));
}

// ---------------------------------------------------------------------------------------------------- the test

it(
  `${KILLS} workers killed, others frozen, their database restarted and their networks cut`,
  { timeout: 900_000 },
  async () => {
    const store = await withinStore(database);
    const service = serviceOn(store, { vault: await openVault(store, { inline: KEY, file: join(dataDir, 'unused') }) });
    const { signal } = new AbortController();

    // undisturbed: what is to be stored in the end
    const calm = await server();
    const calmId = await connect(service, calm.sim);
    const read = async (): Promise<void> => {
      const run = await queued(calmId);
      while ((await work(service, run, { worker: 'calm', signal })).state !== 'done');
      expect(await getRun(database, run)).toMatchObject({ state: 'complete', shortfalls: [] });
    };
    await read();
    calm.change();
    await read();
    const wanted = await stored(database, calm.sim.url);

    const { sim, change } = await server();
    const way = await wire(() => Promise.resolve(Number(new URL(sim.url).port)));
    toServer = way;
    const baseUrl = `http://127.0.0.1:${way.port}`;
    const connection = await connect(service, sim, { base_url: baseUrl });
    const hands = Array.from({ length: WORKERS }, (_, n) => hire(n));

    const blows = { kill: 0, freeze: 0, restart: 0, cut: 0, runs: 0 };
    const dealt = (): number => blows.kill + blows.freeze;
    /** As if the time of its leases had passed: also of a worker that is alive and does not know. */
    const lapse = async ({ name }: Hand): Promise<void> => {
      const sql = `update soundings.slices set lease_until = now() - interval '1 second' where worker = $1 and state = 'held'`;
      await asked(() => database.query(sql, [name]));
    };
    const restart = async (): Promise<void> => {
      const postmaster = await findPostmaster(join(dataDir, 'postgres'));
      if (!postmaster) return;
      process.kill(postmaster.pid, pick(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const));
      blows.restart += 1;
      await until('the end of the server', async () => {
        return (await findPostmaster(join(dataDir, 'postgres')).catch(() => undefined))?.pid !== postmaster.pid;
      });
    };
    const cut = async (): Promise<void> => {
      const which = pick([way, toDatabase]);
      which.cut(pick(['broken', 'silent'] as const));
      blows.cut += 1;
      await delay(500 + random() * 2500);
      which.mend();
    };

    let changed = false;
    let restarts = 0;
    let cuts = 0;
    const others = new Set<Promise<void>>();
    const beside = (doing: Promise<void>): void => {
      others.add(doing);
      void doing.finally(() => others.delete(doing)).catch(() => undefined);
    };
    while (blows.kill < KILLS) {
      for (const [n, hand] of hands.entries()) if (isGone(hand)) hands[n] = hire(n);
      if ((await openOf(connection)).length === 0) {
        if (!changed && blows.kill > KILLS / 2) {
          change();
          changed = true;
        }
        await queued(connection);
        blows.runs += 1;
      }
      await delay(random() * 1200);
      const n = Math.floor(random() * WORKERS);
      const hand = hands[n]!;
      // one that has just been hired gets the time to begin: what is killed at its start does no work
      if (hand.name === null && random() < 0.7) continue;
      if (hand.frozen || isGone(hand)) continue;
      const { child } = hand.running;
      if (random() < 0.75) {
        child.kill('SIGKILL');
        blows.kill += 1;
        await hand.running.ended;
        if (random() < 0.7) await lapse(hand);
      } else {
        child.kill('SIGSTOP');
        hand.frozen = true;
        blows.freeze += 1;
        if (random() < 0.7) await lapse(hand);
        beside(
          delay(300 + random() * 4000).then(() => {
            child.kill('SIGCONT');
            hand.frozen = false;
          }),
        );
      }
      if (dealt() >= (restarts + 1) * RESTART_EVERY) {
        restarts += 1;
        await restart();
      } else if (dealt() >= (cuts + 1) * CUT_EVERY) {
        cuts += 1;
        beside(cut());
      }
    }
    await Promise.all(others);
    for (const [n, hand] of hands.entries()) if (isGone(hand)) hands[n] = hire(n);
    for (const hand of hands) await lapse(hand);
    // nobody is at work under the names of the dead: their time has passed
    await asked(() =>
      database.query(`update soundings.slices set lease_until = now() where state = 'held' and worker <> all ($1)`, [
        hands.map(({ name }) => name ?? ''),
      ]),
    );
    for (const { id } of await openOf(connection)) await ended(id);
    if (!changed) change();

    const last = await ended(await queued(connection));
    const report = `seed ${SEED}, ${JSON.stringify(blows)}`;
    expect(last, report).toMatchObject({ state: 'complete', mode: 'full', shortfalls: [] });
    expectSame(await asked(() => stored(database, baseUrl)), wanted);
    const { rows } = await asked(() =>
      database.query<{ state: string; n: number }>(
        'select state, count(*)::int as n from soundings.runs where connection_id = $1 group by 1',
        [connection],
      ),
    );
    expect(
      rows.filter(({ state }) => ['queued', 'running'].includes(state)),
      report,
    ).toEqual([]);
    expect(blows.restart, report).toBeGreaterThanOrEqual(5);
    expect(blows.cut, report).toBeGreaterThanOrEqual(5);

    for (const { running } of hands) running.child.kill('SIGTERM');
    for (const { running } of hands) expect(await running.ended, report).toMatchObject({ signal: null, code: 0 });
  },
);
