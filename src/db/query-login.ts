/**
 * Logins for SQL that people write. A read-only transaction and SET ROLE are no borders (the query itself can undo
 * both), so such SQL runs as a user of its own that was granted the warehouse's tables and nothing else.
 */
import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { ConnectorError } from '../protocol/errors.ts';
import { APPLICATION, connect, disconnect } from './client.ts';
import type { EmbeddedDatabase } from './embedded.ts';
import { QUERY_ROLE } from './embedded-setup.ts';
import { errorCode } from './errors.ts';
import { randomPassword } from './folder.ts';
import { lockInTransaction } from './locks.ts';
import { scramVerifier } from './scram.ts';

export interface QueryLogin {
  readonly config: pg.ClientConfig;
  close(): Promise<void>;
}

export interface QueryLoginOptions {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly source: EmbeddedDatabase | ServerSource;
}

/** A server elsewhere: the URL we use ourselves, and perhaps one of a login that somebody made for queries. */
export interface ServerSource {
  readonly url: string;
  readonly queryUrl: string | undefined;
}

export async function openQueryLogin({ pool, schema, source }: QueryLoginOptions): Promise<QueryLogin> {
  // names without a schema are the warehouse's; the zone makes all moments end in Z
  const session = {
    application_name: `${APPLICATION} query`,
    options: `-c search_path=${startupValue(schema)} -c timezone=UTC`,
  };
  if ('close' in source) {
    await grantReading(pool, schema);
    return { config: { ...source.queryConfig, ...session }, close: () => Promise.resolve() };
  }
  if (source.queryUrl !== undefined) {
    const config = { connectionString: source.queryUrl, ...session };
    await checkQueryLogin(config, schema);
    return { config, close: () => Promise.resolve() };
  }
  try {
    await grantReading(pool, schema);
    const login = await makeLogin(source.url);
    return { ...login, config: { ...login.config, ...session } };
  } catch (error) {
    const cause = error instanceof ConnectorError ? error.cause : error;
    throw errorCode(cause) === '42501' ? await refusal(pool, schema, error) : error;
  }
}

/** A value in the startup packet's options: quoted as an identifier, then backslashes before spaces and backslashes. */
function startupValue(schema: string): string {
  return pg.escapeIdentifier(schema).replace(/[\\\s]/g, '\\$&');
}

/** Lets the query role read all tables there are and all that we will make, under a lock: grants on one object collide. */
async function grantReading(pool: pg.Pool, schema: string): Promise<void> {
  const client = await pool.connect();
  const name = pg.escapeIdentifier(schema);
  try {
    await client.query('begin');
    await lockInTransaction(client, 'soundings query role');
    const { rows } = await client.query(`select from pg_roles where rolname = $1`, [QUERY_ROLE]);
    if (rows.length === 0) await client.query(`create role ${QUERY_ROLE} nologin`);
    await client.query(`
      grant usage on schema ${name} to ${QUERY_ROLE};
      grant select on all tables in schema ${name} to ${QUERY_ROLE};
      alter default privileges in schema ${name} grant select on tables to ${QUERY_ROLE}`);
    await client.query('commit');
    client.release();
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    client.release(true);
    throw error;
  }
}

/** How long a login of a crashed process could be used at most, if no later process removed it before. */
const LIFETIME = `interval '1 day'`;
const RENEW_MS = 8 * 3_600_000;
const leaseOf = (role: string): string => `hashtextextended('login ${role}', 0)`;

/**
 * A login that lives as long as this process: a role with a password that is stored nowhere. The connection that made it
 * holds a lock on its name; a role whose lock is free was left by a crash, and the next process drops it.
 */
async function makeLogin(url: string): Promise<QueryLogin> {
  const keeper = await connect({ connectionString: url });
  try {
    const prefix = await rolePrefix(keeper);
    await dropLeftovers(keeper, prefix);
    const user = `${prefix}${randomBytes(6).toString('hex')}`;
    const password = randomPassword();
    await keeper.query(`select pg_advisory_lock(${leaseOf(user)})`);
    await keeper.query(
      `create role ${user} login password ${pg.escapeLiteral(scramVerifier(password))} in role ${QUERY_ROLE};
       alter role ${user} set default_transaction_read_only = on`,
    );
    await renew(keeper, user);
    const timer = setInterval(() => void renew(keeper, user).catch(() => undefined), RENEW_MS).unref();
    return {
      // of parameters that stand twice in a URL the last one counts
      config: { connectionString: `${url}${url.includes('?') ? '&' : '?'}user=${user}&password=${password}` },
      close: async () => {
        clearInterval(timer);
        await drop(keeper, user);
        await disconnect(keeper);
      },
    };
  } catch (error) {
    await disconnect(keeper);
    throw error;
  }
}

