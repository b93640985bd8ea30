/** Runs that workers share: by slices, with the connection's stored credentials, whoever dies, freezes or is refused. */
import { expect, test } from 'vitest';
import { serviceOn } from '../../src/app/service.testing.ts';
import type { Service } from '../../src/app/service.ts';
import type { StoredSettings } from '../../src/app/settings.ts';
import { inSlices } from '../../src/app/shift.ts';
import { work, type Turn } from '../../src/app/work.ts';
import { createConnection, getConnection, type Connection } from '../../src/control/connections.ts';
import { insertCredential, listCredentials, nextCredentialId } from '../../src/control/credentials.ts';
import { cancelRun, getRun, queueRun, type Run } from '../../src/control/runs.ts';
import { enterSlice, isLostSlice, LEASE_S, leaveSlice, takeSlice } from '../../src/control/slices.ts';
import { actions, generate, type TokenName } from '../simulator/index.ts';
import { expectEqual, rig, type Rig } from './rig.ts';

const LONG = { timeout: 60_000, interval: 20 };

interface Setup extends AsyncDisposable {
  readonly r: Rig;
  readonly service: Service;
  readonly connection: Connection;
  /** Queues a run of the connection. */
  readonly queue: () => Promise<Run>;
  /** Turns of one worker until the run has ended. */
  readonly toTheEnd: (run: Run, worker?: string) => Promise<number>;
}

async function setup(
  data: ReturnType<typeof generate>,
  {
    tokens = ['admin'],
    settings = {},
    latencyMs = 0,
  }: { tokens?: readonly TokenName[]; settings?: Partial<StoredSettings>; latencyMs?: number } = {},
): Promise<Setup> {
  const r = await rig({ version: '25.12', data, latencyMs });
  const { database } = r.store;
  const service = serviceOn(r.store);
  const connection = await createConnection(database, { base_url: r.sim.url, ...settings });
  for (const name of tokens) {
    const id = await nextCredentialId(database);
    const place = { connection: connection.id, credential: id, field: 'api_token' };
    await insertCredential(database, {
      id,
      connection_id: connection.id,
      label: name,
      settings: {},
      secrets: { api_token: service.vault.seal(r.sim.tokens[name], place) },
      expiration_date: null,
      access: {},
      token_type: 'user',
      server_version: null,
      warnings: [],
    });
  }
  return {
    r,
    service,
    connection,
    queue: () => queueRun(database, connection.id, { version: 'test', trigger: 'api', requested: {} }),
    toTheEnd: async (run, worker = 'one') => {
      let turn: Turn;
      let slices = 0;
      do {
        turn = await work(service, run.id, { worker, signal: new AbortController().signal });
        slices += turn.slices;
      } while (turn.state !== 'done');
      return slices;
    },
    [Symbol.asyncDispose]: () => r[Symbol.asyncDispose](),
  };
}

const small = (projects: number, seed: number): ReturnType<typeof generate> =>
  generate({ projects, issuesPerProject: 6, hotspots: projects, analyses: 2, seed });

const tokensAsked = ({ sim }: Rig): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { token } of sim.log) if (token !== undefined) counts[token] = (counts[token] ?? 0) + 1;
  return counts;
};

test('a queued run is read with the stored token and ends complete; the next one finds nothing new', async () => {
  await using s = await setup(small(30, 31));
  const run = await s.queue();
  expect(await s.toTheEnd(run)).toBe(4); // the plan, 25 projects, 5 projects, the end
  const ended = await getRun(s.r.store.database, run.id);
  expect(ended).toMatchObject({ state: 'complete', mode: 'full', error_code: null, shortfalls: [] });
  expect(ended?.progress).toMatchObject({ phase: 'done', projects: { done: 30, total: 30 }, concurrency: null });
  expect(ended?.progress.requests).toBe(s.r.sim.log.length);
  await expectEqual(s.r);
  expect(await s.toTheEnd(run)).toBe(0);

  const second = await s.queue();
  await s.toTheEnd(second);
  const again = await getRun(s.r.store.database, second.id);
  expect(again).toMatchObject({ state: 'complete', mode: 'incremental' });
  expect(
    Object.values(again?.progress.streams ?? {}).map(({ added, changed, gone }) => added + changed + gone),
  ).toEqual(Object.values(again?.progress.streams ?? {}).map(() => 0));
});

