/**
 * Brings a database to what this program needs: forward only, all in one transaction, one process at a time. The
 * migrations come from the rooms that own the tables; which ones were run is kept in the schema `soundings`.
 */
import { Migrator, type Migration } from 'kysely/migration';
import pg from 'pg';

import { ConnectorError } from '../protocol/errors.ts';
import type { Database } from './database.ts';
import { databaseError, errorCode, UNIQUE_VIOLATION } from './errors.ts';

export type { Migration };

/** The schema of the program's own tables, which the query role never sees. */
export const CONTROL_SCHEMA = 'soundings';
const TABLE = 'migrations';

/** Runs what was not run yet, in the order of the names; gives the names it ran. */
export async function migrate(db: Database, migrations: Readonly<Record<string, Migration>>): Promise<string[]> {
  try {
    await ensureSchema(db, CONTROL_SCHEMA);
    await ensureSchema(db, db.schema);
    await refuseNewer(db, migrations);
    const migrator = new Migrator({
      db: db.kysely(),
      provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
      migrationTableSchema: CONTROL_SCHEMA,
      migrationTableName: TABLE,
      migrationLockTableName: 'migrations_lock',
      // each room numbers its own: one room's next may sort before another's last
      allowUnorderedMigrations: true,
    });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const failed = results.find((result) => result.status === 'Error')?.migrationName;
      throw failed === undefined ? error : migrationError(failed, error);
    }
    return results.map((result) => result.migrationName);
  } catch (error) {
    throw databaseError(error);
  }
}

/** A fault of room, permission or connection says it better itself; what remains is a fault of the migration. */
function migrationError(name: string, error: unknown): unknown {
  const known = databaseError(error);
  if (known instanceof ConnectorError) return known;
  const reason = error instanceof Error ? error.message : String(error);
  return new ConnectorError(
    'unexpected',
    `The database could not be brought to this version (${name}: ${reason}) and is as it was before: please report this.`,
    { cause: error, details: { migration: name } },
  );
}

async function ensureSchema(db: Database, schema: string): Promise<void> {
  const name = pg.escapeIdentifier(schema);
  const { rows } = await db.query<{ usable: boolean }>(
    `select has_schema_privilege(oid, 'create, usage') as usable from pg_namespace where nspname = $1`,
    [schema],
  );
  if (rows[0]?.usable === true) return;
  try {
    if (rows.length > 0) throw new Error(`no privilege “create” on schema ${name}`);
    await db.query(`create schema if not exists ${name}`);
  } catch (error) {
    const cause = error instanceof ConnectorError ? error.cause : error;
    // two processes at once: the other one made it
    if ([UNIQUE_VIOLATION, '42P06'].includes(errorCode(cause) ?? '')) return;
    if (rows.length === 0 && errorCode(cause) !== '42501') throw error;
    const me = await db.query<{ me: string }>('select quote_ident(current_user) as me');
    const user = me.rows[0]?.me ?? 'current_user';
    throw new ConnectorError(
      'invalid_arguments',
      `The user of the database URL may not make tables in the schema “${schema}”: let an administrator run ` +
        (rows.length === 0
          ? `“create schema ${name} authorization ${user}”`
          : `“grant usage, create on schema ${name} to ${user}”`) +
        (schema === CONTROL_SCHEMA ? '.' : ', or name another schema with the schema option.'),
      { cause },
    );
  }
}

/** A database that a newer program changed may mean something else by the same tables: nothing is written to it. */
async function refuseNewer(db: Database, migrations: Readonly<Record<string, Migration>>): Promise<void> {
  const { rows: tables } = await db.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    `${CONTROL_SCHEMA}.${TABLE}`,
  ]);
  if (tables[0]?.there !== true) return;
  const { rows } = await db.query<{ name: string }>(`select name from ${CONTROL_SCHEMA}.${TABLE} order by name`);
  const unknown = rows.map((row) => row.name).filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length === 0) return;
  throw new ConnectorError(
    'invalid_arguments',
    `The database is newer than the program (it has ${unknown.join(', ')}): upgrade soundings.`,
    { details: { migrations: unknown } },
  );
}
