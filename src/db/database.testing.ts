/**
 * Databases for tests. One embedded server for all workers of all runs on this machine, in the folder for temporary
 * files; each call gives a fresh, empty database on it.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { openDatabase, type Database } from './database.ts';

/** Nothing in a test's database is worth surviving a power cut. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '200' };
const PREFIX = 'test_';

export const TEST_DATA_DIR = join(tmpdir(), `soundings-test-${userInfo().username}`);

/** A fresh database; `close()` drops it. */
export async function testDatabase(): Promise<Database> {
  const name = `${PREFIX}${randomBytes(6).toString('hex')}`;
  const server = await openDatabase({ dataDir: TEST_DATA_DIR, settings: SETTINGS, poolSize: 1 });
  try {
    await dropLeftovers(server);
    await server.tryLock(name);
    const database = await openDatabase({ dataDir: TEST_DATA_DIR, database: name, settings: SETTINGS });
    const close = async (): Promise<void> => {
      await database.close();
      await server.query(`drop database if exists ${name} with (force)`);
      await server.close();
    };
    return { ...database, close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Databases whose maker was killed: it holds a lock on their name as long as it lives. */
async function dropLeftovers(server: Database): Promise<void> {
  const sql = 'select datname from pg_database where starts_with(datname, $1)';
  const { rows } = await server.query<{ datname: string }>(sql, [PREFIX]);
  for (const { datname } of rows) {
    const lock = await server.tryLock(datname);
    if (lock === undefined) continue;
    await server.query(`drop database if exists ${datname} with (force)`);
    await lock.release();
  }
}
