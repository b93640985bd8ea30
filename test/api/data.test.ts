/** Schema, insights, SQL, saved queries and downloads over the API, on a warehouse that was filled from a simulated server. */
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHARTS } from '../../src/insights/charts.ts';
import { sync } from '../../src/app/sync.ts';
import { STREAMS } from '../../src/source/sonarqube.ts';
import { generate } from '../simulator/index.ts';
import { apiRig, type Answer, type ApiRig } from './rig.ts';

let r: ApiRig;
beforeAll(async () => {
  r = await apiRig({ data: generate({ projects: 4, issuesPerProject: 60, hotspots: 5, analyses: 4 }) });
  await sync(r.service.store, {
    baseUrl: r.sim.url,
    token: r.sim.tokens.admin,
    signal: new AbortController().signal,
  });
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const refusedWith = (answer: Answer, status: number, error: string): void => {
  expect(answer.body, answer.text).toMatchObject({ ok: false, error });
  expect(answer.status).toBe(status);
};

describe('schema', () => {
  interface Table {
    name: string;
    rows: number | null;
    bytes: number | null;
    fresh_at: string | null;
    description: string | null;
    columns: {
      name: string;
      description: string | null;
      source: { endpoint: string; field: string | null } | null;
      null_share: number | null;
      examples: string[];
    }[];
    references: unknown[];
  }
  const tables = async (): Promise<Table[]> => (await r.call('schema.list')).body['tables'] as Table[];
  const info = async (name: string): Promise<Table> =>
    (await r.call('schema.info', { table: name })).body['table'] as Table;

  test('lists every table with its meaning, rows, freshness and relations', async () => {
    const found = await tables();
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(STREAMS.map(({ table }) => table)));
    expect(found.filter(({ description, columns }) => !description || columns.some((c) => !c.description))).toEqual([]);
    const issues = found.find(({ name }) => name === 'sonarqube_issues');
    expect(issues).toMatchObject({
      kind: 'table',
      rows: r.sim.data.projects.reduce((sum, { issues: list }) => sum + list.length, 0),
      fresh_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      references: expect.arrayContaining([
        { column: 'project_id', table: 'sonarqube_projects', foreign_column: 'id' },
      ]) as unknown,
    });
    expect(found.find(({ name }) => name === 'sonarqube_issue_tags')).toMatchObject({
      kind: 'view',
      references: [
        { column: 'issue_id', table: 'sonarqube_issues' },
        { column: 'tag_id', table: 'sonarqube_tags' },
      ],
    });
    expect(found.filter(({ fresh_at }) => fresh_at === null)).toEqual([]);
    expect(found.some(({ name }) => name === 'connections' || name.includes('credential'))).toBe(false);
  });

  test('tells of each column where it comes from, how much is filled, and examples', async () => {
    const { columns } = await info('sonarqube_issues');
    const of = (name: string) => columns.find((column) => column.name === name);
    expect(of('severity')).toMatchObject({
      source: { endpoint: 'issues/search', field: 'issues[].severity' },
      null_share: 0,
    });
    expect([...(of('severity')?.examples ?? [])].sort()).toEqual(
      [
        ...new Set(r.sim.data.projects.flatMap(({ issues }) => issues.map(({ severity }) => severity as string))),
      ].sort(),
    );
    expect(of('issue_status')?.source?.field).toBe('issues[].issueStatus');
    expect(of('impact_security')?.source?.field).toBe('issues[].impacts');
    expect(of('tag_set_id')?.source?.field).toBe('issues[].tags');
    expect(of('synced_at')?.source).toBeNull();
    expect(of('deleted_at')).toMatchObject({ source: null, null_share: 1, examples: [] });
    const points = await info('project_metrics');
    expect(points.columns.find(({ name }) => name === 'numeric_value')?.source).toEqual({
      endpoint: 'measures/search_history',
      field: 'measures[].history[].value',
    });
    expect(points.columns.find(({ name }) => name === 'period_date')?.source).toEqual({
      endpoint: 'measures/component',
      field: 'period.date',
    });
  });

  test('every table and view can be looked at, and nothing else', async () => {
    for (const { name } of await tables()) expect((await info(name)).name).toBe(name);
    for (const table of ['connections', 'soundings.credentials', 'pg_class', 'nothing', "x'; drop table y"])
      refusedWith(await r.call('schema.info', { table }), 404, 'table_not_found');
  });
});

describe('insights', () => {
  test('are listed and all run, each with the SQL that gives its rows again', async () => {
    const { insights } = (await r.call('insights.list')).body as unknown as { insights: { id: string }[] };
    expect(insights.map(({ id }) => id)).toEqual(CHARTS.map(({ id }) => id));
    for (const { id } of insights) {
      const answer = await r.call('insights.run', { id, interval: 'month' });
      expect(answer.status, answer.text).toBe(200);
      const { rows, sql } = answer.body as unknown as { rows: Record<string, unknown>[]; sql: string };
      const again = (await r.call('query.run', { sql, max_rows: 50_000 })).body as unknown as { rows: unknown[][] };
      expect(again.rows.length).toBe(rows.length);
    }
  });

  test('go by projects, connection, time and interval', async () => {
    const [project] = r.sim.data.projects;
    const run = async (filters: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> =>
      (await r.call('insights.run', { id: 'issues-by-severity', ...filters })).body;
    const count = (body: Record<string, unknown>): number =>
      (body['rows'] as { issues: number }[]).reduce((sum, { issues }) => sum + issues, 0);
    const all = count(await run({}));
    const one = await run({ projects: [project?.key] });
    expect(count(one)).toBeGreaterThan(0);
    expect(count(one)).toBeLessThan(all);
    expect(one).toMatchObject({ filters: { projects: [project?.key], connection: null, interval: 'week' } });
    expect(count(await run({ connection: 999 }))).toBe(0);
    expect(count(await run({ projects: ["no'such; project", '$2', 'مشروع'] }))).toBe(0);
  });

  test.each([
    [{ id: 'nothing' }, 404, 'insight_not_found', {}],
    [{ id: 'ratings', from: '2026-02-01', to: '2026-01-01' }, 422, 'invalid_arguments', { from: /lies after/ }],
    [{ id: 'ratings', from: '1900-01-01' }, 422, 'invalid_arguments', { from: /1970/ }],
    [{ id: 'ratings', to: '2026-02-30' }, 422, 'invalid_arguments', { to: /./ }],
    [{ id: 'ratings', interval: 'hour' }, 422, 'invalid_arguments', { interval: /./ }],
    [{ id: 'ratings', from: '2000-01-01', interval: 'day' }, 422, 'invalid_arguments', { interval: /too long/ }],
    [{ id: 'ratings', limit: 0 }, 422, 'invalid_arguments', { limit: /./ }],
    [{ id: 'ratings', connection: -1 }, 422, 'invalid_arguments', { connection: /./ }],
    [{ id: 'ratings', projects: [''] }, 422, 'invalid_arguments', { 'projects.0': /./ }],
    [{ id: 'ratings', colour: 'red' }, 422, 'invalid_arguments', { colour: /./ }],
  ])('refuse %j', async (args, status, error, details) => {
    const answer = await r.call('insights.run', args);
    refusedWith(answer, status, error);
    for (const [field, pattern] of Object.entries(details))
      expect((answer.body['details'] as Record<string, string>)[field]).toMatch(pattern);
  });
});

describe('query.run', () => {
  const query = (sql: string, more: Readonly<Record<string, unknown>> = {}, token = r.admin): Promise<Answer> =>
    r.call('query.run', { sql, ...more }, { token });

  test('answers with columns, rows and no notice', async () => {
    const token = await r.tokenFor(['query']);
    expect(
      (
        await query(
          `select 9007199254740993 as big, 'NaN'::float8 as n, '\\x01'::bytea as b, null as nothing`,
          {},
          token,
        )
      ).body,
    ).toEqual({
      ok: true,
      columns: [
        { name: 'big', type: 'bigint' },
        { name: 'n', type: 'double precision' },
        { name: 'b', type: 'bytea' },
        { name: 'nothing', type: 'text' },
      ],
      rows: [['9007199254740993', 'NaN', '\\x01', null]],
      row_count: 1,
      truncated: false,
      notice: null,
      duration_ms: expect.any(Number) as number,
    });
  });

  test('names the cap on rows', async () => {
    expect((await query('select generate_series(1, 11)', { max_rows: 10 })).body).toMatchObject({
      row_count: 10,
      truncated: true,
      notice: expect.stringContaining('first 10 rows') as string,
    });
  });

  test('says where an error in the SQL is', async () => {
    const answer = await query('select severty\n  from sonarqube_issues');
    refusedWith(answer, 422, 'invalid_arguments');
    expect(answer.body['details']).toMatchObject({ position: 8, line: 1, column: 8 });
    expect(answer.body.message).toContain('Perhaps you meant to reference the column');
  });

  test('reads the ledger, and nothing of the product', async () => {
    expect((await query('select state from sonarqube_completeness limit 1')).status).toBe(200);
    for (const sql of [
      'select * from soundings.credentials',
      'select * from soundings.saved_queries',
      'delete from sonarqube_issues',
      'set role postgres',
      `select pg_read_file('/etc/passwd')`,
    ])
      refusedWith(await query(sql), 422, 'invalid_arguments');
  });

  test.each([
    [{ sql: '' }],
    [{ sql: '   ' }],
    [{ sql: 'select 1', max_rows: 0 }],
    [{ sql: 'select 1', max_rows: 50_001 }],
    [{ sql: 'select 1', timeout_seconds: 301 }],
    [{ sql: 'select 1', timeout_seconds: 'soon' }],
    [{ sql: `select '${'x'.repeat(100_001)}'` }],
    [{ sql: 'select 1; select 2' }],
  ])('refuses arguments %#', async (args) => {
    refusedWith(await r.call('query.run', args), 422, 'invalid_arguments');
  });

  test('is for those with the scope query', async () => {
    const token = await r.tokenFor(['read']);
    refusedWith(await query('select 1', {}, token), 403, 'missing_scope');
    refusedWith(await r.call('query.export', { sql: 'select 1' }, { token }), 403, 'missing_scope');
    refusedWith(await r.call('query.export', { sql: 'select 1' }, { token: null }), 401, 'not_authed');
  });

  test('of one caller: two run, four wait, more are turned away, and who leaves makes room', async () => {
    const token = await r.tokenFor(['query']);
    const leaving = new AbortController();
    const slow = Array.from({ length: 6 }, () =>
      fetch(`${r.server.url}/api/query.run`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ sql: 'select pg_sleep(122)', timeout_seconds: 300 }),
        signal: leaving.signal,
      }).catch(() => undefined),
    );
    const running = async (): Promise<number> =>
      (
        await r.service.store.database.query<{ n: number }>(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(122)' and state = 'active'`,
        )
      ).rows[0]?.n ?? 0;
    await expect.poll(running, { timeout: 30_000 }).toBe(2);
    // the six are in, once a seventh is refused
    const seventh = AbortSignal.timeout(60_000);
    await expect
      .poll(async () => (await query('select 1', {}, token)).body.error, { timeout: 30_000 })
      .toBe('too_many_requests');
    expect(seventh.aborted).toBe(false);
    // others are not kept waiting
    expect((await query('select 1')).status).toBe(200);
    leaving.abort();
    await Promise.all(slow);
    await expect.poll(running, { timeout: 30_000 }).toBe(0);
    await expect.poll(async () => (await query('select 1', {}, token)).status, { timeout: 30_000 }).toBe(200);
  });
});