test('two workers share a run, and together ask no more at once than the connection allows', async () => {
  await using s = await setup(small(120, 32), { settings: { max_concurrency: 3 }, latencyMs: 10 });
  const run = await s.queue();
  const [one, two] = await Promise.all([s.toTheEnd(run, 'one'), s.toTheEnd(run, 'two')]);
  expect(one).toBeGreaterThan(0);
  expect(two).toBeGreaterThan(0);
  expect(one + two).toBe(7);
  expect(await getRun(s.r.store.database, run.id)).toMatchObject({ state: 'complete' });
  await expectEqual(s.r);
  // each counts the other from its next look on, half a second later at most
  expect(s.r.sim.peak).toBeLessThanOrEqual(6);
});

test('a worker that is stopped gives its slices back at once, and another one ends the run', async () => {
  await using s = await setup(small(25, 33), { latencyMs: 5 });
  const { database } = s.r.store;
  const run = await s.queue();
  // it waits for an answer when it is told to stop
  const stop = new AbortController();
  s.r.sim.faults.on(({ path }) => (path === '/api/issues/search' && !stop.signal.aborted ? actions.hang() : undefined));
  const turn = work(s.service, run.id, { worker: 'stopped', signal: stop.signal });
  turn.catch(() => undefined);
  await expect.poll(() => s.r.sim.requests('issues/search').length, LONG).toBeGreaterThan(0);
  stop.abort();
  expect(await turn).toMatchObject({ state: 'more' });

  await s.toTheEnd(run, 'next');
  await expectEqual(s.r);
  expect(await getRun(database, run.id)).toMatchObject({ state: 'complete' });
});

test('a lapsed slice changes hands: its transactions fail from then on, and a lapse without a commit is counted', async () => {
  await using s = await setup(small(3, 34));
  const { database } = s.r.store;
  const run = await s.queue();
  const stop = new AbortController();
  stop.abort();
  await work(s.service, run.id, { worker: 'nobody', signal: stop.signal }); // begins the run, and takes nothing
  const first = await takeSlice(database, run.id, 'first');
  expect(first).toMatchObject({ kind: 'plan', lapses: 0 });
  if (!first) return;
  expect(await takeSlice(database, run.id, 'second')).toBeNull();
  const lapse = (): Promise<unknown> =>
    database.query(`update soundings.slices set lease_until = now() - interval '1 second' where run_id = $1`, [run.id]);
  await lapse();
  const second = await takeSlice(database, run.id, 'second');
  expect(second).toMatchObject({ number: 0, epoch: first.epoch + 1, lapses: 1 });
  if (!second) return;
  const entering = database.transaction((client) => enterSlice(client, first));
  expect(isLostSlice(await entering.catch((error: unknown) => error))).toBe(true);
  await database.transaction(async (client) => {
    await enterSlice(client, second);
    await leaveSlice(client, second, { done: ['a'], shortfalls: [] });
  });
  await lapse();
  // whoever committed something had not been ended by the slice
  expect(await takeSlice(database, run.id, 'third')).toMatchObject({ done: ['a'], lapses: 1 });

  // while a transaction is open its slice is not taken over, however long ago the lease lapsed
  await database.query(`update soundings.slices set state = 'waiting' where run_id = $1`, [run.id]);
  const held = await takeSlice(database, run.id, 'fourth');
  await database.transaction(async (client) => {
    if (held) await enterSlice(client, held);
    expect(LEASE_S).toBeGreaterThan(0);
    await client.query('select 1');
    const blocked = await takeSlice(database, run.id, 'fifth');
    expect(blocked).toBeNull();
  });
});

