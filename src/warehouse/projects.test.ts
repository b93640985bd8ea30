/** Lists of projects on 50,000 of them: each row once, whatever it is sorted by, and the first page without a sort. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testService } from '../app/service.testing.ts';
import type { Service } from '../app/service.ts';
import { countProjects, listProjects, pageStatement, PROJECT_SORTS, stateOf, type ProjectQuery } from './projects.ts';

const MANY = 50_000;
/** Of the second connection, for walking over all pages. */
const SOME = 2_000;
const STREAMS = ['measures', 'measures_history', 'issues', 'hotspots'];
const all: ProjectQuery = {
  connectionId: 1,
  search: null,
  state: null,
  sort: 'name',
  desc: false,
  after: null,
  limit: 100,
  streams: STREAMS,
};

let service: Service & { close(): Promise<void> };
const query = <R extends Record<string, unknown>>(text: string, values: readonly unknown[] = []) =>
  service.store.database.query<R>(text, [...values]);

beforeAll(async () => {
  service = await testService();
  await query(
    `insert into sonarqube_projects (connection_id, source_key, name, qualifier, last_analysis_date, issues_synced_at, synced_at, deleted_at)
     select c, 'key-' || n, case when n % 2 = 0 then 'Even ' else 'odd ' end || (n * 7919) % 1000, 'TRK',
            case when n % 5 > 0 then timestamptz '2026-01-01' + (n % 999) * interval '1 minute' end,
            case when n % 9 > 0 then now() end, now(), case when n % 1000 = 1 then now() end
       from generate_series(1, $1::int) n, generate_series(1, 2) c where c = 1 or n <= $2::int`,
    [MANY, SOME],
  );
  await query(
    `insert into sonarqube_completeness (connection_id, stream, project, server_total, present, state, checked_at)
     select 1, s, 'key-' || n, 10, 9,
            case when n % 10000 = 7 and s = 'issues' then 'short' when n % 20000 = 8 then 'unreadable' else 'complete' end, now()
       from generate_series(1, $1::int) n, unnest($2::text[]) s where n % 1000 not in (1, 2)`,
    [MANY, STREAMS],
  );
  await query('analyze sonarqube_projects');
  await query('analyze sonarqube_completeness');
});
afterAll(() => service.close());

/** Every id of a list, page by page. */
async function walk(wanted: Partial<ProjectQuery>): Promise<number[]> {
  const ids: number[] = [];
  let after: ProjectQuery['after'] = null;
  do {
    const page = await listProjects(service.store.database, { ...all, ...wanted, after });
    ids.push(...page.projects.map(({ id }) => id));
    after = page.next;
  } while (after);
  return ids;
}

describe.each(PROJECT_SORTS.flatMap((sort) => [false, true].map((desc) => ({ sort, desc }))))(
  '$sort, desc: $desc',
  (by) => {
    test('pages hold every project once, in the order of one whole list', async () => {
      const { text, values } = pageStatement({ ...all, ...by, connectionId: 2, limit: SOME });
      const whole = (await query<{ id: number }>(text, values)).rows.map(({ id }) => id);
      expect(new Set(whole).size).toBe(SOME);
      expect((await walk({ ...by, connectionId: 2, limit: 137 })).join()).toBe(whole.join());
    });
  },
);

describe('states', () => {
  test.each([
    ['short', 5],
    ['unreadable', 3],
    ['moving', 0],
    ['gone', 50],
    ['unread', 50],
    ['complete', MANY - 5 - 3 - 50 - 50],
  ] as const)('%s: %i', async (state, expected) => {
    expect(await countProjects(service.store.database, { ...all, state })).toBe(expected);
    const { projects } = await listProjects(service.store.database, { ...all, state });
    expect(projects).toHaveLength(Math.min(100, expected));
    expect(projects.every((project) => project.state === state)).toBe(true);
  });

  test('a project is as its worst stream is', () => {
    expect(stateOf(null, [{ state: 'complete' }, { state: 'moving' }])).toBe('moving');
    expect(stateOf(null, [{ state: 'suspect' }, { state: 'unreadable' }, { state: 'short' }])).toBe('unreadable');
    expect(stateOf(null, [])).toBe('unread');
    expect(stateOf('2026-01-01T00:00:00.000Z', [{ state: 'short' }])).toBe('gone');
  });
});

test('a search finds parts of names and keys in any case, and takes every character as itself', async () => {
  const count = (search: string) => countProjects(service.store.database, { ...all, search });
  expect(await count('EVEN')).toBe(MANY / 2);
  expect(await count('KEY-4999')).toBe(11);
  expect(await count('%')).toBe(0);
  expect(await count('_')).toBe(0);
  expect(await count('\\')).toBe(0);
});

/** Every node of the plan. */
async function plan(wanted: Partial<ProjectQuery>): Promise<string> {
  const { text, values } = pageStatement({ ...all, ...wanted });
  const { rows } = await query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

test.each<[string, Partial<ProjectQuery>]>([
  ['the first page by name', {}],
  ['a page in the middle, backwards', { desc: true, after: { value: 'even 500', id: 7 } }],
  ['by key', { sort: 'key', after: { value: 'key-30000', id: 30_000 } }],
])('%s comes from an index, without a look at all of them', async (_, wanted) => {
  const nodes = await plan(wanted);
  expect(nodes).toMatch(/Index (Only )?Scan/);
  expect(nodes).not.toMatch(/-> {2}Sort|^Sort|Seq Scan/m);
});

test('what is not complete comes from the ledger’s index of just that', async () => {
  const nodes = await plan({ state: 'short' });
  expect(nodes).toMatch(/sonarqube_completeness_connection_id_state_project_idx/);
  expect(nodes).not.toMatch(/Seq Scan on sonarqube_completeness/);
});
