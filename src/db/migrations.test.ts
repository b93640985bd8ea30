import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openDatabase, type Database } from './database.ts';
import { testDatabase } from './database.testing.ts';
import { migrate, type Migration } from './migrations.ts';

const step = (statement: string): Migration => ({
  up: async (db) => {
    await sql.raw(statement).execute(db);
  },
});

const FIRST = { '0001_a': step('create table soundings.a (id int)') };
const BOTH = { ...FIRST, '0002_b': step('create table b (id int)') };

describe('migrate', () => {
  let db: Database;
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db.close());

  it('runs what is new, once, also when several processes start at once', async () => {
    expect(await migrate(db, FIRST)).toEqual(['0001_a']);
    const { port, user, password, database } = db.logins?.owner ?? {};
    const other = await openDatabase({ url: `postgres://${user}:${password}@127.0.0.1:${port}/${database}` });
    const runs = await Promise.all([migrate(db, BOTH), migrate(other, BOTH), migrate(db, BOTH)]);
    expect(runs.flat()).toEqual(['0002_b']);
    await db.query('select from b');
    await other.close();
  });

  it('keeps nothing of a step that fails, nor of those before it in the same run', async () => {
    const broken = { ...BOTH, '0003_c': step('create table c (id int)'), '0004_d': step('select nonsense') };
    await expect(migrate(db, broken)).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringMatching(/0004_d: .*is as it was before/) as string,
    });
    await expect(db.query('select from c')).rejects.toMatchObject({ code: '42P01' });
    expect(await migrate(db, BOTH)).toEqual([]);
  });

  it('refuses a database that a newer program changed', async () => {
    await expect(migrate(db, FIRST)).rejects.toMatchObject({
      code: 'invalid_arguments',
      message: expect.stringMatching(/newer than the program \(it has 0002_b\): upgrade soundings/) as string,
    });
  });

  it('names the statement an administrator must run when schemas may not be made', async () => {
    const user = `limited_${Date.now()}`;
    const { port, database } = db.logins?.owner ?? {};
    await db.query(`create role ${user} login password 'limited'; grant connect on database ${database} to ${user}`);
    const url = `postgres://${user}:limited@127.0.0.1:${port}/${database}`;
    await db.query('alter schema soundings rename to hidden');
    const limited = await openDatabase({ url, schema: 'public' });
    await expect(migrate(limited, FIRST)).rejects.toThrow(`create schema "soundings" authorization ${user}`);
    await db.query('alter schema hidden rename to soundings');
    await expect(migrate(limited, FIRST)).rejects.toThrow(`grant usage, create on schema "soundings" to ${user}`);
    await limited.close();
    await db.query(`drop owned by ${user}; drop role ${user}`);
  });
});