describe('saved queries', () => {
  test('from their making to their end', async () => {
    const token = await r.tokenFor(['query']);
    const other = await r.tokenFor(['query']);
    const saved = await r.call('queries.save', { name: ' Open <b>issues</b> ', sql: 'select 1' }, { token });
    expect(saved.body).toMatchObject({ query: { name: 'Open <b>issues</b>', sql: 'select 1' } });
    const { id } = saved.body['query'] as { id: number };
    refusedWith(
      await r.call('queries.save', { name: 'open <B>issues</B>', sql: 'select 2' }, { token }),
      409,
      'conflict',
    );
    refusedWith(
      await r.call('queries.save', { id, name: 'x', sql: 'select 2' }, { token: other }),
      403,
      'missing_scope',
    );
    refusedWith(await r.call('queries.delete', { id }, { token: other }), 403, 'missing_scope');
    expect((await r.call('queries.save', { id, name: 'Renamed', sql: 'select 3' }, { token })).body).toMatchObject({
      query: { id, name: 'Renamed', sql: 'select 3' },
    });
    const second = await r.call('queries.save', { name: 'Second', sql: 'select 4' }, { token: other });
    const { id: secondId } = second.body['query'] as { id: number };
    refusedWith(
      await r.call('queries.save', { id: secondId, name: 'RENAMED', sql: 'x' }, { token: other }),
      409,
      'conflict',
    );
    expect((await r.call('queries.list', {}, { token: other })).body).toMatchObject({
      queries: [{ name: 'Renamed' }, { name: 'Second' }],
    });
    expect((await r.call('queries.delete', { id: secondId })).body).toEqual({ ok: true });
    expect((await r.call('queries.delete', { id }, { token })).body).toEqual({ ok: true });
    refusedWith(await r.call('queries.delete', { id }, { token }), 404, 'query_not_found');
    refusedWith(await r.call('queries.save', { id, name: 'x', sql: 'y' }, { token }), 404, 'query_not_found');
  });

  test('the examples run, and find something', async () => {
    const { examples } = (await r.call('queries.list')).body as unknown as { examples: { id: string; sql: string }[] };
    const empty: string[] = [];
    for (const { id, sql } of examples) {
      const answer = await r.call('query.run', { sql });
      expect(answer.status, `${id}: ${answer.text}`).toBe(200);
      if (answer.body['row_count'] === 0) empty.push(id);
    }
    // nothing is incomplete here, and the simulated issues are older than a month
    expect(empty.filter((id) => !['completeness', 'opened-per-day'].includes(id))).toEqual([]);
  });

  test('each caller has a history of their own, the same text once', async () => {
    const token = await r.tokenFor(['query']);
    for (const sql of ['select 1', 'select 2', 'select 2', 'selct 3']) await r.call('query.run', { sql }, { token });
    const { queries } = (await r.call('queries.history', {}, { token })).body as unknown as { queries: unknown[] };
    expect(queries).toMatchObject(
      [
        { sql: 'selct 3', rows: null, error: { code: 'invalid_arguments', message: /syntax error/ as unknown } },
        { sql: 'select 2', rows: 1, error: null },
        { sql: 'select 1', rows: 1, error: null },
      ].map((entry) => expect.objectContaining({ sql: entry.sql, rows: entry.rows }) as unknown),
    );
    expect((await r.call('queries.history', {}, { token: await r.tokenFor(['query']) })).body['queries']).toEqual([]);
  });
});