test('a holder that vanished: the next one goes on behind what was committed, and asks for none of it again', async () => {
  await using s = await setup(small(25, 35));
  const { database } = s.r.store;
  const run = await s.queue();
  // the worker's connection to the server breaks for good in the last slice: as if it had been killed there
  let finishing = false;
  s.r.sim.faults.on(() => (finishing ? actions.hang() : undefined));
  const killed = new AbortController();
  const turn = work(s.service, run.id, { worker: 'killed', signal: killed.signal });
  await expect
    .poll(async () => {
      const { rows } = await database.query<{ done: number }>(
        `select coalesce(sum(cardinality(done)), 0)::int as done from soundings.slices where run_id = $1`,
        [run.id],
      );
      finishing = (rows[0]?.done ?? 0) > 0 || finishing;
      return rows[0]?.done;
    }, LONG)
    .toBe(25);
  killed.abort();
  await turn;
  finishing = false;
  s.r.requests();
  await s.toTheEnd(run, 'next');
  expect(await getRun(database, run.id)).toMatchObject({ state: 'complete' });
  expect(s.r.requests()['measures/component']).toBeUndefined();
  await expectEqual(s.r);
});

test('cancelled in mid-run: it ends at once, what was stored stays, and the next run goes on', async () => {
  await using s = await setup(small(60, 36), { latencyMs: 20 });
  const { database } = s.r.store;
  const run = await s.queue();
  const turn = work(s.service, run.id, { worker: 'one', signal: new AbortController().signal });
  await expect.poll(() => s.r.sim.log.length, LONG).toBeGreaterThan(20);
  await cancelRun(database, run.id);
  expect(await turn).toMatchObject({ state: 'done' });
  expect(await getRun(database, run.id)).toMatchObject({ state: 'cancelled', error_code: 'cancelled' });
  const next = await s.queue();
  await s.toTheEnd(next);
  expect(await getRun(database, next.id)).toMatchObject({ state: 'complete' });
  await expectEqual(s.r);
});

test('two credentials share the requests; one that is revoked in mid-run is set aside, and the run goes on', async () => {
  await using s = await setup(small(120, 37), { tokens: ['admin', 'expiring'], latencyMs: 5 });
  const { database } = s.r.store;
  const run = await s.queue();
  await s.toTheEnd(run);
  const shared = tokensAsked(s.r);
  expect(shared['admin']).toBeGreaterThan(50);
  expect(shared['expiring']).toBeGreaterThan(50);

  const second = await queueRun(database, s.connection.id, {
    version: 'test',
    trigger: 'api',
    requested: { full: true },
  });
  const turn = s.toTheEnd(second);
  const before = s.r.sim.log.length;
  await expect.poll(() => s.r.sim.log.slice(before).some(({ token }) => token === 'expiring'), LONG).toBe(true);
  s.r.sim.revoke('expiring');
  await turn;
  expect(await getRun(database, second.id)).toMatchObject({ state: 'complete', error_code: null });
  await expectEqual(s.r);
  const [, refused] = await listCredentials(database, s.connection.id);
  expect(refused).toMatchObject({ label: 'expiring', disabled_at: null });
  expect(refused?.refused_at).not.toBeNull();

  // refused again a minute later: now it is believed
  await database.query(
    `update soundings.credentials set refused_at = now() - interval '61 seconds' where label = 'expiring'`,
  );
  const third = await queueRun(database, s.connection.id, {
    version: 'test',
    trigger: 'api',
    requested: { full: true },
  });
  await s.toTheEnd(third);
  expect(await getRun(database, third.id)).toMatchObject({ state: 'complete' });
  const after = await listCredentials(database, s.connection.id);
  expect(after.map(({ label, disabled_at }) => [label, disabled_at !== null])).toEqual([
    ['admin', false],
    ['expiring', true],
  ]);
});

