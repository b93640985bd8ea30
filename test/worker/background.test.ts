/** Runs go to their end by themselves: by queue, schedule and several workers, in a fair order, one run a connection. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Queue } from '../../src/app/queue.ts';
import { tick } from '../../src/app/scheduler.ts';
import { UNOBSERVED } from '../../src/app/observer.ts';
import { cancelRun } from '../../src/control/runs.ts';
import { forgetRuns } from '../../src/control/schedules.ts';
import { actions, generate } from '../simulator/index.ts';
import { workerRig, type Tenant, type WorkerRig } from './rig.ts';

const LONG = { timeout: 60_000, interval: 50 };

const data = (projects: number, seed: number): ReturnType<typeof generate> =>
  generate({ projects, issuesPerProject: 4, hotspots: projects, analyses: 1, seed });

let r: WorkerRig;
beforeAll(async () => {
  r = await workerRig();
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const ended = async (id: number, state = 'complete'): Promise<void> => {
  await expect.poll(async () => (await r.run(id)).state, LONG).toBe(state);
};
const set = async ({ connection }: Tenant, sql: string): Promise<unknown> =>
  r.service.store.database.query(`update soundings.connections set ${sql} where id = $1`, [connection]);

test('a run that is asked for is taken up and read to its end, and says by whom', async () => {
  const tenant = await r.tenant({ data: data(3, 1) });
  const going = r.start();
  const id = await r.queue(tenant);
  await ended(id);
  expect(await r.run(id)).toMatchObject({ worker: going.name, progress: { projects: { done: 3, total: 3 } } });
  await going.close();
});

test('small runs end while a large one is under way, though it has come first and has many slices', async () => {
  const large = await r.tenant({ data: data(400, 2), latencyMs: 20 });
  const going = r.start({ slots: 1, quantumMs: 300 });
  const first = await r.queue(large);
  await expect.poll(() => large.sim.log.length, LONG).toBeGreaterThan(20);
  const small = await Promise.all([3, 4, 5].map((seed) => r.tenant({ data: data(2, seed) })));
  for (const id of await Promise.all(small.map((tenant) => r.queue(tenant)))) await ended(id);
  expect((await r.run(first)).state).toBe('running');
  await cancelRun(r.service.store.database, first);
  await ended(first, 'cancelled');
  await going.close();
});

test('a run that two processes are at work on is shared, and a connection has one run at a time', async () => {
  // slow enough that the second worker comes to it on a quick machine too
  const tenant = await r.tenant({ data: data(130, 6), latencyMs: 60 }, { max_concurrency: 4 });
  const [one, two] = [r.start({ quantumMs: 500 }), r.start({ quantumMs: 500 })];
  const first = await r.queue(tenant);
  await expect.poll(async () => (await r.run(first)).state, LONG).toBe('running');
  const second = await r.queue(tenant);
  const workers = new Set<string>();
  await expect
    .poll(async () => {
      const { rows } = await r.service.store.database.query<{ worker: string | null; run_id: number }>(
        'select distinct worker, run_id from soundings.slices where worker is not null and run_id = any($1)',
        [[first, second]],
      );
      for (const { worker, run_id } of rows) if (worker !== null && run_id === first) workers.add(worker);
      const states = [(await r.run(first)).state, (await r.run(second)).state];
      expect(states.filter((state) => state === 'running').length).toBeLessThanOrEqual(1);
      return states;
    }, LONG)
    .toEqual(['complete', 'complete']);
  expect([...workers].sort()).toEqual([one.name, two.name].sort());
  expect((await r.run(second)).mode).toBe('incremental');
  await Promise.all([one.close(), two.close()]);
});

test('cancelled while it waits and while it is read: both end, and nothing more is asked of the server', async () => {
  const tenant = await r.tenant({ data: data(30, 7), latencyMs: 5 });
  const waiting = await r.queue(tenant);
  expect(await cancelRun(r.service.store.database, waiting)).toMatchObject({ state: 'cancelled' });
  let hung = false;
  tenant.sim.faults.on(({ path }) => {
    if (path !== '/api/issues/search') return undefined;
    hung = true;
    return actions.hang();
  });
  const going = r.start();
  const id = await r.queue(tenant);
  await expect.poll(() => hung, LONG).toBe(true);
  await cancelRun(r.service.store.database, id);
  await ended(id, 'cancelled');
  const asked = tenant.sim.log.length;
  await going.close();
  expect(tenant.sim.log.length).toBe(asked);
});

test('a worker that is told to stop leaves its run at once, and the next one ends it', async () => {
  const tenant = await r.tenant({ data: data(60, 8), latencyMs: 10 });
  const first = r.start();
  const id = await r.queue(tenant);
  await expect.poll(() => tenant.sim.log.length, LONG).toBeGreaterThan(20);
  await first.close();
  expect((await r.run(id)).state).toBe('running');
  const next = r.start();
  await ended(id);
  expect((await r.run(id)).worker).toBe(next.name);
  await next.close();
});

test('the scheduler queues what is due once, whatever was missed, and nothing of what is disabled or by hand', async () => {
  const queue = await Queue.open(r.service.store.database, UNOBSERVED.log);
  const tenant = await r.tenant({ data: data(1, 9) }, { schedule: 'every 1 h' });
  const byHand = await r.tenant({ data: data(1, 10) });
  const planned = async (): Promise<number> => {
    const { rows } = await r.service.store.database.query<{ at: string }>(
      'select next_run_at as at from soundings.connections where id = $1',
      [tenant.connection],
    );
    return Date.parse(rows[0]?.at ?? '');
  };
  const settle = async (state = 'complete'): Promise<void> => {
    await r.service.store.database.query(
      `update soundings.runs set state = $2, started_at = now(), ended_at = now() where connection_id = $1 and ended_at is null`,
      [tenant.connection, state],
    );
  };
  const asked = async (): Promise<number> => {
    // two at once, as of two processes of which one was frozen
    await Promise.all([tick(r.service, queue), tick(r.service, queue)]);
    return (await r.runsOf(tenant)).length;
  };
  try {
    expect(await asked()).toBe(1); // never synced: at once
    expect((await r.runsOf(tenant))[0]).toMatchObject({ trigger: 'schedule', state: 'queued' });
    const next = await planned();
    expect(next).toBeGreaterThan(Date.now());
    expect(next).toBeLessThanOrEqual(Date.now() + 3_600_000);
    // due, and due again, while it is under way: comes once, when it has ended
    await set(tenant, `next_run_at = now() - interval '5 hours'`);
    expect(await asked()).toBe(1);
    await r.service.store.database.query(
      `update soundings.runs set state = 'complete', started_at = now() - interval '6 hours', ended_at = now() where connection_id = $1`,
      [tenant.connection],
    );
    expect(await asked()).toBe(2);
    expect(await planned()).toBe(next);
    await settle();
    // one that was begun by hand after the time came has answered it
    await set(tenant, `next_run_at = now() - interval '1 minute'`);
    expect(await asked()).toBe(2);
    expect(await planned()).toBe(next);

    await set(tenant, `next_run_at = now() - interval '1 minute', disabled_at = now()`);
    await r.service.store.database.query(
      `update soundings.runs set started_at = now() - interval '2 hours', queued_at = now() - interval '2 hours' where connection_id = $1`,
      [tenant.connection],
    );
    expect(await asked()).toBe(2);
    await set(tenant, 'disabled_at = null');
    expect(await asked()).toBe(3);
    await settle('failed');
    // another schedule counts at once, and is no reason to sync
    await set(tenant, `settings = settings || '{"schedule": "0 3 * * * Europe/Berlin"}'`);
    expect(await asked()).toBe(3);
    expect(new Date(await planned()).getUTCMinutes()).toBe(0);
    await set(tenant, `settings = settings || '{"schedule": "manual"}'`);
    expect(await asked()).toBe(3);
    expect(await planned()).toBeNaN();
    expect(await r.runsOf(byHand)).toEqual([]);
  } finally {
    await queue.close();
  }
});

test('of a run one job waits at most, in the order in which they were asked for; the query role sees none', async () => {
  const { database } = r.service.store;
  const queue = await Queue.open(database, UNOBSERVED.log);
  try {
    for (const job of await queue.take(1000)) await queue.done(job);
    for (const runId of [902, 901, 902, 903]) await queue.ask([runId]);
    const jobs = [...(await queue.take(1)), ...(await queue.take(1)), ...(await queue.take(10))];
    expect(jobs.map(({ runId }) => runId)).toEqual([902, 901, 903]);
    expect(await queue.take(10)).toEqual([]);
    await queue.ask([904]);
    await queue.again(jobs[0]!, 0);
    await queue.ask([902]);
    const more = [...(await queue.take(1)), ...(await queue.take(10))];
    expect(more.map(({ runId }) => runId)).toEqual([904, 902]);
    await queue.again(more[0]!, 3600);
    expect(await queue.take(10)).toEqual([]);
    for (const job of [...jobs, ...more]) await queue.done(job);

    const session = await database.querySession();
    try {
      await expect(session.query('select * from soundings_jobs.job')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await session.end();
    }
  } finally {
    await queue.close();
  }
});

test('runs are kept as long as is said, with the latest of each connection; their slices go with them', async () => {
  const tenant = await r.tenant({ data: data(1, 11) });
  const { database } = r.service.store;
  const ids: number[] = [];
  for (const days of [200, 91, 89]) {
    const id = await r.queue(tenant);
    ids.push(id);
    await database.query(
      `update soundings.runs set state = 'complete', ended_at = now() - make_interval(days => $2) where id = $1`,
      [id, days],
    );
    await database.query(`insert into soundings.slices (run_id, number, kind) values ($1, 0, 'plan')`, [id]);
  }
  await forgetRuns(database, 90);
  expect((await r.runsOf(tenant)).map(({ id }) => id)).toEqual(ids.slice(2));
  const { rows } = await database.query('select run_id from soundings.slices where run_id = any($1)', [ids]);
  expect(rows).toEqual([{ run_id: ids[2] }]);
  await forgetRuns(database, 1);
  expect((await r.runsOf(tenant)).map(({ id }) => id)).toEqual(ids.slice(2));
});
