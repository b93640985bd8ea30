/** Servers that cannot be reached, are not ready, are not SonarQube, or do not like the token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  actions,
  Dataset,
  generate,
  type Simulator,
  type SimulatorOptions,
  type TokenName,
} from '../simulator/index.ts';
import { bench, complaint, complaints, freePort, run, type Bench, type Ran } from './program.ts';

let b: Bench;
/** A server that was synced whole; nothing that follows may change a row of it. */
let known: Simulator;
let before: string;

const data = (): Dataset => generate({ projects: 2, issuesPerProject: 20, metrics: 12, analyses: 2 });

beforeAll(async () => {
  b = await bench();
  known = await b.simulator({ data: data() });
  const first = await b.sync(known);
  expect(complaints(first)).toEqual([]);
  expect(first.code).toBe(0);
  before = await b.stored();
});
afterAll(() => b.close());

/** Syncs an address and holds that not one row, and no new connection, was stored. */
async function fails(url: string, args: readonly string[] = [], token = known.tokens.admin): Promise<Ran> {
  const ran = await run(['sync', '--url', url, '--data-dir', b.dataDir, ...args], { token });
  expect(await b.stored()).toBe(before);
  return ran;
}

const curl = (url: string): string =>
  `curl --location '${url}/api/projects/search' --header 'Authorization: Bearer ****'`;

describe('a wrong address', () => {
  it('nothing listens there', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const ran = await fails(url);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain(`${url} cannot be reached: nothing listens there`);
    expect(complaint(ran)).toContain(curl(url));
  });

  it('a host that does not exist', async () => {
    const ran = await fails('http://sonar.invalid/sonarqube');
    expect(ran.code).toBe(6);
    // without any DNS at all the answer is the second
    expect(complaint(ran)).toMatch(/its host name is not known to DNS|DNS does not answer/);
    expect(complaint(ran)).toContain(curl('http://sonar.invalid/sonarqube'));
  });

  it('a page instead of JSON', async () => {
    const sim = await b.simulator();
    sim.faults.always('projects/search', actions.htmlPage());
    const ran = await fails(sim.url);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain("answers with text/html (200) instead of SonarQube's JSON");
    expect(complaint(ran)).toContain(curl(sim.url));
  });

  it('a path that is not the context path', async () => {
    const ran = await fails(`${known.url}/elsewhere`);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain('its context path is wrong');
    expect(complaint(ran)).toContain(curl(`${known.url}/elsewhere`));
  });

  it('the context path left out', async () => {
    const sim = await b.simulator({ context: '/sonar', data: data() });
    const ran = await fails(sim.url.replace('/sonar', ''));
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain('its context path is wrong');
  });

  it('a redirect to another address, which never gets the token', async () => {
    const other = await b.simulator({ data: data() });
    const sim = await b.simulator({ data: data() });
    sim.faults.always('projects/search', actions.redirect(`${other.url}/api/projects/search`));
    const ran = await fails(sim.url);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain(`redirects to ${other.url}`);
    expect(complaint(ran)).toContain('use that address as --url');
    expect(other.log).toEqual([]);
  });

  it.each([
    ['not a URL', 'sonar example', /is not a URL; give the address/],
    ['not HTTP', 'ftp://sonar.example.com', /must begin with http:\/\/ or https:\/\//],
    ['with a password', 'https://admin:hunter2@sonar.example.com', /must not contain a user or a password/],
  ])('%s', async (_, url, sentence) => {
    const ran = await fails(url);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toMatch(sentence);
    expect(ran.stderr).not.toContain('hunter2');
  });
});

describe('a server that is starting', () => {
  it.each(['starting', 'unauthenticated'] as const)('in the phase "%s"', async (phase) => {
    await known.faults.become(phase);
    try {
      const told = await fails(known.url);
      expect(told.code).toBe(6);
      expect(complaint(told)).toContain('is not ready (status STARTING); try again when it is up.');
      expect(complaint(told)).toContain(curl(known.url));
      expect(await b.lastRun(known)).toEqual({ state: 'failed', error_code: 'internal_server_error' });

      const asked = known.requests('system/status').length;
      const untold = await fails(known.url, ['--listed-endpoints-only']);
      expect(untold.code).toBe(6);
      expect(complaint(untold)).toContain('it is starting, or it is not a SonarQube Server 10 or later');
      expect(known.requests('system/status')).toHaveLength(asked);
    } finally {
      await known.faults.become('up');
    }
  });

  it('one that was never synced leaves nothing behind', async () => {
    const sim = await b.simulator({ data: data() });
    await sim.faults.become('starting');
    expect((await fails(sim.url)).code).toBe(6);
    expect(await b.lastRun(sim)).toBeUndefined();
  });
});

