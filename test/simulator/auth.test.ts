/** Who gets what: the table of the real servers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { generate, startSimulator } from './index.ts';
import type { Simulator, TokenName } from './index.ts';

const KEYS = ['own', 'other', 'secret'];
const data = (): ReturnType<typeof generate> =>
  generate({ projects: 3, issuesPerProject: 10, hotspots: 2, projectKey: (i) => KEYS[i] ?? '' });

let sim: Simulator;
let middle: Simulator;
let old: Simulator;

beforeAll(async () => {
  sim = await startSimulator({ version: '26.9', data: data() });
  middle = await startSimulator({ version: '25.12', data: data() });
  old = await startSimulator({ version: '10.0', data: data() });
  for (const one of [sim, middle, old]) one.mutate.restrict('secret', { browse: [] });
});

afterAll(async () => {
  await Promise.all([sim.close(), middle.close(), old.close()]);
});

const REQUESTS = {
  projects: 'projects/search',
  metrics: 'metrics/search',
  issues: 'issues/search?componentKeys=own',
  hotspots: 'hotspots/search?project=own',
  history: 'measures/search_history?component=own&metrics=ncloc',
  component: 'measures/component?component=own&metricKeys=ncloc',
  componentOther: 'measures/component?component=other&metricKeys=ncloc',
  unknown: 'no/such',
} as const;

describe('the table', () => {
  const table: [token: TokenName | undefined, expected: Record<keyof typeof REQUESTS, number>][] = [
    [
      'admin',
      {
        projects: 200,
        metrics: 200,
        issues: 200,
        hotspots: 200,
        history: 200,
        component: 200,
        componentOther: 200,
        unknown: 404,
      },
    ],
    [
      'expiring',
      {
        projects: 200,
        metrics: 200,
        issues: 200,
        hotspots: 200,
        history: 200,
        component: 200,
        componentOther: 200,
        unknown: 404,
      },
    ],
    [
      'viewer',
      {
        projects: 403,
        metrics: 200,
        issues: 200,
        hotspots: 200,
        history: 200,
        component: 200,
        componentOther: 200,
        unknown: 404,
      },
    ],
    [
      'projectAnalysis',
      {
        projects: 403,
        metrics: 200,
        issues: 200,
        hotspots: 403,
        history: 403,
        component: 200,
        componentOther: 403,
        unknown: 404,
      },
    ],
    [
      'globalAnalysis',
      {
        projects: 403,
        metrics: 200,
        issues: 200,
        hotspots: 403,
        history: 403,
        component: 200,
        componentOther: 200,
        unknown: 404,
      },
    ],
    [
      'bad',
      {
        projects: 401,
        metrics: 401,
        issues: 401,
        hotspots: 401,
        history: 401,
        component: 401,
        componentOther: 401,
        unknown: 401,
      },
    ],
    [
      'revoked',
      {
        projects: 401,
        metrics: 401,
        issues: 401,
        hotspots: 401,
        history: 401,
        component: 401,
        componentOther: 401,
        unknown: 401,
      },
    ],
    [
      'expired',
      {
        projects: 401,
        metrics: 401,
        issues: 401,
        hotspots: 401,
        history: 401,
        component: 401,
        componentOther: 401,
        unknown: 401,
      },
    ],
    [
      undefined,
      {
        projects: 401,
        metrics: 401,
        issues: 401,
        hotspots: 401,
        history: 401,
        component: 401,
        componentOther: 401,
        unknown: 401,
      },
    ],
  ];
  it.each(table)('%s', async (token, expected) => {
    for (const [name, request] of Object.entries(REQUESTS)) {
      const status = expected[name as keyof typeof REQUESTS];
      const reply = await ask(sim, request, { token });
      expect([name, reply.status]).toEqual([name, status]);
      if (status === 403) expect(reply.text).toBe('{"errors":[{"msg":"Insufficient privileges"}]}');
      if (status === 401) {
        expect([reply.text, reply.headers['content-length'], reply.headers['www-authenticate']]).toEqual([
          '',
          '0',
          undefined,
        ]);
      }
    }
  });

  it('analysis tokens find the issues of every project that their owner may browse', async () => {
    const reply = await ask(sim, 'issues/search?componentKeys=other', { token: 'projectAnalysis' });
    expect(reply.json.total).toBe(10);
  });

  it('old versions ask for Browse in measures/component', async () => {
    expect((await ask(old, REQUESTS.component, { token: 'globalAnalysis' })).status).toBe(403);
    expect((await ask(middle, REQUESTS.component, { token: 'globalAnalysis' })).status).toBe(200);
  });
});

describe('a project without Browse, for the administrator too', () => {
  it('is listed, has no issue, and is forbidden elsewhere', async () => {
    const listed = await ask(sim, 'projects/search');
    expect(listed.json.components.map((one) => one.key)).toContain('secret');
    const issues = await ask(sim, 'issues/search?componentKeys=secret&ps=1');
    expect([issues.status, issues.json.total]).toEqual([200, 0]);
    const all = await ask(sim, 'issues/search?ps=1&facets=projects');
    expect(all.json.total).toBe(20);
    expect(all.json.facets[0]?.values.map((one) => one.val)).toEqual(['other', 'own']);
    expect((await ask(sim, 'hotspots/search?project=secret')).status).toBe(403);
    expect((await ask(sim, 'measures/search_history?component=secret&metrics=ncloc')).status).toBe(403);
    // whoever may execute analyses still reads the present measures, since 2025.2
    expect((await ask(sim, 'measures/component?component=secret&metricKeys=ncloc')).status).toBe(200);
    expect((await ask(old, 'measures/component?component=secret&metricKeys=ncloc')).status).toBe(403);
    sim.mutate.restrict('secret', { scan: [] });
    expect((await ask(sim, 'measures/component?component=secret&metricKeys=ncloc')).status).toBe(403);
  });
});

describe('how a token is sent', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  it.each([
    [(token: string) => `Bearer ${token}`, 200],
    [(token: string) => `bearer ${token}`, 200],
    [(token: string) => basic(`${token}:`), 200],
    [() => basic('admin:admin'), 200],
    [(token: string) => `Bearer  ${token}`, 401],
    [(token: string) => basic(token), 401],
    [(token: string) => basic(`${token}:x`), 401],
    [(token: string) => basic(`x:${token}`), 401],
    [() => basic('admin:wrong'), 401],
    [(token: string) => `Token ${token}`, 401],
  ] as const)('%s', async (make, status) => {
    expect((await ask(sim, 'metrics/search', { authorization: make(sim.tokens.admin) })).status).toBe(status);
  });

  it('9.9 refuses Bearer and takes Basic', async () => {
    const ancient = await startSimulator({ version: '9.9', data: data() });
    expect((await ask(ancient, 'metrics/search')).status).toBe(401);
    const reply = await ask(ancient, 'metrics/search', { authorization: basic(`${ancient.tokens.admin}:`) });
    expect(reply.status).toBe(200);
    await ancient.close();
  });

  it('says when a token ends only if it does', async () => {
    const header = 'sonarqube-authentication-token-expiration';
    expect((await ask(sim, 'metrics/search', { token: 'expiring' })).headers[header]).toMatch(
      /^\d{4}-\d\d-\d\dT00:00:00\+0000$/,
    );
    expect((await ask(sim, 'metrics/search')).headers[header]).toBeUndefined();
  });

  it('a token that is revoked in the middle', async () => {
    sim.revoke('viewer');
    expect((await ask(sim, 'metrics/search', { token: 'viewer' })).status).toBe(401);
    sim.restore('viewer');
    expect((await ask(sim, 'metrics/search', { token: 'viewer' })).status).toBe(200);
  });
});
