/** Every way a token and a server can be, as a verification tells it. */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../../test/cli/certificate.ts';
import {
  actions,
  generate,
  startSimulator,
  type Simulator,
  type SimulatorOptions,
  type TokenName,
} from '../../test/simulator/index.ts';
import { check, type CheckOptions, type Verification } from './check.ts';
import { Egress } from './egress.ts';
import { ENDPOINTS } from './endpoints.ts';

const closing: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function server(options: SimulatorOptions = {}): Promise<Simulator> {
  const sim = await startSimulator({ data: generate({ projects: 3, issuesPerProject: 4, analyses: 2 }), ...options });
  closing.push(() => sim.close());
  return sim;
}

const verify = (sim: Simulator, as: TokenName = 'admin', more: Partial<CheckOptions> = {}): Promise<Verification> =>
  check({ baseUrl: sim.url, token: sim.tokens[as], access: 'admin', ...more });

const state = ({ steps }: Verification): Record<string, string> =>
  Object.fromEntries(steps.map((one) => [one.step, one.state]));
const SIX = Object.keys(ENDPOINTS);
const all = (value: string): Record<string, string> => Object.fromEntries(SIX.map((endpoint) => [endpoint, value]));

describe('a token that is good', () => {
  test.each(['10.0', '25.12', '26.9'] as const)('of an administrator, SonarQube %s', async (version) => {
    const sim = await server({ version });
    const found = await verify(sim);
    expect(found).toMatchObject({
      outcome: 'verified',
      token_type: 'user',
      access: all('ok'),
      expiration_date: null,
      warnings: [],
      server_version: sim.version,
      curl: `curl --location '${sim.url}/api/projects/search' --header 'Authorization: Bearer ****'`,
    });
    expect(state(found)).toEqual({ reach: 'ok', version: 'ok', token: 'ok', ...all('ok') });
    // the listed endpoints alone, and the status without the token
    expect(new Set(sim.log.map(({ path }) => path))).toEqual(
      new Set([...SIX.map((endpoint) => `/api/${endpoint}`), '/api/system/status']),
    );
    expect(sim.requests('system/status').map(({ token }) => token)).toEqual([undefined]);
    expect(JSON.stringify(found)).not.toContain(sim.tokens.admin);
  });

  test('below a context path, and through a server that hides its version', async () => {
    const sim = await server({ context: '/sonar' });
    sim.faults.always('system/status', actions.forbidden());
    expect(await verify(sim)).toMatchObject({ outcome: 'verified', server_version: null });
    expect(await verify(sim, 'admin', { listedEndpointsOnly: true })).toMatchObject({ outcome: 'verified' });
    expect(sim.requests('system/status')).toHaveLength(1);
  });

  test('with an end, which the server tells', async () => {
    const sim = await server();
    const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    expect(await verify(sim, 'expiring')).toMatchObject({ outcome: 'verified', expiration_date: tomorrow });
  });

  test('on a server without projects, which is said', async () => {
    const sim = await server({ data: generate({ projects: 0 }) });
    const found = await verify(sim);
    expect(found).toMatchObject({ outcome: 'verified', warnings: [expect.stringMatching(/no project/)] });
    expect(found.access).toMatchObject({ 'projects/search': 'ok', 'measures/component': 'unknown' });
  });
});

describe('a token that may read less', () => {
  test('of a user without Administer System: named, with what it needs, and the way out', async () => {
    const found = await verify(await server(), 'viewer');
    expect(found.outcome).toBe('invalid_permissions');
    expect(found.message).toMatch(/api\/projects\/search \(Administer System\).*“browse”/);
    expect(found.access).toEqual({ ...all('ok'), 'projects/search': 'denied' });
    expect(state(found)).toEqual({
      reach: 'ok',
      version: 'ok',
      token: 'ok',
      ...all('ok'),
      'projects/search': 'failed',
    });
  });

  test('the same with access “browse”, with the list of projects from a seventh endpoint', async () => {
    const sim = await server();
    const found = await verify(sim, 'viewer', { access: 'browse' });
    expect(found).toMatchObject({ outcome: 'verified', warnings: [expect.stringMatching(/components\/search/)] });
    expect(found.access).toMatchObject({ 'components/search': 'ok', 'hotspots/search': 'ok' });
    expect(sim.requests('projects/search')).toHaveLength(0);
  });

  test('the same with the keys of the projects, without a seventh endpoint', async () => {
    const sim = await server();
    const found = await verify(sim, 'viewer', { access: 'browse', projects: [sim.data.projects[1]!.key] });
    expect(found.outcome).toBe('verified');
    expect(sim.requests('projects/search').length + sim.requests('components/search').length).toBe(0);
    expect(sim.requests('measures/component')[0]?.params['component']).toBe(sim.data.projects[1]!.key);
  });

  test.each([
    ['globalAnalysis', 'global_analysis'],
    ['projectAnalysis', 'project_analysis'],
  ] as const)('of type %s: alone it is refused, beside another it is used for what it may read', async (name, type) => {
    const sim = await server();
    const alone = await verify(sim, name);
    expect(alone).toMatchObject({ outcome: 'invalid_permissions', token_type: type });
    for (const endpoint of ['projects/search', 'hotspots/search', 'measures/search_history']) {
      expect(alone.message).toContain(`api/${endpoint}`);
      expect(alone.access[endpoint]).toBe('denied');
    }
    expect(alone.message).toMatch(/beside one of type User/);
    const beside = await verify(sim, name, { beside: true });
    expect(beside).toMatchObject({ outcome: 'verified', warnings: [expect.stringMatching(/other credentials/)] });
    expect(beside.access['issues/search']).toBe('ok');
  });
});

