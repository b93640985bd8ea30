/**
 * Several processes on one data folder: the first starts the server, the last stops it, none pulls it from under
 * another. Each holds a shared advisory lock on a connection of its own; a crash closes the connection and so gives the
 * lock back. Who ends asks for the lock exclusively: getting it means being the last.
 */
import { setTimeout as delay } from 'node:timers/promises';

import type pg from 'pg';

import { ConnectorError } from '../protocol/errors.ts';
import { APPLICATION, connect, disconnect } from './client.ts';
import { errorCode, errorText, folderError, isServerAway } from './errors.ts';
import { findPostmaster, stopPostmaster, type Postmaster } from './postmaster.ts';
import { startPostmaster, type StartOptions } from './start.ts';

/** Advisory locks belong to a database: users of all databases of the server meet in this one. */
const MEETING_PLACE = 'postgres';
const USERS_LOCK = `hashtextextended('soundings users', 0)`;

const RETRY_MS = 50;
/** A server that neither answers nor ends for this long is a fault, not a start or a stop. */
const GIVE_UP_MS = 60_000;

export interface Membership {
  /** Where the server listens now; another one after it went away and was started again on another port. */
  readonly postmaster: Postmaster;
  leave(): Promise<void>;
}

export type ServerOptions = StartOptions & { readonly owner: string; readonly password: string };

interface Joined {
  readonly client: pg.Client;
  readonly postmaster: Postmaster;
}

/** How to reach a server: by its socket, which is faster and cannot be imitated, else by loopback. */
export function address({ port, socketFolder }: Postmaster): { host: string; port: number } {
  return { host: socketFolder ?? '127.0.0.1', port };
}

/** Finds or starts the server and takes the users' lock; waits while it starts or stops. */
async function joinOnce(options: ServerOptions): Promise<Joined> {
  const { folder, owner, password } = options;
  let end = Date.now() + GIVE_UP_MS;
  for (;;) {
    const postmaster = await findPostmaster(folder.cluster);
    if (postmaster === undefined) {
      await startPostmaster(options).catch((error: unknown) => {
        throw folderError(folder.path, error);
      });
      end = Date.now() + GIVE_UP_MS;
      continue;
    }
    const client = await greet({ ...address(postmaster), user: owner, password, database: MEETING_PLACE }, folder.path);
    if (client !== undefined) return { client, postmaster };
    // a server that puts itself in order after a crash has a living process, but is not ready: that may take minutes
    if (Date.now() > end && postmaster.ready) {
      throw new ConnectorError(
        'database_unavailable',
        `The embedded PostgreSQL (process ${postmaster.pid}) does not answer: see ${folder.log}, or stop that process.`,
        { retry: true },
      );
    }
    await delay(RETRY_MS);
  }
}

/** A connection that holds the users' lock, or undefined when the server is not there yet or any more. */
async function greet(config: pg.ClientConfig, path: string): Promise<pg.Client | undefined> {
  let client: pg.Client | undefined;
  try {
    client = await connect(config);
    await client.query(`select pg_advisory_lock_shared(${USERS_LOCK})`);
    return client;
  } catch (error) {
    if (client !== undefined) await disconnect(client);
    if (isServerAway(error)) return undefined;
    const cause = error instanceof ConnectorError ? error.cause : error;
    if (errorCode(cause) !== '28P01') throw error;
    throw new ConnectorError(
      'database_unavailable',
      `The password in ${path}/secrets is not the one of the database beside it: restore both from one backup, or ` +
        'choose another --data-dir.',
      { cause },
    );
  }
}

/** How long after a failed restart the next one is tried; whoever needs the database meanwhile says what is wrong. */
const AGAIN_MS = 5_000;

/** Becomes a user of the server, and one again when the server goes away and comes back, until `leave` is called. */
export async function join(options: ServerOptions): Promise<Membership> {
  const leaving = new AbortController();
  let joined = await joinOnce(options);
  let rejoined = Promise.resolve();

  const rejoin = async (): Promise<void> => {
    options.log('The embedded database went away; starting it again.');
    while (!leaving.signal.aborted) {
      try {
        joined = await joinOnce(options);
        watch();
        return;
      } catch (error) {
        options.log(`The embedded database did not come back: ${errorText(error)}`);
        await delay(AGAIN_MS, undefined, { signal: leaving.signal, ref: false }).catch(() => undefined);
      }
    }
  };
  const watch = (): void => {
    joined.client.once('end', () => {
      if (!leaving.signal.aborted) rejoined = rejoin();
    });
  };
  watch();

  return {
    get postmaster() {
      return joined.postmaster;
    },
    async leave() {
      leaving.abort();
      await rejoined;
      await leaveServer(options, joined);
    },
  };
}

async function leaveServer({ folder }: ServerOptions, { client, postmaster }: Joined): Promise<void> {
  try {
    await client.query(`select pg_advisory_unlock_shared(${USERS_LOCK})`);
    if (await isLast(client)) await stopPostmaster(folder.cluster, postmaster.pid);
  } catch (error) {
    if (!isServerAway(error)) throw error;
  } finally {
    await disconnect(client);
  }
}

/** Nobody else holds the lock, and nobody from outside (psql, a dashboard) is connected. */
async function isLast(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ last: boolean }>(
    `select pg_try_advisory_lock(${USERS_LOCK}) and not exists (
       select from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name not like $1
     ) as last`,
    [`${APPLICATION}%`],
  );
  return rows[0]?.last === true;
}
