/** What people take out of the warehouse by command: insights, saved queries, files; in this process and by a server. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../simulator/index.ts';
import { bench, complaint, run, start, type Bench, type Ran, type Running, type RunOptions } from './program.ts';

const ISSUES = 40;
let b: Bench;
let folder: string;
let server: Running;
let url = '';
let token = '';

beforeAll(async () => {
  b = await bench();
  folder = await mkdtemp(join(tmpdir(), 'soundings-export-'));
  const sim = await b.simulator({
    version: '25.12',
    data: generate({ projects: 2, issuesPerProject: ISSUES / 2, metrics: 12, analyses: 2 }),
  });
  expect((await b.sync(sim)).code).toBe(0);
  server = start(['serve', '--port', '0', '--data-dir', b.dataDir], { held: true });
  url = (await server.until(/http:\/\/127\.0\.0\.1:\d+/))[0];
  token = (await run(['tokens', 'create', '--scope', 'read,query', '--data-dir', b.dataDir])).stdout.trim();
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  await b.close();
  await rm(folder, { recursive: true, force: true });
});

const here = (args: readonly string[], options?: RunOptions): Promise<Ran> =>
  run([...args, '--data-dir', b.dataDir], options);
const there = (args: readonly string[]): Promise<Ran> =>
  run([...args, '--server', url], { env: { SOUNDINGS_API_TOKEN: token } });

describe.each([
  ['in this process', here],
  ['by a server', there],
] as const)('%s', (_, ask) => {
  it('insights are listed and run', async () => {
    expect((await ask(['insights'])).stdout).toMatch(
      /issues-by-severity +Open issues by severity +projects, connection/,
    );
    const ran = await ask(['insights', 'run', 'issues-by-severity', '--json']);
    expect(ran.code).toBe(0);
    const { rows, sql } = JSON.parse(ran.stdout) as { rows: { issues: number }[]; sql: string };
    const text = await ask(['insights', 'run', 'issues-by-severity', '--sql']);
    expect(text.stdout.trim()).toBe(sql.trim());
    const counted = await b.rows<{ n: number }>(
      `select count(*)::int as n from sonarqube_issues where issue_status in ('OPEN', 'CONFIRMED')`,
    );
    expect(rows.reduce((sum, { issues }) => sum + issues, 0)).toBe(counted[0]?.n);
    expect(complaint(await ask(['insights', 'run', 'nothing']))).toMatch(
      /no insight "nothing".*\[insight_not_found\]$/,
    );
  });

  it('a query is saved, shown and deleted', async () => {
    const name = `Mine, ${_}`;
    expect((await ask(['queries', 'save', 'select 1 as one', '--name', name])).code).toBe(0);
    const id = / *(\d+) +Mine, /.exec((await ask(['queries'])).stdout)?.[1] ?? '';
    expect((await ask(['queries', 'show', id])).stdout).toBe('select 1 as one\n');
    expect(complaint(await ask(['queries', 'save', 'select 2', '--name', name.toUpperCase()]))).toMatch(
      /\[conflict\]$/,
    );
    expect((await ask(['queries', 'delete', id])).code).toBe(0);
    expect(complaint(await ask(['queries', 'delete', id]))).toMatch(/\[query_not_found\]$/);
  });

  it('a table and a query become files, and text on standard output', async () => {
    const file = join(folder, `${_.replaceAll(' ', '-')}.parquet`);
    const ran = await ask(['export', 'issues', '--out', file]);
    expect([ran.code, ran.stdout]).toEqual([0, '']);
    const bytes = await readFile(file);
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    });
    expect(rows).toHaveLength(ISSUES);
    expect((await ask(['export', 'select 1 as a, null as b'])).stdout).toBe('a,b\r\n1,\r\n');
    const json = await ask(['export', 'sonarqube_projects', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toHaveLength(2);
  });

  it('what goes wrong leaves no file, and says why', async () => {
    const before = (await readdir(folder)).sort();
    const out = ['--out', join(folder, 'never.csv')];
    expect(complaint(await ask(['export', 'selct 1', ...out]))).toMatch(
      /syntax error.*line 1, column 1.*\[invalid_arguments\]$/,
    );
    expect(complaint(await ask(['export', 'nothing', ...out]))).toMatch(/\[table_not_found\]$/);
    const late = await ask(['export', 'select 1 / (20000 - n) from generate_series(1, 40000) n', ...out]);
    expect(late.code).not.toBe(0);
    expect(complaint(late)).toMatch(/division by zero|broke off before its end/);
    expect(complaint(await ask(['export', 'select 1', '--out', join(folder, 'no', 'such.csv')]))).toMatch(
      /cannot be written.*choose another --out/,
    );
    expect(complaint(await ask(['export', 'select 1', '--out', join(folder, 'x.doc')]))).toMatch(/names no format/);
    expect((await readdir(folder)).sort()).toEqual(before);
  });
});