describe('a token that is not good', () => {
  test.each(['bad', 'revoked', 'expired'] as const)('%s', async (name) => {
    const found = await verify(await server(), name);
    expect(found.outcome).toBe('invalid_credentials');
    expect(state(found)).toEqual({ reach: 'ok', version: 'ok', token: 'failed', ...all('skipped') });
  });

  test('is told apart from a server that knows no Bearer tokens', async () => {
    const found = await verify(await server({ version: '9.9' }));
    expect(found).toMatchObject({
      outcome: 'internal_server_error',
      message: expect.stringMatching(/is SonarQube 9\.9.*10 or later/) as string,
    });
    expect(state(found)).toMatchObject({ reach: 'ok', version: 'failed', token: 'skipped' });
  });
});

describe('a server that is not there', () => {
  const failing = async (found: Promise<Verification>, message: RegExp): Promise<void> => {
    const verification = await found;
    expect(verification).toMatchObject({
      outcome: 'internal_server_error',
      message: expect.stringMatching(message) as string,
    });
    expect(state(verification)).toMatchObject({ reach: 'failed', version: 'skipped', token: 'skipped' });
    expect(verification.message).toContain("--header 'Authorization: Bearer ****'");
  };
  const token = 'squ_secret_of_a_test';
  const at = (baseUrl: string, more: Partial<CheckOptions> = {}): Promise<Verification> =>
    check({ baseUrl, token, access: 'admin', ...more });

  test('nothing listens', async () => {
    const sim = await startSimulator();
    await sim.close();
    await failing(verify(sim), /connection refused/);
  });

  test('no such name', () => failing(at('http://no-such-host.invalid'), /not known to DNS|DNS does not answer/));

  test.each(['starting', 'unauthenticated'] as const)('%s', async (phase) => {
    const sim = await server();
    await sim.faults.become(phase);
    await failing(verify(sim), /not ready \(status STARTING\)/);
    // the same without the status: a 401 with words is no bad token
    const found = await verify(sim, 'admin', { listedEndpointsOnly: true });
    expect(found).toMatchObject({
      outcome: 'internal_server_error',
      message: expect.stringMatching(/starting/) as string,
    });
  });

  test('never answers: the whole takes no longer than its limit', async () => {
    const sim = await server();
    for (const path of [...SIX, 'system/status']) sim.faults.always(path, actions.hang());
    await failing(verify(sim, 'admin', { limitMs: 300 }), /did not answer within 0\.3 s/);
  });

  test('stops answering in the middle', async () => {
    const sim = await server();
    sim.faults.always('hotspots/search', actions.hang());
    const found = await verify(sim, 'admin', { limitMs: 1500 });
    expect(found).toMatchObject({
      outcome: 'internal_server_error',
      message: expect.stringMatching(/within 1\.5 s/) as string,
    });
  });

  test.each([
    ['is busy', actions.tooMany(), /busy \(429/],
    ['is behind a proxy that does not reach it', actions.gateway(502), /502/],
    ['is a web page', actions.htmlPage(), /text\/html .*instead of SonarQube's JSON/],
    [
      'sends people to sign in elsewhere',
      actions.redirect('https://login.example.com/'),
      /redirects to https:\/\/login\.example\.com/,
    ],
    ['cuts the connection', actions.reset(), /cannot be reached/],
  ])('%s', async (_, action, message) => {
    const sim = await server();
    for (const path of [...SIX, 'system/status']) sim.faults.always(path, action);
    await failing(verify(sim), message);
  });

  test('is something else', async () => {
    const other = http.createServer((_, response) =>
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no'),
    );
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    closing.push(() => Promise.resolve(void other.close()));
    await failing(at(`http://127.0.0.1:${(other.address() as AddressInfo).port}`), /instead of SonarQube's JSON/);
  });

  test('has a certificate of its own authority, which can be given', async () => {
    const sim = await server();
    const { key, cert } = selfSigned();
    const front = https.createServer({ key, cert }, (request, response) => {
      const onward = http.request(`${sim.url}${request.url ?? ''}`, { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    closing.push(() => {
      front.closeAllConnections();
      return Promise.resolve(void front.close());
    });
    const url = `https://127.0.0.1:${(front.address() as AddressInfo).port}`;
    await failing(at(url), /certificate of .* is not trusted/);
    expect(await check({ baseUrl: url, token: sim.tokens.admin, access: 'admin', ca: cert })).toMatchObject({
      outcome: 'verified',
    });
  });

  test('is behind a proxy that does not answer, which is named without its password', async () => {
    const sim = await server();
    const found = await verify(sim, 'admin', { proxy: { http: 'http://me:hidden@127.0.0.1:9' } });
    expect(found).toMatchObject({
      outcome: 'internal_server_error',
      message: expect.stringMatching(/proxy http:\/\/127\.0\.0\.1:9/) as string,
    });
    expect(JSON.stringify(found)).not.toContain('hidden');
  });

  test('is at an address that may not be asked: refused, not verified', async () => {
    const sim = await server();
    const refused = { code: 'invalid_arguments' };
    await expect(verify(sim, 'admin', { egress: Egress.parse('public') })).rejects.toMatchObject(refused);
    await expect(
      at(sim.url.replace('127.0.0.1', 'localhost'), { egress: Egress.parse('public') }),
    ).rejects.toMatchObject(refused);
    await expect(at('http://169.254.169.254')).rejects.toMatchObject(refused);
    expect(sim.log).toEqual([]);
  });
});
