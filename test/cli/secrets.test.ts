/**
 * No token is readable anywhere once it is stored: not in the database and its files, the log, an answer, or the
 * arguments of a process; whatever goes right or wrong with it.
 */
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generate, type Simulator } from '../simulator/index.ts';
import { bench, run, start, type Bench, type Running } from './program.ts';

let b: Bench;
let sim: Simulator;
let serve: Running;
let url: string;
let token: string;
const answers: string[] = [];

beforeAll(async () => {
  b = await bench();
  sim = await b.simulator({ version: '26.9', data: generate({ projects: 3, issuesPerProject: 5, analyses: 1 }) });
  const made = await run(['tokens', 'create', '--scope', 'admin', '--json', '--data-dir', b.dataDir]);
  ({ token } = JSON.parse(made.stdout) as { token: string });
  serve = start(['serve', '--port', '0', '--data-dir', b.dataDir], {
    held: true,
    env: { SOUNDINGS_LOG_LEVEL: 'debug', SOUNDINGS_LOG_FORMAT: 'json' },
  });
  [, url = ''] = await serve.until(/Soundings runs at (http:\/\/\S+)/);
});
afterAll(async () => {
  serve.child.kill('SIGKILL');
  await serve.ended;
  await b.close();
});

async function post(method: string, args: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/api/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });
  const text = await response.text();
  answers.push(text);
  return JSON.parse(text) as Record<string, unknown>;
}

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  answers.push(text);
  return JSON.parse(text) as Record<string, unknown>;
}

/** Arguments and environment of every process of this machine that can be read. */
async function processes(): Promise<string> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');
  return (await Promise.all(numbers.map((pid) => read(`/proc/${pid}/cmdline`)))).join('\n');
}

it('a token that is stored, used, refused, replaced and deleted is nowhere to be read', async () => {
  const settings = { base_url: sim.url };
  // refused, in every way that repeats what was sent
  await post('connections.create', { settings, secrets: { api_token: sim.tokens.bad } });
  await post('connections.create', { settings: { base_url: 7 }, secrets: { api_token: sim.tokens.admin } });
  await post('connections.create', { settings, secrets: { api_token: { deep: sim.tokens.admin } } });
  await post('connections.create', { settings, api_token: sim.tokens.admin });
  await fetch(`${url}/api/connections.list?token=${sim.tokens.admin}`).then(async (a) => answers.push(await a.text()));
  await fetch(`${url}/api/${sim.tokens.admin}`).then(async (a) => answers.push(await a.text()));

  const made = await post('connections.create', { settings, secrets: { api_token: sim.tokens.admin } });
  const connection = (made['connection'] as { id: number }).id;
  const credential = (made['credential'] as { id: number }).id;
  const begun = await post('syncs.start', { connection_id: connection });
  const run_ = (begun['run'] as { id: number }).id;
  await expect
    .poll(async () => ((await get(`/api/runs.info/${run_}`))['run'] as { state: string }).state, { timeout: 60_000 })
    .toBe('complete');

  sim.revoke('admin');
  const again = await post('syncs.start', { connection_id: connection, full: true });
  const failing = (again['run'] as { id: number }).id;
  await expect
    .poll(async () => ((await get(`/api/runs.info/${failing}`))['run'] as { state: string }).state, { timeout: 60_000 })
    .toBe('failed');
  await post('credentials.update', {
    connection_id: connection,
    id: credential,
    secrets: { api_token: sim.tokens.viewer },
  });
  sim.restore('admin');
  await post('credentials.update', {
    connection_id: connection,
    id: credential,
    secrets: { api_token: sim.tokens.admin },
  });
  await post('connections.verify', { id: connection });
  for (const path of [
    'connections.list',
    'connections.overview',
    `connections/${connection}/credentials.list`,
    'audit.list',
  ])
    await get(`/api/${path}`);
  await fetch(`${url}/metrics`).then(async (answer) => answers.push(await answer.text()));

  const arguments_ = await processes();
  expect(arguments_).toContain('serve');
  const secrets = [...new Set(Object.values(sim.tokens))];
  expect(secrets.filter((secret) => arguments_.includes(secret))).toEqual([]);
  const said = answers.join('\n');
  expect(said).toContain('"ok":true');
  expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
  expect(said).not.toContain(token);
  await b.database.query('checkpoint');
  await b.expectNoTokens();

  serve.child.kill('SIGTERM');
  const { stdout, stderr, code } = await serve.ended;
  expect(code).toBe(0);
  expect(stderr).toContain('"run":');
  expect([...secrets, token].filter((secret) => `${stdout}${stderr}`.includes(secret))).toEqual([]);
});
