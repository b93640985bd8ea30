/** What issues/search and hotspots/search find, in which order, and how they write it. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import type { Row } from './ask.ts';
import { Dataset, generate, seconds, startSimulator } from './index.ts';
import type { Issue, Rule, Simulator, Version } from './index.ts';

const NOW = seconds('2026-11-22T17:00:00+0000') * 1000;
const clock = (): number => NOW;

async function rows(sim: Simulator, query: string): Promise<Row[]> {
  const reply = await ask(sim, `issues/search?${query}`);
  expect(reply.status).toBe(200);
  return [...reply.json.issues];
}

async function total(sim: Simulator, query: string): Promise<number> {
  const reply = await ask(sim, `issues/search?ps=1&${query}`);
  expect([query, reply.status]).toEqual([query, 200]);
  return reply.json.total;
}

async function facetOf(sim: Simulator, query: string, name: string): Promise<[string, number][]> {
  const reply = await ask(sim, `issues/search?ps=1&${query}&facets=${name}`);
  expect(reply.status).toBe(200);
  const { facets } = reply.json;
  return facets.find((one) => one.property === name)?.values.map((value) => [value.val, value.count]) ?? [];
}

const RULE: Rule = {
  key: 'javascript:S6666',
  name: 'Spread syntax should be used instead of "apply()"',
  language: 'js',
  type: 'CODE_SMELL',
  severity: 'MAJOR',
  cleanCodeAttribute: 'CONVENTIONAL',
  impacts: [{ softwareQuality: 'MAINTAINABILITY', severity: 'MEDIUM' }],
};

function express(): Dataset {
  return new Dataset({
    rules: [RULE],
    projects: [
      {
        key: 'lab-express',
        name: 'Express',
        analyses: [{ date: seconds('2025-03-31T10:11:12+0000'), revision: undefined, measures: {} }],
        issues: [
          {
            key: 'a9fcb3e7-3eb9-4fa4-a8ba-2b7e8b42a46c',
            rule: RULE.key,
            path: 'src/lib/application.js',
            line: 605,
            status: 'RESOLVED',
            resolution: 'FALSE-POSITIVE',
            message: "Use the spread operator instead of '.apply()'. æ <b> 漢字 🙂",
            tags: ['editable-source'],
            created: seconds('2025-03-31T10:11:12+0000'),
            updated: seconds('2026-11-22T16:17:20+0000'),
            more: { quickFixAvailable: true },
          },
          {
            key: '18d615de-a797-425e-9526-275c3bb195f3',
            rule: 'external_lab:rule-0',
            path: 'src/lib/response.js',
            line: 58,
            status: 'CLOSED',
            resolution: 'FIXED',
            created: seconds('2024-03-25T10:11:12+0000'),
            updated: seconds('2025-03-31T10:11:12+0000'),
            closed: seconds('2025-03-31T10:11:12+0000'),
          },
          {
            key: '0768ebee-bf4b-41b0-8816-561228705c24',
            assignee: 'admin',
            created: seconds('2018-10-11T10:11:12+0000'),
            effort: 545,
          },
        ],
      },
    ],
  });
}

describe('how rows are written', () => {
  it('26.9: fields in the recorded order, escapes, components', async () => {
    const sim = await startSimulator({ version: '26.9', data: express(), clock });
    const reply = await ask(sim, 'issues/search?componentKeys=lab-express&ps=1&statuses=RESOLVED');
    const { key } = { key: 'a9fcb3e7-3eb9-4fa4-a8ba-2b7e8b42a46c' };
    expect(reply.text).toContain(
      String.raw`"message":"Use the spread operator instead of \u0027.apply()\u0027. æ \u003cb\u003e 漢字 🙂"`,
    );
    expect(Object.keys(reply.json)).toEqual([
      'total',
      'p',
      'ps',
      'paging',
      'effortTotal',
      'issues',
      'components',
      'facets',
    ]);
    expect(Object.keys(reply.json.issues[0] ?? {})).toEqual([
      ...[
        'key',
        'rule',
        'severity',
        'component',
        'project',
        'line',
        'hash',
        'textRange',
        'flows',
        'resolution',
        'status',
      ],
      ...['message', 'effort', 'debt', 'author', 'tags', 'creationDate', 'updateDate', 'type', 'scope'],
      ...[
        'quickFixAvailable',
        'messageFormattings',
        'codeVariants',
        'cleanCodeAttribute',
        'cleanCodeAttributeCategory',
      ],
      ...['impacts', 'issueStatus', 'prioritizedRule', 'fromSonarQubeUpdate', 'internalTags', 'linkedTicketStatus'],
    ]);
    expect(reply.json.issues[0]).toMatchObject({
      key,
      component: 'lab-express:src/lib/application.js',
      project: 'lab-express',
      line: 605,
      textRange: { startLine: 605, endLine: 605 },
      effort: '5min',
      author: '',
      creationDate: '2025-03-31T10:11:12+0000',
      updateDate: '2026-11-22T16:17:20+0000',
      quickFixAvailable: true,
      cleanCodeAttributeCategory: 'CONSISTENT',
      impacts: [{ softwareQuality: 'MAINTAINABILITY', severity: 'MEDIUM' }],
      issueStatus: 'FALSE_POSITIVE',
      linkedTicketStatus: 'NOT_LINKED',
    });
    expect(reply.json.components).toEqual([
      {
        key: 'lab-express:src/lib/application.js',
        enabled: true,
        qualifier: 'FIL',
        name: 'application.js',
        longName: 'src/lib/application.js',
        path: 'src/lib/application.js',
      },
      { key: 'lab-express', enabled: true, qualifier: 'TRK', name: 'Express', longName: 'Express' },
    ]);
    const [closed] = await rows(sim, 'statuses=CLOSED');
    expect(closed).toMatchObject({
      externalRuleEngine: 'lab',
      closeDate: '2025-03-31T10:11:12+0000',
      issueStatus: 'FIXED',
    });
    expect(closed).not.toHaveProperty('line');
    expect(closed).toHaveProperty('textRange');
    const [ofProject] = await rows(sim, 'assigned=true');
    expect(ofProject).toMatchObject({ component: 'lab-express', effort: '1d1h5min' });
    expect((await ask(sim, 'issues/search?additionalFields=_all')).json).toHaveProperty('rules');
    await sim.close();
  });

  it('older versions lack what came later, and have their own time zone', async () => {
    const at = async (version: Version): Promise<Row> => {
      const sim = await startSimulator({ version, data: express(), clock, utcOffset: '+0530' });
      const found = await rows(sim, 'statuses=RESOLVED');
      await sim.close();
      return found[0]!;
    };
    const ten = await at('10.0');
    for (const name of [
      'codeVariants',
      'impacts',
      'cleanCodeAttribute',
      'issueStatus',
      'prioritizedRule',
      'internalTags',
    ]) {
      expect(ten).not.toHaveProperty(name);
    }
    expect(ten['creationDate']).toBe('2025-03-31T15:41:12+0530');
    const seven = await at('10.7');
    for (const name of ['codeVariants', 'impacts', 'issueStatus', 'prioritizedRule'])
      expect(seven).toHaveProperty(name);
    expect(seven).not.toHaveProperty('fromSonarQubeUpdate');
    expect(await at('25.12')).toHaveProperty('linkedTicketStatus');
  });
});

describe('dates', () => {
  let sim: Simulator;
  beforeAll(async () => {
    const data = generate({ projects: 1, issuesPerProject: 120, oneSecond: seconds('2021-03-04T10:11:12+0000') });
    sim = await startSimulator({ data, clock });
  });
  afterAll(() => sim.close());

  it.each([
    ['createdAfter=2021-03-04T10:11:11%2B0000', 120],
    ['createdAfter=2021-03-04T10:11:12%2B0000', 120],
    ['createdAfter=2021-03-04T10:11:13%2B0000', 0],
    ['createdBefore=2021-03-04T10:11:12%2B0000', 0],
    ['createdBefore=2021-03-04T10:11:13%2B0000', 120],
    ['createdAt=2021-03-04T10:11:12%2B0000', 120],
    ['createdAt=2021-03-04', 0],
    ['createdAfter=2021-03-04', 120],
    ['createdBefore=2021-03-04', 120],
    ['createdBefore=2021-03-03', 0],
    ['createdAfter=2021-03-04&createdBefore=2021-03-04', 120],
    ['createdAfter=2021-03-04T10:11:12%2B0000&createdBefore=2021-03-04T10:11:13%2B0000', 120],
    ['createdAfter=2021-03-04T11:11:12%2B0100', 120],
    ['createdInLast=10y', 120],
    ['createdInLast=1m2w', 0],
    ['languages=cobol', 0],
    ['author=', 0],
    ['scopes=MAIN,TEST', 120],
  ])('%s finds %i', async (query, count) => {
    expect(await total(sim, query)).toBe(count);
    expect(await total(sim, `s=CREATION_DATE&${query}`)).toBe(count);
  });
});

describe('names of parameters by version', () => {
  const data = (): Dataset =>
    generate({ projects: 2, issuesPerProject: (i) => (i + 1) * 10, projectKey: (i) => ['a', 'b'][i] ?? '' });
  it.each([
    ['10.0', 'components=a', 30],
    ['10.0', 'components=nope', 30],
    ['10.0', 'componentKeys=a', 10],
    ['10.0', 'issueStatuses=NOPE', 30],
    ['10.7', 'components=a', 10],
    ['10.7', 'componentKeys=a', 10],
    ['26.9', 'components=b', 20],
    ['26.9', 'componentKeys=a&components=b', 10],
    ['26.9', 'components=b&components=a', 20],
    ['26.9', 'components=', 30],
    ['26.9', 'componentKeys=a,nope', 10],
    ['26.9', 'updatedAfter=2090-01-01', 30],
  ] as const)('%s: %s finds %i', async (version, query, count) => {
    const sim = await startSimulator({ version, data: data(), clock });
    expect(await total(sim, query)).toBe(count);
    await sim.close();
  });

  it('projectKeys of projects/search answers with everything before it is known', async () => {
    for (const [version, count] of [
      ['25.12', 2],
      ['26.9', 1],
    ] as const) {
      const sim = await startSimulator({ version, data: data() });
      expect((await ask(sim, 'projects/search?projectKeys=A')).json.paging.total).toBe(count);
      expect((await ask(sim, 'projects/search?projects=a')).json.paging.total).toBe(1);
      await sim.close();
    }
  });
});

describe('places', () => {
  const data = (): Dataset =>
    new Dataset({
      projects: [
        {
          key: 'p',
          issues: ['src/dir1/sub/a.py', 'src/dir1/sub1/b.py', 'src/dir1/sub10/c.py', 'src/we,ird/d.py', 'top.py'].map(
            (path) => ({
              path,
            }),
          ),
        },
      ],
    });
  it.each([
    ['10.0', 'directories=src/dir1/sub', 1],
    ['10.7', 'directories=src/dir1/sub', 1],
    ['25.1', 'directories=src/dir1/sub', 3],
    ['26.9', 'directories=src/we', 1],
    ['10.7', 'directories=src/we', 0],
    ['26.9', 'directories=/', 1],
    ['26.9', 'files=src/we,ird/d.py', 0],
    ['26.9', 'files=top.py,src/dir1/sub/a.py', 2],
    ['26.9', 'componentKeys=p:top.py', 1],
    ['26.9', 'componentKeys=p:src/dir1/sub', 1],
    ['26.9', 'componentKeys=p:src/we,ird/d.py', 0],
  ] as const)('%s: %s finds %i', async (version, query, count) => {
    const sim = await startSimulator({ version, data: data(), clock });
    expect(await total(sim, query)).toBe(count);
    await sim.close();
  });

  it('one kind of component at a time', async () => {
    const sim = await startSimulator({ data: data() });
    const reply = await ask(sim, 'issues/search?componentKeys=p,p:top.py');
    expect(reply.json.errors[0]?.msg).toBe('All components must have the same qualifier, found TRK,FIL');
    await sim.close();
  });
});

describe('26,000 issues in one second', () => {
  let sim: Simulator;
  let keys: string[];
  beforeAll(async () => {
    const data = generate({
      seed: 11,
      projects: 1,
      issuesPerProject: 26_000,
      rules: 300,
      filesPerProject: 500,
      oneSecond: true,
    });
    sim = await startSimulator({ data, clock });
    keys = data.projects[0]!.issues.map((issue) => issue.key).sort();
  });
  afterAll(() => sim.close());
  const P = 'componentKeys=org.example:project-0';

  it('both ends of one order do not overlap and reach 20,000', async () => {
    const seen = new Set<string>();
    for (const asc of ['true', 'false']) {
      for (let p = 1; p <= 20; p++) {
        for (const row of await rows(sim, `${P}&s=CREATION_DATE&asc=${asc}&ps=500&p=${p}`)) seen.add(row.key);
      }
    }
    expect(seen.size).toBe(20_000);
    expect([...seen].sort()).toEqual([...keys.slice(0, 10_000), ...keys.slice(16_000)]);
  });

  it('inside the second, creation, update and status order are those of the keys; the others are not', async () => {
    const first = async (sort: string, asc: boolean): Promise<string[]> =>
      (await rows(sim, `${P}&statuses=OPEN&s=${sort}&asc=${asc}&ps=50`)).map((row) => row.key);
    const ascending = await first('CREATION_DATE', true);
    expect(ascending).toEqual([...ascending].sort());
    expect(await first('UPDATE_DATE', true)).toEqual(ascending);
    expect(await first('STATUS', true)).toEqual(ascending);
    for (const sort of ['SEVERITY', 'FILE_LINE', 'HOTSPOTS']) expect(await first(sort, true)).not.toEqual(ascending);
  });

  it('a facet has the hundred biggest values and every value that its filter names', async () => {
    const issues = sim.data.projects[0]!.issues;
    const counts = new Map<string, number>();
    for (const issue of issues) counts.set(issue.rule, (counts.get(issue.rule) ?? 0) + 1);
    const all = await facetOf(sim, P, 'rules');
    expect(all).toHaveLength(100);
    for (const [rule, count] of all) expect(counts.get(rule)).toBe(count);
    expect(Math.min(...all.map(([, count]) => count))).toBeGreaterThanOrEqual(
      Math.max(...[...counts].filter(([rule]) => !all.some(([one]) => one === rule)).map(([, count]) => count)),
    );
    const named = [...counts.keys()].slice(100, 250);
    const asked = await facetOf(sim, `${P}&rules=${named.join(',')},java:S9`, 'rules');
    const found = new Map(asked);
    for (const rule of named) expect(found.get(rule)).toBe(counts.get(rule));
    expect(found.get('java:S9')).toBe(0);
    // its own filter is not applied: the biggest ones are there whether named or not
    expect(all.slice(0, 20).every(([rule]) => found.has(rule))).toBe(true);
    // other filters are
    const severe = await facetOf(sim, `${P}&severities=MAJOR&rules=${named.join(',')}`, 'severities');
    const inRules = issues.filter((issue) => named.includes(issue.rule));
    expect(severe.reduce((sum, [, count]) => sum + count, 0)).toBe(inRules.length);
  });
});

describe('facets', () => {
  it('closed lists with zeros, open ones without, buckets by date', async () => {
    const sim = await startSimulator({ version: '26.9', data: express(), clock });
    expect(await facetOf(sim, '', 'severities')).toEqual([
      ['MAJOR', 3],
      ['INFO', 0],
      ['MINOR', 0],
      ['CRITICAL', 0],
      ['BLOCKER', 0],
    ]);
    expect(await facetOf(sim, '', 'resolutions')).toEqual([
      ['', 1],
      ['FALSE-POSITIVE', 1],
      ['FIXED', 1],
      ['WONTFIX', 0],
      ['REMOVED', 0],
    ]);
    expect((await facetOf(sim, '', 'issueStatuses')).map(([val]) => val)).toHaveLength(5);
    expect(await facetOf(sim, '', 'assignees')).toEqual([
      ['', 2],
      ['admin', 1],
    ]);
    expect(await facetOf(sim, 'componentKeys=lab-express', 'directories')).toEqual([['src/lib', 2]]);
    expect(await facetOf(sim, 'componentKeys=lab-express', 'projects')).toEqual([['lab-express', 3]]);
    const years = await facetOf(sim, '', 'createdAt');
    expect(years.map(([val]) => val.slice(0, 4))).toEqual([
      '2018',
      '2019',
      '2020',
      '2021',
      '2022',
      '2023',
      '2024',
      '2025',
      '2026',
    ]);
    expect(years[0]).toEqual(['2018-01-01', 1]);
    expect(await facetOf(sim, 'createdAfter=2024-03-25&createdBefore=2024-03-26', 'createdAt')).toEqual([
      ['2024-03-25', 1],
      ['2024-03-26', 0],
    ]);
    const reply = await ask(sim, 'issues/search?ps=1&facets=types,issueStatuses,severities');
    expect(reply.json.facets.map((one) => one.property)).toEqual(['severities', 'types', 'issueStatuses']);
    await sim.close();
  });
});

describe('against the plainest model', () => {
  let sim: Simulator;
  let issues: Issue[];
  beforeAll(async () => {
    const data = generate({
      seed: 5,
      projects: 3,
      issuesPerProject: 150,
      rules: 9,
      filesPerProject: 12,
      projectKey: (i) => `p${i}`,
    });
    sim = await startSimulator({ data, clock });
    issues = data.projects.flatMap((project) => project.issues);
  });
  afterAll(() => sim.close());

  const choice = <T>(...values: T[]): fc.Arbitrary<T | undefined> =>
    fc.option(fc.constantFrom(...values), { nil: undefined });
  it('filters, order and pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          components: choice(['p0'], ['p1', 'p2'], ['p2', 'nope']),
          severities: choice(['MAJOR'], ['MINOR', 'BLOCKER']),
          statuses: choice(['OPEN', 'REOPENED'], ['CLOSED']),
          resolved: choice(true, false),
          assignees: choice(['developer1', 'developer2']),
          tags: choice(['convention'], ['cwe', 'unused']),
          after: choice(1_600_000_000, 1_700_000_000),
          before: choice(1_720_000_000, 1_750_000_000),
          sort: fc.constantFrom('CREATION_DATE', 'UPDATE_DATE', 'CLOSE_DATE', 'SEVERITY', 'STATUS'),
          asc: fc.boolean(),
          p: fc.integer({ min: 1, max: 4 }),
          ps: fc.constantFrom(1, 7, 50, 500),
        }),
        async (q) => {
          const date = (at: number): string => new Date(at * 1000).toISOString().slice(0, 19) + '+0000';
          const params = new URLSearchParams({ s: q.sort, asc: String(q.asc), p: String(q.p), ps: String(q.ps) });
          if (q.components) params.set('componentKeys', q.components.join());
          if (q.severities) params.set('severities', q.severities.join());
          if (q.statuses) params.set('statuses', q.statuses.join());
          if (q.resolved !== undefined) params.set('resolved', String(q.resolved));
          if (q.assignees) params.set('assignees', q.assignees.join());
          if (q.tags) params.set('tags', q.tags.join());
          if (q.after) params.set('createdAfter', date(q.after));
          if (q.before) params.set('createdBefore', date(q.before));
          const expected = issues.filter(
            (issue) =>
              (q.components?.includes(issue.project.key) ?? true) &&
              (q.severities?.includes(issue.severity) ?? true) &&
              (q.statuses?.includes(issue.status) ?? true) &&
              (q.resolved === undefined || q.resolved === (issue.resolution !== undefined)) &&
              (q.assignees === undefined || (issue.assignee !== undefined && q.assignees.includes(issue.assignee))) &&
              (q.tags === undefined || issue.tags.some((tag) => q.tags?.includes(tag))) &&
              (q.after === undefined || issue.created >= q.after) &&
              (q.before === undefined || issue.created < q.before),
          );
          const severities = ['INFO', 'MINOR', 'MAJOR', 'CRITICAL', 'BLOCKER'];
          const value = (issue: Issue): number | string =>
            ({
              CREATION_DATE: issue.created,
              UPDATE_DATE: issue.updated,
              CLOSE_DATE: issue.closed ?? -1,
              SEVERITY: severities.indexOf(issue.severity),
              STATUS: issue.status,
            })[q.sort];
          expected.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : a.key < b.key ? -1 : 1));
          if (!q.asc) expected.reverse();
          const reply = await ask(sim, `issues/search?${params.toString()}`);
          expect(reply.status).toBe(200);
          expect(reply.json.total).toBe(expected.length);
          expect(reply.json.effortTotal).toBe(expected.reduce((sum, issue) => sum + issue.effort, 0));
          expect(reply.json.issues.map((row) => row.key)).toEqual(
            expected.slice((q.p - 1) * q.ps, q.p * q.ps).map((issue) => issue.key),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('asc=false is the exact reverse, for every sort', async () => {
    for (const sort of [
      'CREATION_DATE',
      'UPDATE_DATE',
      'CLOSE_DATE',
      'SEVERITY',
      'STATUS',
      'FILE_LINE',
      'HOTSPOTS',
      'TYPE_SEVERITY',
    ]) {
      const up = (await rows(sim, `s=${sort}&asc=true&ps=500`)).map((row) => row.key);
      const down = (await rows(sim, `s=${sort}&asc=false&ps=500`)).map((row) => row.key);
      expect([sort, down.toReversed()]).toEqual([sort, up]);
      expect(new Set(up).size).toBe(450);
    }
  });
});

describe('hotspots/search', () => {
  const data = (): Dataset => generate({ projects: 1, issuesPerProject: 20, hotspots: 300, projectKey: () => 'p' });

  it('fixed order, filters, recorded fields; none on 26.9 unless told', async () => {
    const sim = await startSimulator({ version: '25.12', data: data() });
    const reply = await ask(sim, 'hotspots/search?project=p&ps=500&status=REVIEWED');
    const found = reply.json.hotspots;
    expect(found).toHaveLength(reply.json.paging.total);
    expect(Object.keys(found[0]!)).toEqual([
      ...[
        'key',
        'component',
        'project',
        'securityCategory',
        'vulnerabilityProbability',
        'status',
        'resolution',
        'line',
      ],
      ...['message', 'author', 'creationDate', 'updateDate', 'textRange', 'flows', 'ruleKey', 'messageFormattings'],
    ]);
    expect(Object.keys(reply.json)).toEqual(['paging', 'hotspots', 'components']);
    const order = found.map((row) => String(row['vulnerabilityProbability']));
    expect(order).toEqual(
      [...order].sort((a, b) => ['HIGH', 'MEDIUM', 'LOW'].indexOf(a) - ['HIGH', 'MEDIUM', 'LOW'].indexOf(b)),
    );
    const count = async (query: string): Promise<number> =>
      (await ask(sim, `hotspots/search?project=p&ps=1&${query}`)).json.paging.total;
    expect((await count('status=TO_REVIEW')) + found.length).toBe(300);
    const resolutions = await Promise.all(
      ['FIXED', 'SAFE', 'ACKNOWLEDGED'].map((one) => count(`status=REVIEWED&resolution=${one}`)),
    );
    expect(resolutions.reduce((a, b) => a + b)).toBe(found.length);
    const categories = new Set(sim.data.projects[0]!.hotspots.map((one) => one.category));
    const parts = await Promise.all([...categories].map((one) => count(`sonarsourceSecurity=${one}`)));
    expect(parts.reduce((a, b) => a + b)).toBe(300);
    expect((await ask(sim, 'hotspots/search?project=p&resolution=SAFE')).status).toBe(400);
    await sim.close();

    const newest = await startSimulator({ version: '26.9', data: data() });
    expect((await ask(newest, 'hotspots/search?project=p')).json.paging.total).toBe(0);
    await newest.close();
    const told = await startSimulator({ version: '26.9', data: data(), keepHotspots: true });
    expect((await ask(told, 'hotspots/search?project=p')).json.paging.total).toBe(300);
    await told.close();
    const old = await startSimulator({ version: '10.0', data: data() });
    expect((await ask(old, 'hotspots/search?projectKey=p')).json.paging.total).toBe(300);
    await old.close();
  });
});

describe('rows that the database lost', () => {
  it('are counted and not shown', async () => {
    const sim = await startSimulator({ data: express() });
    sim.mutate.loseRows(['18d615de-a797-425e-9526-275c3bb195f3']);
    const reply = await ask(sim, 'issues/search?ps=3');
    expect([reply.json.total, reply.json.issues.length]).toEqual([3, 2]);
    await sim.close();
  });
});
