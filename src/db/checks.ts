/** What a PostgreSQL server must be before anything is written to it; asked once, when it is opened. */
import type pg from 'pg';

import { ConnectorError } from '../protocol/errors.ts';
import { connect, disconnect } from './client.ts';

/** PostgreSQL 14 ends in November 2026. */
const OLDEST_MAJOR = 15;

interface Server {
  readonly pid: number;
  readonly version: number;
  readonly version_text: string;
  readonly encoding: string;
  readonly replica: boolean;
}

/** Refuses a server that is too old, does not store Unicode, only answers reads, or stands behind a pooler that shares sessions. */
export async function checkServer(config: pg.ClientConfig): Promise<void> {
  const client = await connect(config);
  try {
    const { rows } = await client.query<Server>(
      `select pg_backend_pid() as pid, current_setting('server_version_num')::int as version,
              current_setting('server_version') as version_text, current_setting('server_encoding') as encoding,
              pg_is_in_recovery() as replica`,
    );
    const server = rows[0];
    if (server === undefined) throw refuse('The server answers a query with nothing: it is not a PostgreSQL server.');
    if (server.version < OLDEST_MAJOR * 10_000) {
      throw refuse(`This is PostgreSQL ${server.version_text}: upgrade the server to ${OLDEST_MAJOR} or later.`);
    }
    if (server.encoding !== 'UTF8') {
      throw refuse(
        `This database stores ${server.encoding}, which cannot hold every text: name one made with “create database … encoding 'UTF8' template template0”.`,
      );
    }
    if (server.replica) throw refuse('This server is a replica that only answers reads: give the URL of the primary.');
    if (server.pid !== processId(client) && (await sharesSessions(config))) {
      throw refuse(
        'This URL leads to a pooler that gives each transaction another session, where locks and temporary tables are lost: ' +
          'give the URL of PostgreSQL itself, or of a pool in session mode with at least ten sessions.',
      );
    }
  } finally {
    await disconnect(client);
  }
}

function refuse(message: string): ConnectorError {
  return new ConnectorError('invalid_arguments', message);
}

/** The backend's number as it was told at login. A pooler tells a number of its own, so a difference means a pooler. */
function processId(client: pg.Client): number | undefined {
  return (client as pg.Client & { processID?: number }).processID;
}

/** A pooler whose pool has one session only lets the second client wait as long as the first is in a transaction. */
const WAIT_MS = 3_000;

/**
 * Does a session change between two transactions? Two clients take a session each by being in a transaction at the same
 * time, let go, and take one again: first in one order, then in the other, since some pools hand out the session that
 * was used last and some the one that was used longest ago.
 */
async function sharesSessions(config: pg.ClientConfig): Promise<boolean> {
  const clients = [await connect(config), await connect(config)] as const;
  try {
    const before = await sessionsOf(clients);
    if (before === undefined) return true;
    for (const order of [clients, [clients[1], clients[0]] as const]) {
      const after = await sessionsOf(order);
      if (after === undefined || clients.some((client) => before.get(client) !== after.get(client))) return true;
    }
    return false;
  } finally {
    // not "end": it would wait for the answer of a statement that a pooler holds back
    for (const client of clients) destroy(client);
  }
}

function destroy(client: pg.Client): void {
  const { connection } = client as pg.Client & { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}

async function sessionsOf(clients: readonly pg.Client[]): Promise<Map<pg.Client, number> | undefined> {
  const sessions = new Map<pg.Client, number>();
  for (const client of clients) {
    const asked = client.query('begin').then(() => client.query<{ pid: number }>('select pg_backend_pid() as pid'));
    const answer = await Promise.race([
      asked.catch(() => undefined),
      new Promise<undefined>((resolve) => setTimeout(resolve, WAIT_MS, undefined).unref()),
    ]);
    if (answer === undefined) return undefined;
    sessions.set(client, answer.rows[0]?.pid ?? 0);
  }
  for (const client of clients) await client.query('commit');
  return sessions;
}
