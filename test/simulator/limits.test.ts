/** Messages and limits, word for word as real servers of 25.12 and 26.9 gave them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { Dataset, generate, seconds, startSimulator } from './index.ts';
import type { Simulator } from './index.ts';

const NOW = seconds('2026-11-22T17:00:00+0000') * 1000;

let sim: Simulator;
let old: Simulator;
let middle: Simulator;

beforeAll(async () => {
  const data = (): Dataset =>
    generate({
      seed: 3,
      projects: 2,
      issuesPerProject: (i) => (i === 0 ? 169 : 12_000),
      oneSecond: seconds('2021-03-04T10:11:12+0000'),
      neverAnalysed: 1,
      projectKey: (i) => ['express', 'onerule'][i] ?? `p${i}`,
    });
  sim = await startSimulator({ version: '26.9', data: data(), clock: () => NOW });
  middle = await startSimulator({ version: '25.12', data: data(), clock: () => NOW });
  old = await startSimulator({ version: '10.0', data: data(), clock: () => NOW });
});

afterAll(async () => {
  await Promise.all([sim.close(), middle.close(), old.close()]);
});

describe('errors, byte for byte', () => {
  const cases: [request: string, status: number, body: string][] = [
    ['issues/search?ps=501', 400, String.raw`{"errors":[{"msg":"\u0027ps\u0027 value (501) must be less than 500"}]}`],
    [
      'projects/search?ps=501',
      400,
      String.raw`{"errors":[{"msg":"\u0027ps\u0027 value (501) must be less than 500"}]}`,
    ],
    [
      'hotspots/search?project=express&ps=501',
      400,
      '{"errors":[{"msg":"Page size must be between 1 and 500 (got 501)"}]}',
    ],
    ['issues/search?ps=0', 400, '{"errors":[{"msg":"Page size must be between 1 and 500 (got 0)"}]}'],
    ['issues/search?ps=-1', 400, '{"errors":[{"msg":"Page size must be between 1 and 500 (got -1)"}]}'],
    [
      'issues/search?ps=abc',
      400,
      String.raw`{"errors":[{"msg":"\u0027ps\u0027 value \u0027abc\u0027 cannot be parsed as an integer"}]}`,
    ],
    ['issues/search?p=0', 400, '{"errors":[{"msg":"Page must be greater or equal to 1 (got 0)"}]}'],
    [
      'issues/search?ps=500&p=21',
      400,
      '{"errors":[{"msg":"Can return only the first 10000 results. 10500th result asked."}]}',
    ],
    [
      'issues/search?ps=100&p=101',
      400,
      '{"errors":[{"msg":"Can return only the first 10000 results. 10100th result asked."}]}',
    ],
    [
      'issues/search?ps=300&p=34',
      400,
      '{"errors":[{"msg":"Can return only the first 10000 results. 10200th result asked."}]}',
    ],
    [
      'issues/search?ps=1&p=10001',
      400,
      '{"errors":[{"msg":"Can return only the first 10000 results. 10001th result asked."}]}',
    ],
    [
      'hotspots/search?project=express&ps=500&p=21',
      400,
      '{"errors":[{"msg":"Can return only the first 10000 results. 10500th result asked."}]}',
    ],
    [
      'hotspots/search',
      400,
      String.raw`{"errors":[{"msg":"A value must be provided for either parameter \u0027project\u0027 or parameter \u0027hotspots\u0027"}]}`,
    ],
    [
      'hotspots/search?project=no-such-project',
      404,
      String.raw`{"errors":[{"msg":"Project \u0027no-such-project\u0027 not found"}]}`,
    ],
    [
      'measures/component?component=no-such-project&metricKeys=ncloc',
      404,
      String.raw`{"errors":[{"msg":"Component key \u0027no-such-project\u0027 not found"}]}`,
    ],
    [
      'measures/search_history?component=no-such-project&metrics=ncloc',
      404,
      String.raw`{"errors":[{"msg":"Component key \u0027no-such-project\u0027 not found"}]}`,
    ],
    [
      'measures/search_history?component=express&metrics=ncloc&branch=nope',
      404,
      String.raw`{"errors":[{"msg":"Component \u0027express\u0027 on branch \u0027nope\u0027 not found"}]}`,
    ],
    [
      'measures/component?component=express&metricKeys=ncloc,no_such_metric',
      404,
      '{"errors":[{"msg":"The following metric keys are not found: no_such_metric"}]}',
    ],
    [
      'measures/search_history?component=express&metrics=ncloc,no_such_metric',
      400,
      '{"errors":[{"msg":"Metrics no_such_metric are not found"}]}',
    ],
    [
      'measures/component?component=express',
      400,
      String.raw`{"errors":[{"msg":"The \u0027metricKeys\u0027 parameter is missing"}]}`,
    ],
    [
      'measures/search_history?component=express',
      400,
      String.raw`{"errors":[{"msg":"The \u0027metrics\u0027 parameter is missing"}]}`,
    ],
    [
      'measures/search_history?component=express&metrics=ncloc&ps=1001',
      400,
      String.raw`{"errors":[{"msg":"\u0027ps\u0027 value (1001) must be less than 1000"}]}`,
    ],
    [
      'measures/search_history?component=express&metrics=ncloc&from=yesterday',
      400,
      String.raw`{"errors":[{"msg":"Date \u0027yesterday\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=yesterday',
      400,
      String.raw`{"errors":[{"msg":"Date \u0027yesterday\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=2020-01-01T00:00:00',
      400,
      String.raw`{"errors":[{"msg":"Date \u00272020-01-01T00:00:00\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=2020-01-01T00:00:00Z',
      400,
      String.raw`{"errors":[{"msg":"Date \u00272020-01-01T00:00:00Z\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=2020-01-01T00:00:00.000%2B0000',
      400,
      String.raw`{"errors":[{"msg":"Date \u00272020-01-01T00:00:00.000+0000\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=2020-01-01T00:00:00%2B00:00',
      400,
      String.raw`{"errors":[{"msg":"Date \u00272020-01-01T00:00:00+00:00\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=2020-01-01T00:00:00+0000',
      400,
      String.raw`{"errors":[{"msg":"Date \u00272020-01-01T00:00:00 0000\u0027 cannot be parsed as either a date or date+time"}]}`,
    ],
    [
      'issues/search?createdAfter=2024-01-01&createdBefore=2020-01-01',
      400,
      '{"errors":[{"msg":"Start bound cannot be larger or equal to end bound"}]}',
    ],
    [
      'issues/search?createdAfter=2020-01-01T00:00:00%2B0000&createdBefore=2020-01-01T00:00:00%2B0000',
      400,
      '{"errors":[{"msg":"Start bound cannot be larger or equal to end bound"}]}',
    ],
    ['issues/search?createdAfter=2090-01-01', 400, '{"errors":[{"msg":"Start bound cannot be in the future"}]}'],
    [
      'issues/search?createdInLast=5y&createdAfter=2021-01-01',
      400,
      '{"errors":[{"msg":"Parameters createdAfter and createdInLast cannot be set simultaneously"}]}',
    ],
    [
      'issues/search?severities=NOPE',
      400,
      String.raw`{"errors":[{"msg":"Value of parameter \u0027severities\u0027 (NOPE) must be one of: [INFO, MINOR, MAJOR, CRITICAL, BLOCKER]"}]}`,
    ],
    [
      'issues/search?types=SECURITY_HOTSPOT',
      400,
      String.raw`{"errors":[{"msg":"Value of parameter \u0027types\u0027 (SECURITY_HOTSPOT) must be one of: [CODE_SMELL, BUG, VULNERABILITY]"}]}`,
    ],
    [
      'issues/search?issueStatuses=NOPE',
      400,
      String.raw`{"errors":[{"msg":"Value of parameter \u0027issueStatuses\u0027 (NOPE) must be one of: [OPEN, CONFIRMED, FALSE_POSITIVE, ACCEPTED, FIXED, IN_SANDBOX]"}]}`,
    ],
    [
      'issues/search?s=NAME',
      400,
      String.raw`{"errors":[{"msg":"Value of parameter \u0027s\u0027 (NAME) must be one of: [CLOSE_DATE, UPDATE_DATE, TYPE_SEVERITY, HOTSPOTS, IMPACT_RANK, CREATION_DATE, SEVERITY, STATUS, FILE_LINE]"}]}`,
    ],
    [
      'issues/search?facets=nope',
      400,
      String.raw`{"errors":[{"msg":"Value of parameter \u0027facets\u0027 (nope) must be one of: [projects, files, assigned_to_me, severities, statuses, resolutions, rules, assignees, author, directories, scopes, languages, tags, types, pciDss-3.2, pciDss-4.0, owaspAsvs-4.0, owaspMobileTop10-2024, owaspTop10, owaspTop10-2021, stig-ASD_V5R3, casa, sansTop25, cwe, createdAt, sonarsourceSecurity, codeVariants, cleanCodeAttributeCategories, impactSoftwareQualities, impactSeverities, issueStatuses, prioritizedRule, complianceStandards]"}]}`,
    ],
    [
      'issues/search?facets=files',
      400,
      String.raw`{"errors":[{"msg":"Facet(s) \u0027files\u0027 require to also filter by project"}]}`,
    ],
    ['issues/search?rules=python', 400, '{"errors":[{"msg":"Invalid rule key: python"}]}'],
    [
      'issues/search?componentKeys=express&branch=main&pullRequest=1',
      500,
      '{"errors":[{"msg":"An error has occurred. Please contact your administrator"}]}',
    ],
    [
      'measures/component?component=express&metricKeys=ncloc,development_cost&additionalFields=metrics',
      400,
      String.raw`{"errors":[{"msg":"Unsupported metric type \u0027STRING\u0027 for numerical value"}]}`,
    ],
    ['issues/search/', 400, String.raw`{"errors":[{"msg":"Url is incorrect : \u0027/api/issues/search/\u0027"}]}`],
    ['no/such', 404, '{"errors":[{"msg":"Unknown url : /api/no/such"}]}'],
    ['issues/list?project=express', 404, '{"errors":[{"msg":"Unknown url : /api/issues/list"}]}'],
  ];
  it.each(cases)('%s', async (request, status, body) => {
    const reply = await ask(sim, request);
    expect([reply.status, reply.text]).toEqual([status, body]);
    // as recorded: after a 400 the connection closes, and no error has the usual headers
    expect(reply.headers.connection === 'close').toBe(status === 400);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers['transfer-encoding']).toBe('chunked');
    expect(reply.headers['cache-control']).toBeUndefined();
  });

  it('says the sorts and statuses of its version', async () => {
    const bad = await ask(middle, 'issues/search?s=NAME');
    expect(bad.json.errors[0]?.msg).toBe(
      "Value of parameter 's' (NAME) must be one of: [CREATION_DATE, CLOSE_DATE, SEVERITY, STATUS, FILE_LINE, HOTSPOTS, UPDATE_DATE]",
    );
    expect((await ask(middle, 'issues/search?issueStatuses=IN_SANDBOX')).status).toBe(200);
    const ten = await ask(old, 'issues/search?statuses=IN_SANDBOX');
    expect(ten.json.errors[0]?.msg).toContain('[OPEN, CONFIRMED, REOPENED, RESOLVED, CLOSED]');
    expect((await ask(old, 'hotspots/search?project=express')).json.errors[0]?.msg).toBe(
      "A value must be provided for either parameter 'projectKey' or parameter 'hotspots'",
    );
  });

  it('refuses another method', async () => {
    const reply = await ask(sim, 'issues/search', { method: 'POST' });
    expect([reply.status, reply.text]).toEqual([405, '{"errors":[{"msg":"HTTP method GET is required"}]}']);
  });

  it('takes a request of 45 KB and answers 60 KB in HTML', async () => {
    const keys = (bytes: number): string =>
      Array.from({ length: bytes / 7 }, (_, i) => `k${String(i).padStart(5, '0')}`).join(',');
    expect((await ask(sim, `issues/search?componentKeys=${keys(45_000)}`)).json.total).toBe(0);
    const reply = await ask(sim, `issues/search?componentKeys=${keys(60_000)}`);
    expect(reply.status).toBe(400);
    expect(reply.headers['content-type']).toContain('text/html');
  });

  it('limits a list of projects to 1000', async () => {
    const keys = Array.from({ length: 1200 }, (_, i) => `k${i}`).join(',');
    const reply = await ask(sim, `projects/search?projectKeys=${keys}`);
    expect(reply.json.errors[0]?.msg).toBe("'projectKeys' can contain only 1000 values, got 1200");
  });
});

describe('no errors where the real server makes none', () => {
  it.each([
    [
      'issues/search?componentKeys=no-such-project&ps=1',
      '{"total":0,"p":1,"ps":1,"paging":{"pageIndex":1,"pageSize":1,"total":0},"effortTotal":0,"issues":[],"components":[],"facets":[]}',
    ],
    [
      'issues/search?componentKeys=express&branch=nope',
      '{"total":0,"p":1,"ps":100,"paging":{"pageIndex":1,"pageSize":100,"total":0},"effortTotal":0,"issues":[],"components":[],"facets":[]}',
    ],
    [
      'measures/component?component=never-analysed-0&metricKeys=ncloc',
      '{"component":{"key":"never-analysed-0","name":"Never analysed 0","qualifier":"TRK","measures":[]}}',
    ],
    [
      'measures/search_history?component=never-analysed-0&metrics=ncloc',
      '{"paging":{"pageIndex":1,"pageSize":100,"total":0},"measures":[{"metric":"ncloc","history":[]}]}',
    ],
    [
      'hotspots/search?project=express',
      '{"paging":{"pageIndex":1,"pageSize":100,"total":0},"hotspots":[],"components":[]}',
    ],
  ])('%s', async (request, body) => {
    const reply = await ask(sim, request);
    expect([reply.status, reply.text]).toEqual([200, body]);
  });

  it('25.12 does not find a project that was never analysed', async () => {
    for (const request of ['measures/component?metricKeys', 'measures/search_history?metrics']) {
      const reply = await ask(middle, `${request}=ncloc&component=never-analysed-0`);
      expect([reply.status, reply.json.errors[0]?.msg]).toEqual([404, "Component key 'never-analysed-0' not found"]);
    }
  });

  it('a page beyond the last one, row 10,000, main branch by name, unknown parameters', async () => {
    const beyond = await ask(sim, 'issues/search?componentKeys=express&ps=500&p=10');
    expect([beyond.json.total, beyond.json.issues]).toEqual([169, []]);
    const last = await ask(sim, 'issues/search?componentKeys=onerule&ps=1&p=10000');
    expect([last.json.total, last.json.issues.length]).toEqual([12_000, 1]);
    expect((await ask(sim, 'issues/search?componentKeys=express&branch=main&noSuch=1')).json.total).toBe(169);
  });
});

describe('addresses', () => {
  it('answers the web application outside the API, and everything below a context', async () => {
    const page = await ask(sim, '/sonarqube/api/system/status');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html;charset=utf-8']);
    expect((await ask(sim, '//api/system/status')).json.status).toBe('UP');
    const below = await startSimulator({ context: '/sonar', data: new Dataset({ projects: [{ key: 'a' }] }) });
    expect(below.url).toMatch(/\/sonar$/);
    expect((await ask(below, 'projects/search')).json.paging.total).toBe(1);
    await below.close();
  });

  it('system/status needs no one to be logged in', async () => {
    for (const token of [undefined, 'bad', 'admin'] as const) {
      const reply = await ask(sim, 'system/status', { token });
      expect(reply.text).toBe('{"id":"2F0D55B3-AaID18QV8cqx49HzDSpt","version":"26.9.0.129388","status":"UP"}');
    }
  });
});

describe('transport', () => {
  it('sends the recorded headers, the clock in Date, chunks, and gzip from 1,024 bytes', async () => {
    const plain = await ask(sim, 'issues/search?ps=100');
    expect(plain.headers).toMatchObject({
      'cache-control': 'no-cache, no-store, must-revalidate',
      vary: 'accept-encoding',
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
      date: 'Sun, 22 Nov 2026 17:00:00 GMT',
    });
    const small = await ask(sim, 'system/status', { headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
    const packed = await ask(sim, 'issues/search?ps=100', { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.text).toBe(plain.text);
    expect(packed.bytes).toBeLessThan(plain.bytes / 3);
    expect(sim.log.at(-1)).toMatchObject({
      path: '/api/issues/search',
      status: 200,
      token: 'admin',
      bytes: packed.bytes,
    });
  });
});
