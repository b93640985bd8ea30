import { randomBytes } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect, disconnect } from './client.ts';
import { copyFrom } from './copy.ts';
import { kyselyOn, openDatabase, type Database } from './database.ts';
import { testDatabase } from './database.testing.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** The test's database as a server of somebody else, reached by URL. */
function urlOf(database: Database, user?: string, password?: string): string {
  const owner = database.logins?.owner;
  return `postgres://${user ?? owner?.user}:${password ?? owner?.password}@127.0.0.1:${owner?.port}/${owner?.database}`;
}

describe('values', () => {
  it('become what JSON can carry', async () => {
    const { rows } = await db.query(
      `select 9007199254740991::bigint as safe, 9007199254740992::bigint as big, array[1::bigint, null] as bigints,
              1.50::numeric as exact, array[[1.5],[2.5]]::numeric[] as exacts, date '2024-02-29' as day,
              timestamptz '2024-02-29 10:00:00.123456+02' as moment, timestamptz 'infinity' as ever,
              array[timestamptz '2024-01-01Z'] as moments, timestamp '2024-01-01 12:00' as local, interval '1 day 2 h' as span`,
    );
    expect(rows[0]).toEqual({
      safe: 9007199254740991,
      big: '9007199254740992',
      bigints: [1, null],
      exact: '1.50',
      exacts: [['1.5'], ['2.5']],
      day: '2024-02-29',
      moment: '2024-02-29T08:00:00.123Z',
      ever: 'infinity',
      moments: ['2024-01-01T00:00:00.000Z'],
      local: '2024-01-01T12:00:00.000',
      span: '1 day 02:00:00',
    });
  });
});