describe('a version below 10', () => {
  it('is named, and the remedy with it', async () => {
    const sim = await b.simulator({ version: '9.9', data: data() });
    const ran = await fails(sim.url);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain('is SonarQube 9.9.8.100196; Soundings needs SonarQube Server 10 or later');
  });

  it('looks like a bad token when system/status may not be asked', async () => {
    const sim = await b.simulator({ version: '9.9', data: data() });
    const ran = await fails(sim.url, ['--listed-endpoints-only']);
    expect(ran.code).toBe(4);
    expect(complaint(ran)).toContain('or the server is older than 10');
    expect(sim.requests('system/status')).toEqual([]);
  });
});

describe('a token that is refused', () => {
  it.each<TokenName>(['bad', 'expired', 'revoked'])('%s: 4', async (name) => {
    const ran = await fails(known.url, [], known.tokens[name]);
    expect(ran.code).toBe(4);
    expect(complaint(ran)).toContain('refuses the token (401): it is wrong, expired or revoked');
    expect(complaint(ran)).toContain('make a token of type User under My Account > Security');
    expect(await b.lastRun(known)).toEqual({ state: 'failed', error_code: 'invalid_credentials' });
  });

  it.each<TokenName>(['viewer', 'globalAnalysis', 'projectAnalysis'])('%s: 5', async (name) => {
    const ran = await fails(known.url, [], known.tokens[name]);
    expect(ran.code).toBe(5);
    expect(complaint(ran)).toContain('may not read api/projects/search (403); it needs "Administer System"');
    expect(complaint(ran)).toContain('use a token of type User');
    expect(await b.lastRun(known)).toEqual({ state: 'failed', error_code: 'invalid_permissions' });
  });

  it('on a server never synced: no connection is made', async () => {
    const sim = await b.simulator({ data: data() });
    expect((await fails(sim.url, [], sim.tokens.bad)).code).toBe(4);
    expect((await fails(sim.url, [], sim.tokens.viewer)).code).toBe(5);
  });
});

describe('little to read', () => {
  it('an empty server: 0, and said', async () => {
    const sim = await b.simulator({ data: new Dataset() });
    const ran = await b.sync(sim);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/complete/);
    expect(ran.stdout).toMatch(/no projects/i);
    const again = await b.sync(sim);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/nothing changed \(0 rows\)/);
    expect(again.stdout).toMatch(/no projects/i);
  });

  it.each<SimulatorOptions['version']>(['10.0', '25.12', '26.9'])(
    'a project without analysis on %s',
    async (version) => {
      const sim = await b.simulator({
        version: version!,
        data: generate({ projects: 1, issuesPerProject: 5, metrics: 12, neverAnalysed: 2 }),
      });
      const ran = await b.sync(sim);
      expect(complaints(ran)).toEqual([]);
      expect(ran.code).toBe(0);
      const rows = await b.rows(
        `select p.source_key, p.last_analysis_date is not null as analysed, c.state
         from sonarqube_projects p join sonarqube_completeness c on c.connection_id = p.connection_id and c.project = p.source_key
        where c.stream = 'issues' and p.connection_id = (select max(id) from soundings.connections) order by 1`,
      );
      expect(rows).toEqual([
        { source_key: 'never-analysed-0', analysed: false, state: 'complete' },
        { source_key: 'never-analysed-1', analysed: false, state: 'complete' },
        { source_key: 'org.example:project-0', analysed: true, state: 'complete' },
      ]);
    },
  );

  it('a project that the token cannot browse: 0 and named; with --strict 3; what was stored stays', async () => {
    const sim = await b.simulator({ data: data() });
    expect((await b.sync(sim)).code).toBe(0);
    const key = sim.data.projects[1]!.key;
    const rowsOf = (): Promise<Record<string, unknown>[]> =>
      b.rows(
        `select i.source_key, i.deleted_at, i.synced_at from sonarqube_issues i join sonarqube_projects p on p.id = i.project_id
          where p.source_key = $1 and p.connection_id = (select max(id) from soundings.connections) order by 1`,
        [key],
      );
    const stored = await rowsOf();
    expect(stored).toHaveLength(20);
    sim.mutate.restrict(key, { browse: [] });
    const calm = await b.sync(sim, ['--full']);
    expect(calm.code).toBe(0);
    expect(calm.stdout).toMatch(/1 project is not open to the token/);
    expect(calm.stdout).toMatch(
      new RegExp(`unreadable: ${key} .*issues.*: the token may not browse this project \\(403\\)`),
    );
    const strict = await b.sync(sim, ['--full', '--strict']);
    expect(strict.code).toBe(3);
    expect(strict.stdout).toContain(key);
    expect(await rowsOf()).toEqual(stored);
  });
});

it('after all that the first server is as it was, and no token stands anywhere', async () => {
  expect((await b.sync(known)).stdout).toContain('nothing changed (0 rows)');
  await b.expectNoTokens();
});
