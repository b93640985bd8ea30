/** A run as server-sent events: told as it goes on, with what runs.info answers, until it has ended. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { background } from '../../src/app/background.ts';
import { gate } from '../cli/program.ts';
import { apiRig, type ApiRig } from './rig.ts';

const LONG = { timeout: 60_000, interval: 50 };

interface Run {
  readonly id: number;
  readonly state: string;
  readonly progress: { readonly requests: number };
}

let r: ApiRig;
let connection: number;
beforeAll(async () => {
  r = await apiRig();
  ({ connection } = await r.connect({ schedule: 'manual' }));
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const start = async (full = false): Promise<Run> =>
  (await r.call('syncs.start', { connection_id: connection, full })).body['run'] as Run;

/** Listens to a run; what it was told so far, and its end. */
function listen(id: number): { told: Run[]; ended: Promise<void>; type: Promise<string | null>; leave: () => void } {
  const told: Run[] = [];
  const leaving = new AbortController();
  const answer = fetch(`${r.server.url}/api/runs.events/${id}`, {
    headers: { authorization: `Bearer ${r.admin}` },
    signal: leaving.signal,
  });
  const ended = (async (): Promise<void> => {
    let text = '';
    for await (const chunk of (await answer).body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [name, data] = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        if (name === 'event: run') told.push((JSON.parse(data!.slice('data: '.length)) as { run: Run }).run);
      }
    }
  })();
  ended.catch(() => undefined);
  return { told, ended, type: answer.then(({ headers }) => headers.get('content-type')), leave: () => leaving.abort() };
}

test('a run is told while it waits, while it is read and when it has ended; then the stream ends', async () => {
  const { id } = await start();
  const { told, ended, type } = listen(id);
  expect(await type).toContain('text/event-stream');
  await expect.poll(() => told.length, LONG).toBe(1);
  const held = gate(r.sim, 'issues/search');
  const going = background(r.service, { worker: true, slots: 1, keepRunsDays: 90 });
  try {
    await held.reached;
    await expect.poll(() => told.at(-1)?.state, LONG).toBe('running');
    await held.open();
    await ended;
    expect(told[0]).toMatchObject({ id, state: 'queued' });
    expect(told.at(-1)).toEqual((await r.call('runs.info', { id })).body['run']);
    expect(told.at(-1)?.state).toBe('complete');
    const after = listen(id);
    await after.ended;
    expect(after.told).toEqual([told.at(-1)]);
  } finally {
    await going.close();
  }
});

test('no such run, no token, a wrong verb: answered as everywhere', async () => {
  const headers = { authorization: `Bearer ${r.admin}` };
  expect((await r.raw('GET', '/api/runs.events/999999', { headers })).body.error).toBe('run_not_found');
  expect((await r.raw('GET', '/api/runs.events/x', { headers })).body.error).toBe('invalid_arguments');
  expect((await r.raw('GET', '/api/runs.events/1')).status).toBe(401);
  expect((await r.raw('POST', '/api/runs.events/1', { headers })).status).toBe(405);
});

test('a caller that leaves, and a server that stops, end the stream', async () => {
  const { id } = await start();
  const left = listen(id);
  await expect.poll(() => left.told.length, LONG).toBe(1);
  left.leave();
  await expect(left.ended).rejects.toThrow();
  const staying = listen(id);
  await expect.poll(() => staying.told.length, LONG).toBe(1);
  await r.server.close();
  await staying.ended;
});
