/** What machines ask a running server: is it alive, can it work, what does it measure? */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type Server } from '../../src/api/server.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { watchRoutes } from '../../src/observe/routes.ts';
import { makeLog } from '../../src/observe/log.ts';
import { UNOBSERVED } from '../../src/app/observer.ts';
import { work } from '../../src/app/work.ts';
import { queueRun } from '../../src/control/runs.ts';
import { apiRig, type ApiRig } from './rig.ts';

let r: ApiRig;
let server: Server;
const metrics = new Metrics();

beforeAll(async () => {
  r = await apiRig();
  server = await startServer({ service: r.service, plugins: [watchRoutes(metrics)] });
});
afterAll(async () => {
  await server.close();
  await r[Symbol.asyncDispose]();
});

test('/healthz and /readyz answer without a token', async () => {
  expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${server.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
});

test('/metrics shows runs, lag, completeness, tokens and requests; names of connections only to who may see them', async () => {
  const { connection } = await r.connect();
  const service = { ...r.service, observer: { ...UNOBSERVED, asked: metrics.asked.bind(metrics) } };
  const run = await queueRun(r.service.store.database, connection, { version: 'test', trigger: 'api', requested: {} });
  for (let state = ''; state !== 'done';)
    ({ state } = await work(service, run.id, { worker: 'one', signal: new AbortController().signal }));
  await r.service.store.database.query(
    `update soundings.credentials set expiration_date = (now() + interval '10 days')::date`,
  );
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  expect(value('soundings_runs\\{state="complete"\\}')).toBe(1);
  expect(value('soundings_queue_depth')).toBe(0);
  expect(value(`soundings_lag_seconds\\{connection="${connection}"\\}`)).toBeGreaterThanOrEqual(0);
  expect(value(`soundings_completeness\\{connection="${connection}",state="complete"\\}`)).toBeGreaterThan(0);
  expect(value(`soundings_completeness\\{connection="${connection}",state="short"\\}`)).toBe(0);
  expect(value(`soundings_token_days_left\\{connection="${connection}",credential="\\d+"\\}`)).toBeGreaterThanOrEqual(
    9,
  );
  expect(value('soundings_requests_total\\{endpoint="issues/search",status="200"\\}')).toBe(
    r.sim.requests('issues/search').filter(({ token }) => token === 'admin').length - asksOfVerification,
  );

  const from = { 'x-forwarded-for': '203.0.113.7' };
  expect((await fetch(`${server.url}/metrics`, { headers: from })).status).toBe(401);
  const reader = await r.tokenFor(['query']);
  const withToken = (token: string): Promise<Response> =>
    fetch(`${server.url}/metrics`, { headers: { ...from, authorization: `Bearer ${token}` } });
  expect((await withToken(reader)).status).toBe(403);
  expect((await withToken(await r.tokenFor(['read']))).status).toBe(200);
});

/** `connections.create` tried the endpoint once before there was a run. */
const asksOfVerification = 1;

test('while the database is away: alive, and not ready, with a time to come back', async () => {
  const away = await apiRig();
  const down = await startServer({
    service: away.service,
    plugins: [watchRoutes(new Metrics())],
    logger: makeLog({ format: 'json', level: 'silent', write: () => undefined }),
  });
  try {
    await away.service.store.database.close();
    expect((await fetch(`${down.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${down.url}/readyz`);
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '5']);
  } finally {
    await down.close();
    await away.server.close();
    await away.sim.close();
  }
});
