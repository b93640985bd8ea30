import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/database.ts';
import { placeOf } from './query-errors.ts';
import { openQuery, runQuery } from './query.ts';

let database: Database;
beforeAll(async () => {
  database = await testDatabase();
  await database.query('create table facts as select 1 as id');
});
afterAll(() => database.close());

const options = { timeoutMs: 60_000 };

const running = async (text: string): Promise<number> => {
  const { rows } = await database.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and query like $1 and state = 'active'
      and pid <> pg_backend_pid()`,
    [`%${text}%`],
  );
  return rows[0]?.n ?? 0;
};

describe('a query', () => {
  test('answers with names, types and rows in order', async () => {
    const sql = `select 1::bigint as a, 'x' as a, null::numeric(4,1) as c, now() is null as d union all select 2, 'y', 1.5, true`;
    expect(await runQuery(database, sql, options)).toEqual({
      columns: ['a', 'a', 'c', 'd'],
      types: ['bigint', 'text', 'numeric', 'boolean'],
      rows: [
        [1, 'x', null, false],
        [2, 'y', '1.5', true],
      ],
      truncated: false,
    });
  });

  test.each([
    [2499, 2500, false],
    [2500, 2500, false],
    [2501, 2500, true],
    [100_000, 1, true],
    [0, 1, false],
  ])('of %d rows with a cap of %d', async (rows, maxRows, truncated) => {
    const result = await runQuery(database, `select * from generate_series(1, ${rows})`, { ...options, maxRows });
    expect([result.rows.length, result.truncated]).toEqual([Math.min(rows, maxRows), truncated]);
    expect(result.rows.at(-1)).toEqual(rows === 0 ? undefined : [Math.min(rows, maxRows)]);
  });

  test.each(['explain select * from facts', 'show timezone', '', '-- nothing', 'select from facts'])(
    'can be no select at all: %j',
    async (sql) => {
      await expect(runQuery(database, sql, options)).resolves.toMatchObject({ truncated: false });
    },
  );

  test.each([
    ['selct 1', { position: 1, line: 1, column: 1, sqlstate: '42601' }],
    ['select 1,\n  nothing\n  from facts', { position: 13, line: 2, column: 3, sqlstate: '42703' }],
    ["select '😀', nothing from facts", { position: 13, line: 1, column: 13, sqlstate: '42703' }],
    ['select 1; select 2', { sqlstate: '42601' }],
    ['select 1 / 0', { sqlstate: '22012' }],
    ['insert into facts values (2)', { sqlstate: '25006' }],
    ['copy facts from stdin', { sqlstate: expect.stringMatching(/^(42501|25006)$/) as string }],
  ])('that is wrong says where: %s', async (sql, details) => {
    await expect(runQuery(database, sql, options)).rejects.toMatchObject({ code: 'invalid_arguments', details });
  });

  test('that fails after rows have come fails', async () => {
    const sql = 'select 10 / (5000 - n) from generate_series(1, 10000) n';
    await expect(runQuery(database, sql, options)).rejects.toMatchObject({
      code: 'invalid_arguments',
      message: 'PostgreSQL refuses the query: division by zero.',
    });
  });

  test('is stopped after its time, also one that lifts its own limit', async () => {
    for (const sql of [
      'select pg_sleep(120)',
      `select set_config('statement_timeout', '0', false), pg_sleep(120)`,
      `select set_config('statement_timeout', '0', false), pg_sleep(0.2) from generate_series(1, 1000)`,
    ]) {
      await expect(openThenDrain(sql, 300, 1)).rejects.toMatchObject({
        code: 'invalid_arguments',
        message: expect.stringContaining('took longer than 0.3 s') as string,
      });
      await expect.poll(() => running('pg_sleep'), { timeout: 30_000 }).toBe(0);
    }
  });

  test('is stopped on the server when its caller leaves, and before it begins', async () => {
    const leaving = new AbortController();
    const asked = runQuery(database, 'select pg_sleep(121)', { ...options, signal: leaving.signal });
    asked.catch(() => undefined);
    await expect.poll(() => running('pg_sleep(121)'), { timeout: 30_000 }).toBe(1);
    leaving.abort();
    await expect(asked).rejects.toThrow(/abort/);
    await expect.poll(() => running('pg_sleep(121)'), { timeout: 30_000 }).toBe(0);
    await expect(runQuery(database, 'select 1', { ...options, signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
  });

  test('cannot fill the memory: one value, many values', async () => {
    const large = { code: 'invalid_arguments', message: expect.stringContaining('more than 64 MB') as string };
    await expect(runQuery(database, `select repeat('x', 70000000)`, options)).rejects.toMatchObject(large);
    const many = `select repeat('x', 500000) from generate_series(1, 2000)`;
    await expect(runQuery(database, many, { ...options, maxRows: 50_000 })).rejects.toMatchObject(large);
  });

  test('leaves nothing to the next: settings, locks, temporary tables', async () => {
    await runQuery(
      database,
      `select set_config('work_mem', '1MB', false), set_config('search_path', 'x', false)`,
      options,
    );
    expect(
      (await runQuery(database, `select current_setting('work_mem') <> '1MB', id from facts`, options)).rows,
    ).toEqual([[true, 1]]);
    await expect(runQuery(database, 'select pg_advisory_lock(1)', options)).rejects.toMatchObject({
      details: { sqlstate: '42501' },
    });
    await expect(runQuery(database, 'select pg_cancel_backend(1)', options)).rejects.toMatchObject({
      details: { sqlstate: '42501' },
    });
    expect(
      (
        await database.query(
          `select from pg_stat_activity where usename = 'soundings_query' and datname = current_database()`,
        )
      ).rows,
    ).toEqual([]);
  });
});

describe('an open query', () => {
  test('reads no more than it is asked for', async () => {
    const query = await openQuery(database, 'select n, n::text from generate_series(1, 1000000) n', {
      ...options,
      batchRows: 10,
    });
    const batches = query.batches[Symbol.asyncIterator]();
    expect((await batches.next()).value).toHaveLength(10);
    expect((await batches.next()).value).toHaveLength(10);
    expect(query.columns).toEqual([
      { name: 'n', type: 'integer' },
      { name: 'n', type: 'text' },
    ]);
    await query.close();
    await query.close();
  });
});

test('queries by URL share a login, which ends with the database', async () => {
  const { openDatabase } = await import('../db/database.ts');
  const owner = database.logins?.owner;
  if (!owner) throw new Error('the test database is embedded');
  const other = await openDatabase({
    url: `postgres://${encodeURIComponent(owner.user)}:${encodeURIComponent(owner.password)}@127.0.0.1:${owner.port}/${owner.database}`,
  });
  const logins = async (): Promise<string[]> =>
    (
      await database.query<{ rolname: string }>(
        `select rolname from pg_roles where starts_with(rolname, 'soundings_q_' || (select oid from pg_database where datname = current_database()) || '_')`,
      )
    ).rows.map(({ rolname }) => rolname);
  await Promise.all([1, 2, 3].map((n) => runQuery(other, `select ${n}`, options)));
  const [first] = await logins();
  expect(await logins()).toHaveLength(1);
  // another process took it for a leftover
  await database.query(`drop role ${first ?? ''}`);
  expect((await runQuery(other, 'select id from facts', options)).rows).toEqual([[1]]);
  expect(await logins()).not.toEqual([first]);
  await other.close();
  expect(await logins()).toEqual([]);
});

test('a place is counted in characters, lines and columns', () => {
  expect(placeOf('a\nbc', 4)).toEqual({ position: 4, line: 2, column: 2 });
  expect(placeOf('a\n', 3)).toEqual({ position: 3, line: 2, column: 1 });
  expect(placeOf('a', undefined)).toBeNull();
});

async function openThenDrain(sql: string, timeoutMs: number, batchRows: number): Promise<void> {
  const query = await openQuery(database, sql, { timeoutMs, batchRows });
  try {
    const batches = query.batches[Symbol.asyncIterator]();
    while (!(await batches.next()).done);
  } finally {
    await query.close();
  }
}
