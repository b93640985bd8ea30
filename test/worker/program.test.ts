/** `soundings serve`, `worker`, `syncs` and `runs` as processes: asked here, done there, stopped and killed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createConnection } from '../../src/control/connections.ts';
import { bench, run as program, start, type Bench, type Running } from '../cli/program.ts';
import { generate, type Simulator } from '../simulator/index.ts';

const LONG = { timeout: 90_000, interval: 100 };

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(async () => {
  await b.close();
});

const here = (): string[] => ['--data-dir', b.dataDir];

/** A simulated server with a connection to it that is synced by hand, made as people make it. */
async function connected(projects: number, latencyMs = 5): Promise<{ sim: Simulator; id: string }> {
  const data = generate({ projects, issuesPerProject: 4, analyses: 1, seed: projects });
  const sim = await b.simulator({ version: '25.12', data, latencyMs });
  const args = ['connections', 'create', '--url', sim.url, '--schedule', 'manual', '--json', ...here()];
  const made = await program(args, { token: sim.tokens.admin });
  expect(made.code, made.stderr).toBe(0);
  return { sim, id: String((JSON.parse(made.stdout) as { connection: { id: number } }).connection.id) };
}

const stateOf = async (id: string): Promise<string | undefined> =>
  (await b.rows<{ state: string }>('select state from soundings.runs where id = $1', [id]))[0]?.state;

async function queued(id: string): Promise<string> {
  const asked = await program(['syncs', 'start', '--id', id, '--json', ...here()]);
  expect(asked.code, asked.stderr).toBe(0);
  return String((JSON.parse(asked.stdout) as { run: { id: number } }).run.id);
}

async function stopped({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM');
  const from = Date.now();
  expect(await ended).toMatchObject({ code: 0, signal: null });
  expect(Date.now() - from).toBeLessThan(30_000);
}

test('serve does what another process asks for; --wait comes back with the outcome; runs tell of it', async () => {
  const { id } = await connected(4);
  const serve = start(['serve', '--port', '0', ...here()], { held: true });
  await serve.until(/Soundings runs at/);
  const waited = await program(['syncs', 'start', '--id', id, '--wait', '--json', ...here()]);
  expect(waited.code, waited.stderr).toBe(0);
  const { run } = JSON.parse(waited.stdout) as { run: { id: number; state: string; worker: string } };
  expect(run.state).toBe('complete');
  expect(run.worker).toContain(`-${serve.child.pid}-`);
  expect(waited.stderr).toContain(`Run ${run.id} is complete: `);
  await stopped(serve);
  const listed = await program(['runs', 'list', '--connection', id, ...here()]);
  expect(listed.stdout).toMatch(/api .*full .*complete/);
  const info = await program(['runs', 'info', String(run.id), ...here()]);
  expect(JSON.parse(info.stdout)).toMatchObject({ run: { id: run.id, state: 'complete' } });
});

test('a connection that is due is synced by serve alone; with --no-worker it waits for a worker', async () => {
  const { sim } = await connected(2);
  const serve = start(['serve', '--port', '0', '--no-worker', ...here()], { held: true });
  await serve.until(/Soundings runs at/);
  const other = await createConnection(b.database, { base_url: sim.url });
  await b.rows(`update soundings.connections set settings = settings - 'schedule' where id = $1`, [other.id]);
  const trigger = `select trigger, state from soundings.runs where connection_id = $1`;
  await expect.poll(() => b.rows(trigger, [other.id]), LONG).toEqual([{ trigger: 'schedule', state: 'queued' }]);
  const worker = start(['worker', '--slots', '1', ...here()], { held: true });
  await expect.poll(() => b.rows(trigger, [other.id]), LONG).toEqual([{ trigger: 'schedule', state: 'complete' }]);
  await stopped(worker);
  await stopped(serve);
});

test('a run whose worker is killed is taken over by another and ends; SIGTERM in mid-run leaves it to the next', async () => {
  const { sim, id } = await connected(150, 20);
  const [killed, next] = [1, 2].map(() => start(['worker', ...here()], { held: true }));
  await killed!.until(/Worker .* runs/);
  await next!.until(/Worker .* runs/);
  const run = await queued(id);
  await expect.poll(() => sim.log.length, LONG).toBeGreaterThan(30);
  killed!.child.kill('SIGKILL');
  expect(await killed!.ended).toMatchObject({ signal: 'SIGKILL' });
  const asked = sim.log.length;
  await expect.poll(() => sim.log.length, LONG).toBeGreaterThan(asked);
  await stopped(next!);
  expect(await stateOf(run)).toBe('running');
  const last = start(['worker', ...here()], { held: true });
  await expect.poll(() => stateOf(run), LONG).toBe('complete');
  const stored = await b.rows('select from sonarqube_projects where connection_id = $1', [id]);
  expect(stored).toHaveLength(150);
  await stopped(last);
});

test('bad flags are refused with the reason', async () => {
  const keep = await program(['worker', ...here()], { env: { SOUNDINGS_KEEP_RUNS_DAYS: 'forever' } });
  expect(keep.code).toBe(2);
  expect(keep.stderr).toContain('SOUNDINGS_KEEP_RUNS_DAYS must be a whole number of days');
  expect((await program(['worker', '--slots', '0', ...here()])).stderr).toContain('from 1 to 64');
  const none = await program(['syncs', 'start', '--id', '999', ...here()]);
  expect(none.stderr).toContain('[connection_not_found]');
});
