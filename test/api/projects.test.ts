/** projects.list against a server that was really read: what is there, how complete it is, and odd names as they are. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { work } from '../../src/app/work.ts';
import { getRun, queueRun } from '../../src/control/runs.ts';
import { generate } from '../simulator/index.ts';
import { apiRig, type ApiRig } from './rig.ts';

const NAMES = ['Zeta', `<b>"bold" & 'quoted'</b>`, 'مشروع عربي \u202Etxt.exe', 'n'.repeat(500), 'alpha', 'ALPHA 2'];

interface Listed {
  readonly projects: readonly {
    readonly key: string;
    readonly name: string;
    readonly state: string;
    readonly streams: readonly { readonly stream: string; readonly server_total: number; readonly present: number }[];
  }[];
  readonly next_cursor: string | null;
  readonly total: number | null;
}

let r: ApiRig;
let connection: number;

async function sync(): Promise<void> {
  const run = await queueRun(r.service.store.database, connection, { version: 'test', trigger: 'api', requested: {} });
  const { signal } = new AbortController();
  const open = async (): Promise<boolean> => {
    const now = await getRun(r.service.store.database, run.id);
    return now?.state === 'queued' || now?.state === 'running';
  };
  while (await open()) await work(r.service, run.id, { worker: 'test', signal });
}

const list = async (args: Readonly<Record<string, unknown>> = {}): Promise<Listed> => {
  const answer = await r.call('projects.list', { connection_id: connection, ...args });
  expect(answer.status, answer.text).toBe(200);
  return answer.body as unknown as Listed;
};

beforeAll(async () => {
  const data = generate({ projects: NAMES.length, issuesPerProject: 4, hotspots: 2, analyses: 2, seed: 7 });
  data.projects.forEach((project, index) => (project.name = NAMES[index] ?? project.name));
  r = await apiRig({ data });
  ({ connection } = await r.connect());
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

test('nothing before the first sync; afterwards every project, with what the server counts and what is here', async () => {
  expect(await list()).toMatchObject({ projects: [], next_cursor: null, total: 0 });
  await sync();
  const { projects, total } = await list();
  expect(total).toBe(NAMES.length);
  expect(projects.map(({ name }) => name).sort()).toEqual([...NAMES].sort());
  for (const { state, streams } of projects) {
    expect(state).toBe('complete');
    expect(streams.map(({ stream }) => stream)).toEqual(['measures', 'measures_history', 'issues', 'hotspots']);
    expect(streams.every(({ server_total, present }) => server_total === present)).toBe(true);
    expect(streams.find(({ stream }) => stream === 'issues')?.present).toBe(4);
  }
});

test('by name, in any case; pages of two hold each project once, in both directions', async () => {
  const whole = (await list()).projects.map(({ name }) => name);
  expect(whole.indexOf('alpha')).toBe(whole.indexOf('ALPHA 2') - 1);
  for (const order of ['asc', 'desc'] as const) {
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Listed = await list({ order, limit: 2, ...(cursor !== null && { cursor }) });
      expect(page.total).toBe(cursor === null ? NAMES.length : null);
      names.push(...page.projects.map(({ name }) => name));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(names).toEqual(order === 'asc' ? whole : whole.reverse());
  }
});

test.each(['<b>"bold" &', 'ALPHA', 'عربي', 'n'.repeat(300)])('search for %s', async (search) => {
  const found = NAMES.filter((name) => name.toLowerCase().includes(search.toLowerCase()));
  expect((await list({ search })).projects.map(({ name }) => name).sort()).toEqual([...found].sort());
});

test('a project that is gone is marked, and kept', async () => {
  r.sim.mutate.deleteProject(r.sim.data.projects.find(({ name }) => name === 'Zeta')!.key);
  await sync();
  const { projects, total } = await list({ state: 'gone' });
  expect([total, projects.map(({ name }) => name)]).toEqual([1, ['Zeta']]);
  expect(projects[0]).toMatchObject({ state: 'gone', deleted_at: expect.any(String) as string, streams: [] });
  expect((await list({ state: 'complete' })).total).toBe(NAMES.length - 1);
  expect((await list()).total).toBe(NAMES.length);
});

test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ state: 'fine' }, 'state'],
  [{ sort: 'size' }, 'sort'],
  [{ limit: 501 }, 'limit'],
  [{ cursor: 'x' }, 'cursor'],
  [{ cursor: Buffer.from('["name","asc","a\\u0000",1]').toString('base64url') }, 'cursor'],
  [{ cursor: Buffer.from('["name","asc",7,1]').toString('base64url') }, 'cursor'],
  [{ cursor: Buffer.from('["last_analysis","asc","x",1]').toString('base64url'), sort: 'last_analysis' }, 'cursor'],
  [{ cursor: Buffer.from('["name","desc","a",1]').toString('base64url') }, 'cursor'],
])('refused: %j', async (args, field) => {
  const answer = await r.call('projects.list', { connection_id: connection, ...args });
  expect([answer.status, answer.body.error]).toEqual([422, 'invalid_arguments']);
  expect(Object.keys(answer.body['details'] as object)).toEqual([field]);
});

test('no projects of a connection that is not there, or is deleted', async () => {
  expect((await r.call('projects.list', { connection_id: 999 })).body.error).toBe('connection_not_found');
  await r.call('connections.delete', { id: connection });
  expect((await r.call('projects.list', { connection_id: connection })).body.error).toBe('connection_not_found');
});