test('a refused credential does not cut off what is read beside it with another', async () => {
  await using s = await setup(small(50, 38), { tokens: ['admin', 'revoked'], latencyMs: 5 });
  const run = await s.queue();
  let turn: Turn;
  do turn = await work(s.service, run.id, { worker: 'one', signal: new AbortController().signal });
  while (turn.state !== 'done');
  expect(await getRun(s.r.store.database, run.id)).toMatchObject({ state: 'complete' });
  // not one request of the good token ended without its answer
  const admin = s.r.sim.log.filter(({ token }) => token === 'admin');
  expect(admin.filter(({ status }) => status !== 200)).toEqual([]);
  await expectEqual(s.r);
});

test('the last credential refused twice, a minute apart, disables the connection with the reason; the data stays', async () => {
  await using s = await setup(small(2, 39));
  const { database } = s.r.store;
  await s.toTheEnd(await s.queue());
  s.r.sim.revoke('admin');
  const once = await s.queue();
  await s.toTheEnd(once);
  expect(await getRun(database, once.id)).toMatchObject({ state: 'failed', error_code: 'invalid_credentials' });
  expect(await getConnection(database, s.connection.id)).toMatchObject({ disabled_at: null });
  await database.query(`update soundings.credentials set refused_at = now() - interval '61 seconds'`);
  const twice = await s.queue();
  await s.toTheEnd(twice);
  expect(await getRun(database, twice.id)).toMatchObject({ state: 'failed', error_code: 'invalid_credentials' });
  expect(await getConnection(database, s.connection.id)).toMatchObject({ disabled_by: 'soundings' });
  expect((await getConnection(database, s.connection.id))?.disabled_reason).toContain('401');
  s.r.sim.restore('admin');
  await expectEqual(s.r);
});

test('access browse: a token without Administer System reads what it may browse, from a list or from named keys', async () => {
  await using s = await setup(small(4, 40), { tokens: ['viewer'], settings: { access: 'browse' } });
  const run = await s.queue();
  await s.toTheEnd(run);
  expect(await getRun(s.r.store.database, run.id)).toMatchObject({ state: 'complete' });
  await expectEqual(s.r);
  expect(s.r.requests()['projects/search']).toBeUndefined();

  const named = s.r.sim.data.projects.slice(0, 2).map(({ key }) => key);
  await using t = await setup(small(4, 40), { tokens: ['viewer'], settings: { access: 'browse', projects: named } });
  const other = await t.queue();
  await t.toTheEnd(other);
  expect(await getRun(t.r.store.database, other.id)).toMatchObject({ state: 'complete' });
  const rows = await t.r.rows<{ key: string }>('select source_key as key from sonarqube_projects order by 1');
  expect(rows.map(({ key }) => key)).toEqual([...named].sort());
  const asked = t.r.requests();
  expect([asked['projects/search'], asked['components/search']]).toEqual([undefined, undefined]);
});

test('"soundings sync" of a server that workers are at work on is refused with the way out', async () => {
  await using s = await setup(small(3, 41));
  const run = await s.queue();
  const stop = new AbortController();
  stop.abort();
  await work(s.service, run.id, { worker: 'one', signal: stop.signal });
  await expect(s.r.sync()).rejects.toMatchObject({ code: 'invalid_arguments' });
  await s.toTheEnd(run);
  await expect(s.r.sync()).resolves.toMatchObject({ state: 'complete', changes: 0 });
});

test('slices hold 25 projects and what is known of their rows, and a large project has one of its own', () => {
  const project = (rows: number): Parameters<typeof inSlices>[0][number] => ({
    ref: { key: 'k', fingerprint: '', notes: {} },
    modes: {},
    earlier: null,
    rows,
  });
  expect(inSlices([])).toEqual([]);
  expect(inSlices(Array.from({ length: 60 }, () => project(10))).map(({ length }) => length)).toEqual([25, 25, 10]);
  expect(inSlices([10, 50_000, 10, 10].map(project)).map(({ length }) => length)).toEqual([1, 1, 2]);
});