describe('query.export', () => {
  const download = async (args: Readonly<Record<string, unknown>>): Promise<Response> =>
    fetch(`${r.server.url}/api/query.export`, {
      method: 'POST',
      headers: { authorization: `Bearer ${r.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(args),
    });
  const ODD = `select 1 as id, 'a "quote", a comma' as text, '' as empty, null::text as nothing, null::text as id
    union all select 2, E'two\\nlines', '=1+1', 'مشروع', '<b>'`;

  test('as CSV: quoted, an empty text apart from NULL', async () => {
    const response = await download({ sql: ODD });
    expect([
      response.status,
      response.headers.get('content-type'),
      response.headers.get('content-disposition'),
    ]).toEqual([200, 'text/csv; charset=utf-8', 'attachment; filename="query.csv"']);
    expect(await response.text()).toBe(
      'id,text,empty,nothing,id\r\n1,"a ""quote"", a comma","",,\r\n2,"two\nlines",=1+1,مشروع,<b>\r\n',
    );
  });

  test('as JSON: an object a row, names that stand once', async () => {
    const response = await download({ sql: ODD, format: 'json' });
    expect(await response.json()).toEqual([
      { id: 1, text: 'a "quote", a comma', empty: '', nothing: null, id_2: null },
      { id: 2, text: 'two\nlines', empty: '=1+1', nothing: 'مشروع', id_2: '<b>' },
    ]);
    expect(await (await download({ sql: 'select 1 where false', format: 'json' })).json()).toEqual([]);
  });

  test('as Parquet: typed, in several row groups', async () => {
    const sql = `select n::bigint * 1000000000000 as big, n as small, n / 4.0::float8 as ratio, n % 2 = 0 as even,
      timestamptz '2026-01-01 00:00:00Z' + n * interval '1 ms' as at, date '2026-01-01' + n as day, n::numeric as exact,
      case when n % 3 = 0 then 'x' || n end as text, jsonb_build_object('n', n) as doc, array[n::text] as list
      from generate_series(1, 25000) n`;
    const file = await (await download({ sql, format: 'parquet' })).arrayBuffer();
    const rows = await parquetReadObjects({ file });
    expect(rows).toHaveLength(25_000);
    expect(rows[24_999]).toEqual({
      big: 25_000_000_000_000_000n,
      small: 25_000,
      ratio: 6250,
      even: true,
      at: new Date(Date.parse('2026-01-01T00:00:25.000Z')),
      day: new Date(Date.parse('2026-01-01') + 25_000 * 86_400_000),
      exact: '25000',
      text: null,
      doc: { n: 25_000 },
      list: '["25000"]',
    });
    expect(rows[0]).toMatchObject({ text: null, even: false });
  });

  test('of a whole table, which is what is stored', async () => {
    const response = await download({ table: 'issues', format: 'json' });
    expect(response.headers.get('content-disposition')).toContain('issues.json');
    const rows = (await response.json()) as { source_key: string }[];
    expect(rows.map(({ source_key }) => source_key).sort()).toEqual(
      r.sim.data.projects.flatMap(({ issues }) => issues.map(({ key }) => key)).sort(),
    );
  });

  test.each([
    [{}, 422, 'invalid_arguments'],
    [{ sql: 'select 1', table: 'issues' }, 422, 'invalid_arguments'],
    [{ sql: 'selct 1' }, 422, 'invalid_arguments'],
    [{ sql: 'select 1', format: 'xlsx' }, 422, 'invalid_arguments'],
    [{ sql: 'select 1', colour: 'red' }, 422, 'invalid_arguments'],
    [{ table: 'credentials' }, 404, 'table_not_found'],
    [{ sql: `select 'infinity'::timestamptz as never`, format: 'csv' }, 200, undefined],
  ])('answers %j with an envelope before the first byte', async (args, status, error) => {
    const response = await download(args);
    expect(response.status).toBe(status);
    if (error !== undefined) expect(await response.json()).toMatchObject({ ok: false, error });
    else await response.text();
  });

  test('that fails in the middle breaks off, so that nobody takes it for whole', async () => {
    const response = await download({
      sql: 'select 10 / (60000 - n), repeat($$x$$, 100) from generate_series(1, 100000) n',
    });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  test('ends on the server when its reader leaves', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${r.server.url}/api/query.export`, {
      method: 'POST',
      headers: { authorization: `Bearer ${r.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        sql: `select a, b, repeat('y', 1000) from generate_series(1, 10000) a, generate_series(1, 10000) b`,
      }),
      signal: leaving.signal,
    });
    expect(response.status).toBe(200);
    leaving.abort();
    const sessions = async (): Promise<number> =>
      (
        await r.service.store.database.query<{ n: number }>(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and usename = 'soundings_query'`,
        )
      ).rows[0]?.n ?? 0;
    await expect.poll(sessions, { timeout: 30_000 }).toBe(0);
    // and gives its place back
    expect((await download({ sql: 'select 1' })).status).toBe(200);
  });

  test('goes the way of every method: by POST, signed in, described', async () => {
    const answer = await r.raw('GET', '/api/query.export', { headers: { authorization: `Bearer ${r.admin}` } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    const { body } = await r.raw('GET', '/api/openapi.json');
    expect(body['paths']).toHaveProperty('/api/query\\.export.post.responses.200.content.text/csv; charset=utf-8');
  });
});
