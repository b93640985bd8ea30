/** Everything that can go wrong, on purpose. */
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { actions, generate, startSimulator } from './index.ts';
import type { Simulator } from './index.ts';

let sim: Simulator;
beforeEach(async () => {
  sim = await startSimulator({ data: generate({ projects: 2, issuesPerProject: 40, projectKey: (i) => `p${i}` }) });
});
afterEach(() => sim.close());

const errorOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );

describe('starting', () => {
  it('refuses, answers 404 everywhere, then 401 with a body, then works, on the same port', async () => {
    const { url } = sim;
    await sim.faults.become('refusing');
    expect(await errorOf(ask(sim, 'system/status'))).toBe('ECONNREFUSED');
    await sim.faults.become('starting');
    expect(sim.url).toBe(url);
    expect((await ask(sim, 'system/status')).json.status).toBe('STARTING');
    for (const token of ['admin', 'bad'] as const) {
      const reply = await ask(sim, 'issues/search', { token });
      expect([reply.status, reply.text]).toEqual([404, '{"errors":[{"msg":"Unknown url : /api/issues/search"}]}']);
    }
    await sim.faults.become('unauthenticated');
    expect((await ask(sim, 'system/status')).json.status).toBe('STARTING');
    const reply = await ask(sim, 'issues/search');
    expect([reply.status, reply.text]).toEqual([401, '{"errors":[{"msg":"User is not authenticated"}]}']);
    await sim.faults.become('up');
    expect((await ask(sim, 'issues/search')).status).toBe(200);
  });

  it('indexes: of the whole instance, or of one project', async () => {
    const body = '{"errors":[{"msg":"Results are temporarily unavailable. Indexing of issues is in progress."}]}';
    sim.faults.indexing = 'all';
    const all = await ask(sim, 'issues/search?componentKeys=p0');
    expect([all.status, all.text, all.headers['retry-after']]).toEqual([503, body, undefined]);
    sim.faults.indexing = new Set(['p1']);
    expect((await ask(sim, 'issues/search?componentKeys=p0')).status).toBe(200);
    expect((await ask(sim, 'issues/search?componentKeys=p1')).status).toBe(503);
    expect((await ask(sim, 'issues/search')).status).toBe(503);
    expect((await ask(sim, 'hotspots/search?project=p1')).status).toBe(503);
    expect((await ask(sim, 'projects/search')).status).toBe(200);
  });
});

describe('answers that are not the server’s', () => {
  it('429, 502, 504, HTML, redirects, wrong types', async () => {
    const off = sim.faults.always('issues/search', actions.tooMany(7));
    const many = await ask(sim, 'issues/search');
    expect([many.status, many.headers['retry-after']]).toEqual([429, '7']);
    off();
    sim.faults.next(actions.gateway(504));
    const gateway = await ask(sim, 'issues/search');
    expect([gateway.status, gateway.headers['content-type']]).toEqual([504, 'text/html']);
    expect(gateway.text).toContain('504 Gateway Time-out');
    sim.faults.next(actions.htmlPage());
    expect((await ask(sim, 'issues/search')).text).toContain('<!DOCTYPE html>');
    sim.faults.next(actions.redirect('https://elsewhere.example/api/issues/search', 301));
    const moved = await ask(sim, 'issues/search');
    expect([moved.status, moved.headers.location]).toEqual([301, 'https://elsewhere.example/api/issues/search']);
    sim.faults.next(actions.wrongType('text/plain'));
    const plain = await ask(sim, 'issues/search');
    expect([plain.headers['content-type'], plain.json.total]).toEqual(['text/plain', 80]);
    sim.faults.next(actions.unauthorized());
    const gone = await ask(sim, 'issues/search');
    expect([gone.status, gone.text]).toEqual([401, '']);
    expect((await ask(sim, 'issues/search')).status).toBe(200);
  });

  it('the nth request of a path, and whatever a handler decides', async () => {
    sim.faults.nth('issues/search', [2, 3], actions.serverError());
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask(sim, 'issues/search')).status);
    expect(statuses).toEqual([200, 500, 500, 200]);
    const seen: [string, number][] = [];
    sim.faults.on((request, count) => {
      seen.push([request.path, count]);
      return request.params.get('p') === '2' ? actions.forbidden() : undefined;
    });
    expect((await ask(sim, 'issues/search?ps=10&p=1')).status).toBe(200);
    expect((await ask(sim, 'issues/search?ps=10&p=2')).status).toBe(403);
    expect((await ask(sim, 'projects/search')).status).toBe(200);
    expect(seen).toEqual([
      ['/api/issues/search', 5],
      ['/api/issues/search', 6],
      ['/api/projects/search', 1],
    ]);
    sim.faults.clear();
    expect((await ask(sim, 'issues/search?ps=10&p=2')).status).toBe(200);
  });

  it('a token revoked at the third request', async () => {
    sim.faults.on((_request, count) => {
      if (count === 3) sim.revoke('admin');
      return undefined;
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask(sim, 'metrics/search')).status);
    expect(statuses).toEqual([200, 200, 401, 401]);
  });
});

describe('broken ways', () => {
  it('connections cut before and in the middle of an answer', async () => {
    sim.faults.next(actions.reset());
    expect(await errorOf(ask(sim, 'issues/search'))).toBe('ECONNRESET');
    expect(sim.log.at(-1)?.status).toBe(0);
    sim.faults.next(actions.reset(2000));
    expect(await errorOf(ask(sim, 'issues/search'))).toBe('ECONNRESET');
    expect(sim.log.at(-1)).toMatchObject({ status: 200, bytes: 2000 });
  });

  it('truncated, unreadable and oversize bodies', async () => {
    sim.faults.next(actions.truncate(300));
    const short = await ask(sim, 'issues/search');
    expect([short.status, short.bytes, short.json]).toEqual([200, 300, undefined]);
    sim.faults.next(actions.notJson());
    expect((await ask(sim, 'issues/search')).json).toBeUndefined();
    sim.faults.next(actions.oversize(9_000_000));
    const large = await ask(sim, 'issues/search');
    expect(large.bytes).toBeGreaterThanOrEqual(9_000_000);
    expect(large.json.total).toBe(80);
  });

  it('slow, dripping and silent servers', async () => {
    sim.faults.next(actions.delay(60));
    await ask(sim, 'metrics/search');
    const slow = sim.log.at(-1)!;
    expect(slow.end - slow.start).toBeGreaterThanOrEqual(55);
    sim.faults.next(actions.drip(4000, 5));
    expect((await ask(sim, 'issues/search')).json.total).toBe(80);
    sim.faults.next(actions.hang());
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 80);
    const request = http.get(`${sim.url}/api/metrics/search`, { signal: controller.signal });
    const error = await new Promise<Error>((resolve) => request.on('error', resolve));
    expect(error.name).toBe('AbortError');
    sim.latency = 40;
    await ask(sim, 'system/status');
    const late = sim.log.at(-1)!;
    expect(late.end - late.start).toBeGreaterThanOrEqual(35);
  });

  it('keeps connections and knows how many requests ran at once', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    sim.latency = 10;
    const ports = new Set<number | undefined>();
    agent.on('free', (socket: { localPort?: number }) => ports.add(socket.localPort));
    await Promise.all(Array.from({ length: 16 }, () => ask(sim, 'metrics/search?ps=1', { agent })));
    expect(sim.peak).toBe(4);
    expect(ports.size).toBe(4);
    agent.destroy();
  });
});
