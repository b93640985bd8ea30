/**
 * The one way to PostgreSQL, whether it runs in a data folder of ours or elsewhere: a pool, transactions, locks, and
 * logins that can only read.
 */
import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely';
import pg from 'pg';

import { ConnectorError } from '../protocol/errors.ts';
import { checkServer } from './checks.ts';
import { connect, CONNECTION_TIMEOUT_MS, withDefaults } from './client.ts';
import { openEmbedded, type EmbeddedDatabase, type Login } from './embedded.ts';
import { databaseError } from './errors.ts';
import { SessionLocks, type Lock } from './locks.ts';
import { openQueryLogin, type QueryLogin, type ServerSource } from './query-login.ts';
import { QuerySessions } from './query-sessions.ts';
import type { Settings } from './settings.ts';

export type Client = pg.PoolClient;

interface CommonOptions {
  /** Connections at most; each costs the server 5–10 MB. */
  readonly poolSize?: number;
  /** Told what takes long or goes wrong in the background, one sentence a call. */
  readonly log?: (line: string) => void;
}

export interface EmbeddedDatabaseOptions extends CommonOptions {
  readonly dataDir: string;
  readonly database?: string;
  readonly settings?: Settings;
}

export interface ServerDatabaseOptions extends CommonOptions {
  readonly url: string;
  /** The schema of the warehouse's tables; `public` unless told. */
  readonly schema?: string;
  /** A login that can only read, for servers on which we may not make one. */
  readonly queryUrl?: string;
}

export type DatabaseOptions = EmbeddedDatabaseOptions | ServerDatabaseOptions;

/** What runs one statement: the database, or the connection of an open transaction. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<pg.QueryResult<R>>;
}

export interface Database extends Queryable {
  readonly pool: pg.Pool;
  /** The schema of the warehouse's tables, and the only one on the search path. */
  readonly schema: string;
  /** The logins of the embedded server that other programs can use; undefined for a server elsewhere. */
  readonly logins: { readonly owner: Login; readonly query: Login } | undefined;
  query<R extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>>;
  /** Commits when `fn` succeeds and rolls back when it fails. */
  transaction<T>(fn: (client: Client) => Promise<T>): Promise<T>;
  /** A lock that lives until it is released or this process ends; undefined while anybody holds it. */
  tryLock(name: string): Promise<Lock | undefined>;
  /** Typed SQL for small tables. Only for what its caller names in `T`. */
  kysely<T>(): Kysely<T>;
  /** A login that can read the warehouse's tables and nothing else; to be closed. */
  openQuery(): Promise<QueryLogin>;
  /** A new session of such a login, which is kept for the next; whoever asks for it ends it. */
  querySession(config?: pg.ClientConfig): Promise<pg.Client>;
  close(): Promise<void>;
}

const POOL_SIZE = 8;

/** Opens the database, starting the embedded server when there is none; refuses one that cannot be used, with the reason. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { poolSize = POOL_SIZE, log = () => undefined } = options;
  if ('dataDir' in options) {
    const embedded = await openEmbedded(options);
    return assemble({ config: () => embedded.config, schema: 'public', source: embedded, poolSize, log });
  }
  const { url, schema = 'public', queryUrl } = options;
  const config = { connectionString: requireUrl(url) };
  await checkServer(config);
  return assemble({ config: () => config, schema, source: { url, queryUrl }, poolSize, log });
}

function requireUrl(url: string): string {
  try {
    // pg reads more than the URL standard allows, for example a socket: postgres://user@/database?host=/run/postgresql
    if (/^postgres(ql)?:\/\//.test(url) && new pg.Client({ connectionString: url }).host !== '') return url;
  } catch {
    // the reason would repeat the URL, and with it the password
  }
  throw new ConnectorError(
    'invalid_arguments',
    'The database URL cannot be read: write it as postgres://user:password@host:5432/database, with special characters ' +
      'in the password percent-encoded.',
  );
}

interface Parts {
  readonly config: () => pg.ClientConfig;
  readonly schema: string;
  readonly source: EmbeddedDatabase | ServerSource;
  readonly poolSize: number;
  readonly log: (line: string) => void;
}

function assemble({ config, schema, source, poolSize, log }: Parts): Database {
  const pool = openPool(config, schema, poolSize, log);
  const locks = new SessionLocks(() => connect(config()));
  const embedded = 'close' in source ? source : undefined;
  const openQuery = (): Promise<QueryLogin> => guarded(() => openQueryLogin({ pool, schema, source }));
  const sessions = new QuerySessions(openQuery);
  let closing: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    await sessions.close();
    await locks.close();
    await pool.end();
    await embedded?.close();
  };

  return {
    pool,
    schema,
    get logins() {
      return embedded && { owner: embedded.ownerLogin, query: embedded.queryConfig };
    },
    query: (sql, values = []) => guarded(() => pool.query(sql, [...values])),
    transaction: (fn) => transaction(pool, fn),
    tryLock: (name) => locks.tryLock(name),
    kysely: <T>() => new Kysely<T>({ dialect: new PostgresDialect({ pool }) }),
    openQuery,
    querySession: (config = {}) => sessions.connect(config),
    close: () => (closing ??= close()),
  };
}

/** What every session of ours starts with, whatever the server, the database or the role set as their defaults. */
export function sessionSettings(schema: string): string {
  return `set search_path to ${pg.escapeIdentifier(schema)}; set timezone to 'UTC'; set datestyle to 'ISO';
    set intervalstyle to 'postgres'; set statement_timeout to 0; set idle_in_transaction_session_timeout to 0`;
}

function openPool(config: () => pg.ClientConfig, schema: string, max: number, log: (line: string) => void): pg.Pool {
  // the pool asks for each connection anew: an embedded server that was started again may listen elsewhere
  class PoolClient extends pg.Client {
    constructor() {
      super(withDefaults(config()));
    }
  }
  // pg waits for the promise, which its types do not know yet
  const onConnect: (client: pg.ClientBase) => unknown = async (client) => {
    // a client that is out of the pool has no listener, and without one Node ends when the server goes away
    client.on('error', () => undefined);
    await client.query(sessionSettings(schema));
  };
  const pool = new pg.Pool({
    Client: PoolClient,
    max,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    onConnect,
  });
  pool.on('error', (error) => {
    if (!pool.ending) log(`A database connection was lost: ${error.message}`);
  });
  return pool;
}

async function guarded<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw databaseError(error);
  }
}

async function transaction<T>(pool: pg.Pool, fn: (client: Client) => Promise<T>): Promise<T> {
  const client = await guarded(() => pool.connect());
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await fn(client);
    await client.query('commit');
    return result;
  } catch (error) {
    // a connection that cannot even roll back is not given to anybody else
    broken = await client.query('rollback').then(
      () => undefined,
      (failure: unknown) => (failure instanceof Error ? failure : new Error(String(failure))),
    );
    throw databaseError(error);
  } finally {
    client.release(broken);
  }
}

/** Kysely on the connection of a transaction that `Database.transaction` opened. */
export function kyselyOn<T>(client: Client): Kysely<T> {
  // the transaction's own, minus what would give it back too early
  const borrowed = new Proxy(client, {
    get: (target, name) => {
      if (name === 'release') return () => undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  }) as unknown as PostgresPoolClient;
  const pool = { options: {}, connect: () => Promise.resolve(borrowed), end: () => Promise.resolve() };
  return new Kysely<T>({ dialect: new PostgresDialect({ pool }) });
}
