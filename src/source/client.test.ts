/** One request against a simulated server that misbehaves in every way a real one was seen to. */
import { afterEach, describe, expect, test } from 'vitest';
import {
  actions,
  generate,
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../test/simulator/index.ts';
import { SonarClient, type ClientOptions } from './client.ts';

const data = () => generate({ projects: 2, issuesPerProject: 5, analyses: 1 });
let sim: Simulator;
let client: SonarClient;
afterEach(async () => {
  await client.close();
  await sim.close();
});

async function open(options: SimulatorOptions = {}, more: Partial<ClientOptions> = {}): Promise<void> {
  sim = await startSimulator({ data: data(), ...options });
  client = new SonarClient({ baseUrl: sim.url, token: sim.tokens.admin, attempts: 4, ...more });
}
const projects = () => client.get('projects/search', { p: 1, ps: 500 });
const statuses = () => sim.requests('system/status').length;

describe('what passes is waited for', () => {
  test.each<[string, ReturnType<typeof actions.reset>]>([
    ['429 with Retry-After', actions.tooMany(0)],
    ['502', actions.gateway(502)],
    ['503', actions.gateway(503)],
    ['504', actions.gateway(504)],
    ['a cut connection', actions.reset()],
    ['a cut answer', actions.reset(100)],
    ['a truncated answer', actions.truncate(100)],
    ['an answer that is not JSON', actions.notJson()],
  ])('%s', async (_, action) => {
    await open();
    await projects();
    sim.faults.nth('projects/search', 1, action);
    const reply = await projects();
    expect(reply.take()).toMatchObject({ paging: { total: 2 } });
    expect(reply.take()).toBeUndefined();
    expect(client.traffic.retries).toBe(1);
  });
});

describe('what does not pass is named', () => {
  test.each<[string, Partial<ClientOptions>, string, RegExp]>([
    ['a wrong token', { token: 'squ_wrong' }, 'invalid_credentials', /refuses the token \(401\)/],
    ['a wrong context path', {}, 'internal_server_error', /text\/html.*instead of SonarQube's JSON/],
  ])('%s', async (name, more, code, message) => {
    await open({}, more);
    if (name === 'a wrong context path') {
      await client.close();
      client = new SonarClient({ baseUrl: `${sim.url}/nope`, token: sim.tokens.admin });
    }
    await expect(projects()).rejects.toMatchObject({ code, message });
  });

  test('a plain user’s token names the permission that is missing', async () => {
    await open();
    client = new SonarClient({ baseUrl: sim.url, token: sim.tokens.viewer });
    await expect(projects()).rejects.toMatchObject({ code: 'invalid_permissions', message: /Administer System/ });
  });

  test.each(['starting', 'unauthenticated'] as const)(
    'a server that is %s is not taken for a bad token',
    async (phase) => {
      await open();
      await sim.faults.become(phase);
      await expect(projects()).rejects.toMatchObject({
        code: 'internal_server_error',
        message: /not ready \(status STARTING\)/,
      });
    },
  );

  test('a server before 10, which refuses Bearer, is named by its version', async () => {
    await open({ version: '9.9' });
    await expect(projects()).rejects.toMatchObject({
      code: 'internal_server_error',
      message: /SonarQube 9\.9.*needs .* 10 or later/,
    });
  });

  test('a redirect to another host is not followed with the token', async () => {
    await open();
    sim.faults.always('projects/search', actions.redirect('http://127.0.0.2:1/api/projects/search'));
    await expect(projects()).rejects.toMatchObject({
      code: 'internal_server_error',
      message: /redirects to http:\/\/127\.0\.0\.2:1/,
    });
  });

  test('an answer that is too large is refused, not swallowed', async () => {
    await open({}, { maxBytes: 10_000, attempts: 1 });
    sim.faults.always('projects/search', actions.oversize(50_000));
    await expect(projects()).rejects.toMatchObject({ code: 'internal_server_error' });
  });

  test('no sentence holds the token', async () => {
    await open({}, { token: 'squ_secret0123456789' });
    const error: unknown = await projects().catch((thrown: unknown) => thrown);
    expect(JSON.stringify([String(error), (error as { details: unknown }).details])).not.toContain('squ_secret');
  });
});

test('a server that answers something else than JSON does not answer', async () => {
  await open();
  expect(await client.answers()).toBe(true);
  sim.faults.always('projects/search', actions.notJson());
  expect(await client.answers()).toBe(false);
});

describe('what is asked', () => {
  test('system/status only to explain, and never when that is turned off', async () => {
    await open();
    await projects();
    expect(statuses()).toBe(0);
    await sim.faults.become('starting');
    await expect(projects()).rejects.toMatchObject({ code: 'internal_server_error' });
    expect(statuses()).toBeGreaterThan(0);
    expect(sim.requests('system/status').every(({ token }) => token === undefined)).toBe(true);

    const before = statuses();
    const strict = new SonarClient({ baseUrl: sim.url, token: sim.tokens.admin, listedEndpointsOnly: true });
    await expect(strict.get('projects/search', {})).rejects.toMatchObject({ code: 'internal_server_error' });
    await strict.close();
    expect(statuses()).toBe(before);
  });

  test('no more requests at once than allowed, and gzip', async () => {
    await open({ latencyMs: 20 }, { maxConcurrency: 3 });
    await Promise.all(Array.from({ length: 12 }, projects));
    expect(sim.peak).toBeGreaterThan(1);
    expect(sim.peak).toBeLessThanOrEqual(3);
    expect(sim.log[0]?.userAgent).toMatch(/^Soundings\//);
  });

  test('an aborted run ends its requests', async () => {
    const controller = new AbortController();
    await open({}, { signal: controller.signal });
    sim.faults.always('projects/search', actions.hang());
    const hanging = projects();
    sim.faults.on(() => undefined);
    await expect.poll(() => sim.log.length).toBe(1);
    controller.abort();
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
  });
});
