/** Runs over the API: begun, gone on with, cancelled, listed; each bad input with its code. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { work } from '../../src/app/work.ts';
import { apiRig, type ApiRig } from './rig.ts';

interface Run {
  readonly id: number;
  readonly connection_id: number;
  readonly state: string;
  readonly mode: string;
  readonly trigger: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly progress: { readonly phase: string; readonly requests: number; readonly streams: object };
}

let r: ApiRig;
let connection: number;
beforeAll(async () => {
  r = await apiRig();
  ({ connection } = await r.connect());
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});
beforeEach(async () => {
  for (const { id } of await list({ state: 'queued' })) await r.call('syncs.cancel', { id });
});

async function list(args: Readonly<Record<string, unknown>> = {}): Promise<readonly Run[]> {
  const answer = await r.call('runs.list', { connection_id: connection, ...args });
  expect(answer.status, answer.text).toBe(200);
  return answer.body['runs'] as Run[];
}

async function start(args: Readonly<Record<string, unknown>> = {}, encoding: 'json' | 'form' = 'json'): Promise<Run> {
  const answer = await r.call('syncs.start', { connection_id: connection, ...args }, { encoding });
  expect(answer.status, answer.text).toBe(202);
  return answer.body['run'] as Run;
}

const info = async (id: number): Promise<Run> => (await r.call('runs.info', { id })).body['run'] as Run;
const isOpen = ({ state }: Run): boolean => state === 'queued' || state === 'running';

async function workOn(id: number): Promise<Run> {
  const { signal } = new AbortController();
  while (isOpen(await info(id))) await work(r.service, id, { worker: 'test', signal });
  return info(id);
}

test('a run waits, is read, and tells what it did', async () => {
  const waiting = await start();
  expect(waiting).toMatchObject({ connection_id: connection, state: 'queued', trigger: 'api', error: null });
  expect(waiting.progress).toMatchObject({ phase: 'listing', requests: 0, streams: {} });
  const done = await workOn(waiting.id);
  expect(done).toMatchObject({ state: 'complete', mode: 'full', error: null, progress: { phase: 'done' } });
  expect(done.progress.requests).toBeGreaterThan(5);
  expect((await list())[0]).toEqual(done);
  expect((await r.call('connections.overview')).body).toMatchObject({
    connections: [{ last_run: { id: done.id, state: 'complete' }, projects: 2 }],
  });
});

test.each(['json', 'form'] as const)('a second one that is asked for waits with the first, as %s', async (encoding) => {
  const first = await start({}, encoding);
  const second = await start({ full: true }, encoding);
  expect(second.id).toBe(first.id);
  const { rows } = await r.service.store.database.query<{ requested: object }>(
    'select requested from soundings.runs where id = $1',
    [first.id],
  );
  expect(rows[0]?.requested).toEqual({ full: true });
});

test('one that waits is cancelled at once, one that has ended stays as it is', async () => {
  const { id } = await start();
  const cancelled = (await r.call('syncs.cancel', { id }, { encoding: 'form' })).body['run'] as Run;
  expect(cancelled).toMatchObject({ id, state: 'cancelled', error: { code: 'cancelled' } });
  const again = await r.call('syncs.cancel', { id });
  expect([again.status, again.body['run']]).toEqual([200, cancelled]);
});

test('newest first, page by page, by state', async () => {
  for (let made = 0; made < 4; made += 1) await r.call('syncs.cancel', { id: (await start()).id });
  const all = await list();
  expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).sort((a, b) => b - a));
  const paged: number[] = [];
  let cursor: unknown = null;
  do {
    const args = { connection_id: connection, limit: 2, ...(cursor !== null && { cursor }) };
    const { body } = await r.call('runs.list', args);
    paged.push(...(body['runs'] as Run[]).map(({ id }) => id));
    cursor = body['next_cursor'];
  } while (cursor !== null);
  expect(paged).toEqual(all.map(({ id }) => id));
  expect(await list({ state: 'cancelled' })).toEqual(all.filter(({ state }) => state === 'cancelled'));
  expect(await list({ state: 'failed' })).toEqual([]);
});

test('a connection that is disabled, deleted or not there is not synced', async () => {
  await r.call('connections.disable', { id: connection, reason: 'Holidays' });
  const disabled = await r.call('syncs.start', { connection_id: connection });
  expect([disabled.status, disabled.body.error]).toEqual([409, 'conflict']);
  expect(disabled.body.message).toMatch(/Holidays.*enable it/);
  await r.call('connections.enable', { id: connection });
  for (const name of ['syncs.start', 'runs.list'] as const) {
    const answer = await r.call(name, { connection_id: 999_999 });
    expect([answer.status, answer.body.error]).toEqual([404, 'connection_not_found']);
  }
});

test.each(['runs.info', 'syncs.cancel'] as const)('%s of a run that is not there', async (name) => {
  const answer = await r.call(name, { id: 999_999 });
  expect([answer.status, answer.body.error]).toEqual([404, 'run_not_found']);
});

test('who began and who cancelled is in the audit log', async () => {
  const { id } = await start({ full: true });
  await r.call('syncs.cancel', { id });
  const { body } = await r.call('audit.list', { limit: 2 });
  expect(body['entries']).toMatchObject([
    { action: 'syncs.cancel', connection_id: connection, detail: { run: id } },
    { action: 'syncs.start', connection_id: connection, detail: { run: id, full: true } },
  ]);
});
