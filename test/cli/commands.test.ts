/** What a person types, right and wrong: flags, tokens, SQL, and the exact shape of what is printed. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate, type Simulator } from '../simulator/index.ts';
import {
  bench,
  complaint,
  complaints,
  removeFolder,
  newFolder,
  run,
  start,
  type Bench,
  type Ran,
  type Running,
  type RunOptions,
} from './program.ts';

let b: Bench;
let sim: Simulator;

beforeAll(async () => {
  b = await bench();
  sim = await b.simulator({
    version: '25.12',
    data: generate({ projects: 2, issuesPerProject: 20, metrics: 12, analyses: 2 }),
  });
  expect((await b.sync(sim)).code).toBe(0);
});
afterAll(() => b.close());

const here = (args: readonly string[], options?: RunOptions): Promise<Ran> =>
  run([...args, '--data-dir', b.dataDir], options);

describe('usage', () => {
  const url = 'http://sonar.invalid';
  it.each<[string, string[], RegExp]>([
    ['an unknown option', ['sync', '--url', url, '--nope'], /unknown option '--nope'/],
    ['an unknown command', ['snyc'], /unknown command 'snyc'\n\(Did you mean sync\?\)/],
    ['no url', ['sync'], /required option '--url <url>' not specified/],
    ['a concurrency of nothing', ['sync', '--url', url, '--max-concurrency', '0'], /whole number from 1 to 64/],
    ['a format that is none', ['query', 'select 1', '--format', 'xml'], /Allowed choices are table, json, csv/],
    ['a timeout that is none', ['query', 'select 1', '--timeout', 'soon'], /number of seconds above 0/],
    ['too many arguments', ['query', 'select 1', 'select 2'], /too many arguments/],
  ])('%s: 2', async (_, args, sentence) => {
    const ran = await run(args);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(sentence);
    expect(ran.stderr).toContain('--help');
    expect(ran.stdout).toBe('');
  });

  it('help and version: 0', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    for (const command of ['sync', 'query', 'schema', 'status', 'psql-url']) expect(help.stdout).toContain(command);
    const version = await run(['--version']);
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('help loads no command and nothing that only commands need', async () => {
    const { stderr } = await run(['--help'], { env: { NODE_DEBUG: 'esm' } });
    expect(stderr).toContain('/cli/main.ts');
    expect(stderr).toContain('/commander/');
    expect(stderr).not.toMatch(/\/zod\/|cli\/commands\//);
  });

  it('both --database and --data-dir: 2', async () => {
    const ran = await here(['sync', '--url', url, '--database', 'postgres://me@127.0.0.1/x'], {
      token: 'squ_0123456789',
    });
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toContain('either --database or --data-dir');
  });

  it('--schema without --database: 2', async () => {
    const ran = await here(['status', '--schema', 'mine']);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toContain('--schema belongs to --database');
  });
});

describe('the token', () => {
  const sync = (args: readonly string[], options?: RunOptions): Promise<Ran> =>
    here(['sync', '--url', sim.url, ...args], options);
  const file = (name: string): string => join(dirname(b.dataDir), name);

  it('none, and no terminal to ask at: 2', async () => {
    const ran = await sync([]);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toMatch(/There is no token; make one of type User .*SOUNDINGS_TOKEN or --token-file/);
  });

  it.each([
    ['empty', ''],
    ['nothing but blanks', ' \n'],
  ])('%s: 2', async (_, token) => {
    const ran = await sync([], { token });
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toContain('The token is empty; make one of type User');
  });

  it.each(['squ_0123 456789', 'squ_0123\n456789', 'squ_0123ü456789'])(
    'with characters that no token has: 2',
    async (token) => {
      const ran = await sync([], { token });
      expect(ran.code).toBe(2);
      expect(complaint(ran)).toContain('characters that no token has');
      expect(ran.stderr).not.toContain('0123');
    },
  );

  it('from a file, line end and all', async () => {
    await writeFile(file('token'), `${sim.tokens.admin}\n`);
    const ran = await sync(['--token-file', file('token')], { secrets: [sim.tokens.admin] });
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
  });

  it('from a file that is missing, empty, or a folder: 2', async () => {
    const missing = await sync(['--token-file', file('none')]);
    expect(missing.code).toBe(2);
    expect(complaint(missing)).toMatch(/none given by --token-file cannot be read \(ENOENT\); check its name/);
    await writeFile(file('empty'), '');
    expect(complaint(await sync(['--token-file', file('empty')]))).toContain('The token is empty');
    const folder = await sync(['--token-file', dirname(b.dataDir)]);
    expect(folder.code).toBe(2);
    expect(complaint(folder)).toContain('cannot be read (EISDIR)');
  });

  it('in an argument works, and is warned about', async () => {
    const ran = await sync(['--token', sim.tokens.admin], { secrets: [sim.tokens.admin] });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/^Warning: a token in an argument can be read by other users of this machine;.*\n$/);
  });

  it('is not in the report, nor in that of a failure', async () => {
    const good = await sync(['--json'], { token: sim.tokens.admin });
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({ state: 'complete', changes: 0, error: null, server: sim.url });
    const bad = await sync(['--json'], { token: sim.tokens.bad });
    expect(bad.code).toBe(4);
    expect(JSON.parse(bad.stdout)).toMatchObject({ state: 'failed', error: { code: 'invalid_credentials' } });
    expect(complaint(bad)).toContain('[invalid_credentials]');
  });
});

describe('query', () => {
  let before: string;
  beforeAll(async () => {
    before = await b.stored();
  });

  const ALL = `select 1 as one, 'a "quoted", text' as text, null as nothing, true as yes, 12345678901::bigint as large,
    1.5::float8 as real, 1.10::numeric as exact, timestamptz '2026-01-02 03:04:05.678+02' as moment, '{"k":[1]}'::jsonb as object`;

  it('--format json: an array of objects, one a row', async () => {
    const ran = await here(['query', ALL, '--format', 'json']);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toEqual([
      {
        one: 1,
        text: 'a "quoted", text',
        nothing: null,
        yes: true,
        large: 12345678901,
        real: 1.5,
        exact: '1.10',
        moment: '2026-01-02T01:04:05.678Z',
        object: { k: [1] },
      },
    ]);
  });

  it('--format csv: a head, quotes where they are needed, nothing for null', async () => {
    const ran = await here(['query', ALL, '--format', 'csv']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe(
      'one,text,nothing,yes,large,real,exact,moment,object\n' +
        '1,"a ""quoted"", text",,true,12345678901,1.5,1.10,2026-01-02T01:04:05.678Z,"{""k"":[1]}"\n',
    );
  });

  it('--format table: columns under their names, and how many rows', async () => {
    const ran = await here(['query', `select * from (values (1, 'a'), (20, null)) as t (number, letter)`]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe('number  letter\n     1  a\n    20\n(2 rows)\n');
  });

  it('no rows: [], a head alone, (0 rows)', async () => {
    const sql = 'select key from (values (1)) t (key) where false';
    expect((await here(['query', sql, '--format', 'json'])).stdout).toBe('[]\n');
    expect((await here(['query', sql, '--format', 'csv'])).stdout).toBe('key\n');
    expect((await here(['query', sql])).stdout).toBe('key\n(0 rows)\n');
  });

  it('from standard input', async () => {
    const ran = await here(['query', '-', '--format', 'csv'], {
      input: 'select count(*) as issues from sonarqube_issues;\n',
    });
    expect(ran.stdout).toBe('issues\n40\n');
  });

  it.each<[string, string, RegExp]>([
    ['bad SQL', 'selct 1', /PostgreSQL refuses the query: syntax error at or near "selct"/],
    ['an unknown table', 'select * from issues', /relation "issues" does not exist/],
    ['an unknown column', 'select kye from sonarqube_issues', /column "kye" does not exist/],
    ['two statements', 'select 1; select 2', /cannot insert multiple commands/],
    ['a division by nothing', 'select 1/0', /division by zero/],
    ['inserting', `insert into sonarqube_tags (name) values ('x')`, /may only read the warehouse's tables/],
    ['deleting', 'delete from sonarqube_issues', /may only read/],
    ['updating', 'update sonarqube_projects set name = null', /may only read/],
    ['writing in a with', 'with x as (delete from sonarqube_issues returning 1) select * from x', /may only read/],
    ['making a table', 'create table mine (a int)', /may only read/],
    ['dropping one', 'drop table sonarqube_issues', /may only read|must be owner/],
    ['becoming the owner', 'set role soundings', /may only read|permission denied/],
    ['locking', 'select pg_advisory_lock(1)', /may only read/],
    ['reading files', `select pg_read_file('/etc/passwd')`, /may only read/],
    ['running programs', `copy sonarqube_tags to program 'true'`, /may only read|permission denied/],
    ['the own schema', 'select * from soundings.runs', /may only read the warehouse's tables \(permission denied/],
    ['passwords', 'select * from pg_authid', /may only read/],
  ])('%s: 2', async (_, sql, sentence) => {
    const ran = await here(['query', sql]);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toMatch(sentence);
    expect(ran.stdout).toBe('');
    expect(await b.stored()).toBe(before);
  });

  it('one that takes too long: 2, with the remedy', async () => {
    const ran = await here(['query', 'select pg_sleep(30)', '--timeout', '0.2']);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toMatch(
      /took longer than 0\.2 s and was stopped; narrow it, or give it more with --timeout/,
    );
  });

  it('Ctrl-C stops it: 130', async () => {
    const running = start(['query', `select pg_sleep(60), 'stop me'`, '--data-dir', b.dataDir]);
    const waits = `select 1 from pg_stat_activity where query like '%stop me%' and wait_event = 'PgSleep'`;
    while ((await b.rows(waits)).length === 0) expect(running.child.exitCode).toBeNull();
    running.child.kill('SIGINT');
    const ran = await running.ended;
    expect(ran.code).toBe(130);
    expect(complaint(ran)).toContain('[cancelled]');
    // the statement ends on the server too, not only here
    for (let look = 0; look < 100 && (await b.rows(waits)).length > 0; look += 1) await delay(20);
    expect(await b.rows(waits)).toEqual([]);
  });
});

describe('schema and status', () => {
  it('schema lists the tables, and nothing of the program itself', async () => {
    const ran = await here(['schema']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^sonarqube_issues +\d+ +Every issue/m);
    expect(ran.stdout).not.toMatch(/^(soundings|runs|cursors|migrations)/m);
    const json = JSON.parse((await here(['schema', '--json'])).stdout) as { name: string; columns: unknown[] }[];
    expect(json.map(({ name }) => name)).toContain('sonarqube_project_metrics');
  });

  it('schema of a table, with or without its prefix, explains every column', async () => {
    const [long, short] = [await here(['schema', 'sonarqube_issues']), await here(['schema', 'issues'])];
    expect(short.stdout).toBe(long.stdout);
    const { columns } = JSON.parse((await here(['schema', 'issues', '--json'])).stdout) as {
      columns: { name: string; description: string | null }[];
    };
    expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(['source_key', 'severity', 'deleted_at']));
    expect(columns.filter(({ description }) => !description)).toEqual([]);
  });

  it('schema of an unknown table: 2', async () => {
    const ran = await here(['schema', 'unknown']);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toContain('There is no table unknown; "soundings schema" lists them.');
  });

  it('status --json: servers with their last run and ledger', async () => {
    const ran = await here(['status', '--json']);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    const [server, ...others] = JSON.parse(ran.stdout) as Record<string, unknown>[];
    expect(others).toEqual([]);
    expect(server).toMatchObject({ base_url: sim.url, complete: true });
    const ledger = server?.['ledger'] as { stream: string; project: string; state: string; server_total: number }[];
    expect(ledger.filter(({ stream }) => stream === 'issues')).toEqual(
      sim.data.projects.map(
        ({ key }) => expect.objectContaining({ project: key, server_total: 20, state: 'complete' }) as unknown,
      ),
    );
  });

  it('status for people', async () => {
    const ran = await here(['status']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain(`(${sim.url}): complete, last synced`);
    expect(ran.stdout).toMatch(/org\.example:project-0 +issues +20 +20 +0 +complete/);
  });
});

describe('psql-url', () => {
  it('for --database: 2', async () => {
    const ran = await run(['psql-url', '--database', 'postgres://me:hunter22@127.0.0.1/x'], { secrets: ['hunter22'] });
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toContain('psql-url is for the embedded database');
  });

  it('--hold: the address reads while it runs, writes never, and Ctrl-C ends it cleanly', async () => {
    const dataDir = await newFolder();
    let running: Running | undefined;
    try {
      expect((await run(['sync', '--url', sim.url, '--data-dir', dataDir], { token: sim.tokens.admin })).code).toBe(0);
      running = start(['psql-url', '--hold', '--data-dir', dataDir], { held: true });
      const [url] = await running.until(/^postgres:\/\/soundings_query:[^@\s]+@127\.0\.0\.1:\d+\/soundings$/m);
      await running.until(/The database runs until Ctrl-C\./);
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      const { rows } = await client.query('select count(*)::int as n from sonarqube_issues');
      expect(rows).toEqual([{ n: 40 }]);
      await expect(client.query('delete from sonarqube_issues')).rejects.toThrow(/permission denied|read-only/);
      await expect(client.query('select 1 from soundings.runs')).rejects.toMatchObject({ code: '42501' });
      await client.end();
      expect(await psql(url)).toBe('40');
      running.child.kill('SIGINT');
      const ran = await running.ended;
      expect([0, 130]).toContain(ran.code);
      expect(complaintsOf(ran)).toEqual([]);
      await expect(new pg.Client({ connectionString: url }).connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    } finally {
      running?.child.kill('SIGKILL');
      await removeFolder(dataDir);
    }
  });

  const complaintsOf = ({ stderr }: Ran): string[] =>
    stderr.split('\n').filter((line) => line.startsWith('soundings:'));

  /** psql itself, where there is one; else what it would ask. */
  async function psql(url: string): Promise<string> {
    const sql = 'select count(*) from sonarqube_issues';
    try {
      return (await promisify(execFile)('psql', [url, '-Atc', sql])).stdout.trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const client = new pg.Client({ connectionString: url, application_name: 'psql' });
      await client.connect();
      const ended = once(client, 'end');
      const { rows } = await client.query<{ count: string }>(sql);
      await client.end();
      await ended;
      return rows[0]?.count ?? '';
    }
  }
});

describe('a folder that was never used', () => {
  it('status and query say so, and end', async () => {
    const dataDir = await newFolder();
    try {
      const status = await run(['status', '--data-dir', dataDir]);
      expect(status.code).toBe(0);
      expect(status.stdout).toContain('Nothing is synced yet; begin with: soundings sync --url');
      expect((await run(['status', '--json', '--data-dir', dataDir])).stdout).toBe('[]\n');
      const query = await run([
        'query',
        'select count(*) from sonarqube_issues',
        '--format',
        'csv',
        '--data-dir',
        dataDir,
      ]);
      expect(query.stdout).toBe('count\n0\n');
    } finally {
      await removeFolder(dataDir);
    }
  });
});

it('no token stands anywhere', async () => {
  await b.expectNoTokens();
});