describe('transactions', () => {
  it('keep all or nothing', async () => {
    await db.query('create table kept (id int primary key)');
    await db.transaction((client) => client.query('insert into kept values (1)'));
    const failing = db.transaction(async (client) => {
      await client.query('insert into kept values (2)');
      await client.query('insert into kept values (1)');
    });
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect((await db.query('select id from kept')).rows).toEqual([{ id: 1 }]);
  });

  it('can be used by kysely', async () => {
    const found = await db.transaction((client) =>
      kyselyOn<{ kept: { id: number } }>(client).selectFrom('kept').select('id').execute(),
    );
    expect(found).toEqual([{ id: 1 }]);
    expect(await db.kysely<{ kept: { id: number } }>().selectFrom('kept').selectAll().execute()).toEqual(found);
  });

  it('survive the loss of their connection, and the pool goes on', async () => {
    const lost = db.transaction(async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      await db.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await client.query('select 1');
    });
    await expect(lost).rejects.toMatchObject({ code: 'database_unavailable', retry: true });
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('copy', () => {
  it('stores what it is given and counts it', async () => {
    await db.query('create table copied (id int, name text)');
    const rows = function* (): Generator<string | Buffer> {
      for (let id = 0; id < 1000; id += 1) yield id % 2 === 0 ? `${id}\tname\n` : Buffer.from(`${id}\t\\N\n`);
    };
    const count = await db.transaction((client) => copyFrom(client, 'copy copied from stdin', rows()));
    expect(count).toBe(1000);
    const { rows: sums } = await db.query('select count(*) as all, count(name) as named from copied');
    expect(sums[0]).toEqual({ all: 1000, named: 500 });
  });

  it('keeps nothing of a source that fails, and the connection stays good', async () => {
    const rows = function* (): Generator<string> {
      yield '1\tx\n';
      throw new Error('the page was cut off');
    };
    await db.query('truncate copied');
    const seen = db.transaction(async (client) => {
      await expect(copyFrom(client, 'copy copied from stdin', rows())).rejects.toThrow('the page was cut off');
      await client.query('rollback');
      return (await client.query<{ n: number }>('select count(*) as n from copied')).rows[0]?.n;
    });
    expect(await seen).toBe(0);
  });

  it('says what PostgreSQL says about a wrong row', async () => {
    const wrong = db.transaction((client) => copyFrom(client, 'copy copied from stdin', ['one\tx\n']));
    await expect(wrong).rejects.toMatchObject({ code: '22P02' });
  });
});

describe('locks', () => {
  it('exclude others and this process itself, until released', async () => {
    const lock = await db.tryLock('sweep');
    expect(lock?.name).toBe('sweep');
    expect(await db.tryLock('sweep')).toBeUndefined();
    const other = await openDatabase({ url: urlOf(db) });
    expect(await other.tryLock('sweep')).toBeUndefined();
    expect(await other.tryLock('other')).toBeDefined();
    await lock?.release();
    const taken = await other.tryLock('sweep');
    expect(taken).toBeDefined();
    await other.close();
    expect(await db.tryLock('sweep')).toBeDefined();
  });

  it('tell when they are lost with their connection', async () => {
    const lock = await db.tryLock('fragile');
    const lost = new Promise((resolve) => lock?.lost.addEventListener('abort', resolve));
    await db.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
                    and database = (select oid from pg_database where datname = current_database())`);
    await lost;
    expect(await db.tryLock('fragile')).toBeDefined();
  });
});

describe('a server by URL', () => {
  it('works in the schema it is given and in no other', async () => {
    await db.query('create schema "My Data"; create table "My Data".t (id int); create table public.u (id int)');
    const other = await openDatabase({ url: urlOf(db), schema: 'My Data' });
    expect((await other.query('select * from t')).rows).toEqual([]);
    await expect(other.query('select * from u')).rejects.toMatchObject({ code: '42P01' });
    await other.close();
  });

  it.each([
    ['mysql://host/db', 'invalid_arguments', /write it as postgres:/],
    ['postgres://user:pass@word@[::/db', 'invalid_arguments', /write it as postgres:/],
    ['postgres://127.0.0.1:1/db', 'database_unavailable', /check host, port and firewall/],
  ])('%s is refused with a remedy', async (url, code, message) => {
    const opening = openDatabase({ url });
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    await expect(opening).rejects.not.toThrow(/pass@word/);
  });

  it('names a wrong password and a missing database', async () => {
    await expect(openDatabase({ url: urlOf(db, 'soundings', 'wrong') })).rejects.toThrow(/correct user and password/);
    await expect(openDatabase({ url: `${urlOf(db)}_missing` })).rejects.toThrow(/create database/);
  });
});

describe('queries', () => {
  const secret = randomBytes(4).toString('hex');
  beforeAll(async () => {
    await db.query(`create schema if not exists soundings; create table soundings.secrets as select '${secret}' as text;
                    create table facts as select 1 as id`);
  });

  const escapes = [
    'select * from soundings.secrets',
    `select set_config('role', 'soundings', false), query_to_xml('select * from soundings.secrets', true, true, '')`,
    'set role soundings; select * from soundings.secrets',
    'set session authorization soundings',
    'reset role; select * from soundings.secrets',
    'set default_transaction_read_only = off; begin read write; insert into facts values (2)',
    'set transaction read write; create table mine (id int)',
    'set transaction read write; create table public.mine (id int)',
    'set transaction read write; alter role current_user createrole',
    `copy facts to program 'true'`,
    `select pg_read_file('PG_VERSION')`,
    'set transaction read write; update facts set id = 3',
    'set transaction read write; create schema mine',
  ];

  async function expectBorder(config: pg.ClientConfig, statements: readonly string[]): Promise<void> {
    const client = await connect(config);
    expect((await client.query('select id from facts')).rows).toEqual([{ id: 1 }]);
    for (const sql of statements) {
      await expect(client.query(sql), sql).rejects.toMatchObject({
        code: expect.stringMatching(/^(42|25|28)/) as string,
      });
      await client.query('rollback');
    }
    await db.query('create table made_later as select 1 as id');
    expect((await client.query('select * from made_later')).rows).toHaveLength(1);
    await db.query('drop table made_later');
    await disconnect(client);
  }

  it('of the embedded server run as a role that reads the warehouse and nothing else', async () => {
    const login = await db.openQuery();
    await expectBorder(login.config, [
      ...escapes,
      'set transaction read write; create temporary table mine (id int)',
      'set transaction read write; select lo_create(0)',
      'select pg_advisory_lock(1)',
      `select pg_try_advisory_lock(hashtextextended('soundings users', 0))`,
    ]);
    await expect(connect({ ...login.config, database: 'postgres' })).rejects.toMatchObject({
      code: 'invalid_arguments',
    });
    await login.close();
  });

  it('by URL run as a login that is made for them and dropped', async () => {
    const other = await openDatabase({ url: urlOf(db) });
    const login = await other.openQuery();
    await expectBorder(login.config, escapes);
    await login.close();
    await expect(connect(login.config)).rejects.toMatchObject({ code: 'database_unavailable' });
    await other.close();
  });

  it('leave no logins behind, also those of a process that was killed', async () => {
    const other = await openDatabase({ url: urlOf(db) });
    const names = async (): Promise<unknown[]> =>
      (
        await db.query(
          `select rolname from pg_roles
           where starts_with(rolname, 'soundings_q_' || (select oid from pg_database where datname = current_database()) || '_')`,
        )
      ).rows;
    const [first, second] = [await other.openQuery(), await other.openQuery()];
    expect(await names()).toHaveLength(2);
    await db.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()
                    and database = (select oid from pg_database where datname = current_database())`);
    const third = await other.openQuery();
    expect(await names()).toHaveLength(1);
    for (const login of [first, second, third]) await login.close();
    expect(await names()).toHaveLength(0);
    await other.close();
  });

  describe('when the user may not make roles', () => {
    const user = `plain_${secret}`;
    beforeAll(async () => {
      await db.query(`create role ${user} login password 'plain'; grant all on schema public to ${user};
                      grant connect on database ${pg.escapeIdentifier(db.logins?.owner.database ?? '')} to ${user}`);
    });
    afterAll(async () => {
      await db.query(`drop owned by ${user}; drop role ${user}`);
    });

    it('are refused with the statements to run', async () => {
      const other = await openDatabase({ url: urlOf(db, user, 'plain') });
      await expect(other.openQuery()).rejects.toMatchObject({
        code: 'invalid_arguments',
        message: expect.stringMatching(
          /create role.*grant select on all tables.*alter default privileges.*query URL/,
        ) as string,
      });
      await other.close();
    });

    it('run by a query URL, if its user can only read', async () => {
      const reader = `reader_${secret}`;
      await db.query(`create role ${reader} login password 'reader'; grant usage on schema public to ${reader};
                      grant select on all tables in schema public to ${reader};
                      grant connect on database ${pg.escapeIdentifier(db.logins?.owner.database ?? '')} to ${reader}`);
      const withUrl = (queryUrl: string): Promise<Database> =>
        openDatabase({ url: urlOf(db, user, 'plain'), queryUrl });
      const good = await withUrl(urlOf(db, reader, 'reader'));
      const login = await good.openQuery();
      const client = await connect(login.config);
      expect((await client.query('select id from facts')).rows).toEqual([{ id: 1 }]);
      await disconnect(client);
      await good.close();
      for (const url of [urlOf(db), urlOf(db, user, 'plain')]) {
        const bad = await withUrl(url);
        await expect(bad.openQuery()).rejects.toThrow(/can do more than read the warehouse/);
        await bad.close();
      }
      await db.query(`drop owned by ${reader}; drop role ${reader}`);
    });
  });
});