/** Roles are the server's, locks the database's: the name says whose lock to ask for. */
async function rolePrefix(client: pg.Client): Promise<string> {
  const sql = 'select oid::text as oid from pg_database where datname = current_database()';
  const { rows } = await client.query<{ oid: string }>(sql);
  return `soundings_q_${rows[0]?.oid ?? '0'}_`;
}

async function renew(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ until: string }>(`select (now() + ${LIFETIME})::text as until`);
  await client.query(`alter role ${role} valid until ${pg.escapeLiteral(rows[0]?.until ?? 'now')}`);
}

/** A role that another user of ours made may not be ours to drop: it runs out by itself. */
async function drop(client: pg.Client, role: string): Promise<void> {
  await client.query(`drop role if exists ${role}`).catch(() => undefined);
}

async function dropLeftovers(client: pg.Client, prefix: string): Promise<void> {
  const sql = 'select rolname from pg_roles where starts_with(rolname, $1)';
  const { rows } = await client.query<{ rolname: string }>(sql, [prefix]);
  for (const { rolname } of rows) {
    if (!/^\w+$/.test(rolname)) continue;
    const lease = await client.query<{ free: boolean }>(`select pg_try_advisory_lock(${leaseOf(rolname)}) as free`);
    if (lease.rows[0]?.free !== true) continue;
    await drop(client, rolname);
    await client.query(`select pg_advisory_unlock(${leaseOf(rolname)})`);
  }
}

/** What an administrator has to run so that we may make logins, with the names of this server. */
async function refusal(pool: pg.Pool, schema: string, cause: unknown): Promise<ConnectorError> {
  const { rows } = await pool.query<{ me: string }>('select quote_ident(current_user) as me');
  const [me, name] = [rows[0]?.me ?? 'current_user', pg.escapeIdentifier(schema)];
  return new ConnectorError(
    'invalid_arguments',
    'Queries run as a user that can only read, and the user of the database URL may not make one: let an administrator ' +
      `run “create role ${QUERY_ROLE} nologin; grant usage on schema ${name} to ${QUERY_ROLE}; ` +
      `grant select on all tables in schema ${name} to ${QUERY_ROLE}; ` +
      `alter default privileges for role ${me} in schema ${name} grant select on tables to ${QUERY_ROLE}; ` +
      `alter role ${me} createrole; grant ${QUERY_ROLE} to ${me} with admin option”, ` +
      `or make a login with “create role … login password '…' in role ${QUERY_ROLE}” and give its URL as the query URL.`,
    { cause },
  );
}

/** Everything the login could do by itself or by becoming a role it is a member of. */
const POWERS = `
  select coalesce(bool_or(
           rolsuper or rolcreaterole or rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                                                   'pg_write_server_files', 'pg_execute_server_program')
           or (to_regnamespace('soundings') is not null and has_schema_privilege(roles.oid, 'soundings', 'usage'))
           or exists (select from pg_namespace
                      where nspname = $1 and has_schema_privilege(roles.oid, pg_namespace.oid, 'create'))
           or exists (select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
                      where nspname = $1 and relkind in ('r', 'p', 'v')
                        and has_table_privilege(roles.oid, pg_class.oid, 'insert, update, delete, truncate'))
         ), true) as too_much
  from pg_roles as roles where pg_has_role(current_user, roles.oid, 'member')`;

/** Refuses a login for queries that can do more than read the warehouse. */
async function checkQueryLogin(config: pg.ClientConfig, schema: string): Promise<void> {
  const client = await connect(config);
  try {
    const { rows } = await client.query<{ too_much: boolean }>(POWERS, [schema]);
    if (rows[0]?.too_much === false) return;
    throw new ConnectorError(
      'invalid_arguments',
      'The user of the query URL can do more than read the warehouse: give one that has only “usage” on the schema ' +
        `“${schema}” and “select” on its tables, and nothing on the schema “soundings”.`,
    );
  } finally {
    await disconnect(client);
  }
}
