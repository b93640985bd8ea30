/**
 * Advisory locks by name. PostgreSQL gives them back when the connection ends, so a crash frees them: they are how
 * processes agree on who does what, without rows that someone must clean up.
 */
import type pg from 'pg';

import { disconnect } from './client.ts';
import { databaseError } from './errors.ts';

export interface Lock {
  readonly name: string;
  /** Aborted when the connection, and with it the lock, is lost: somebody else may hold it now. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Takes a lock that ends with the transaction; waits for it. */
export async function lockInTransaction(client: pg.ClientBase, name: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}

/** The session locks of one process: all on one connection, which is made when the first is asked for. */
export class SessionLocks {
  readonly #connect: () => Promise<pg.Client>;
  readonly #held = new Map<string, AbortController>();
  #client: Promise<pg.Client> | undefined;
  #asked: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Promise<pg.Client>) {
    this.#connect = connect;
  }

  /** The lock, or undefined while anybody (also this process) holds it. */
  async tryLock(name: string): Promise<Lock | undefined> {
    // within one session PostgreSQL would grant the same lock again
    if (this.#held.has(name)) return undefined;
    const lost = new AbortController();
    this.#held.set(name, lost);
    try {
      const client = await this.#connection();
      const sql = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken';
      const { rows } = await this.#ask<{ taken: boolean }>(client, sql, [name]);
      if (rows[0]?.taken === true) return this.#lock(client, name, lost);
      this.#held.delete(name);
      return undefined;
    } catch (error) {
      this.#held.delete(name);
      throw databaseError(error);
    }
  }

  /** Gives back all locks. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#held.clear();
    this.#client = undefined;
    if (client !== undefined) await disconnect(client);
  }

  #lock(client: pg.Client, name: string, lost: AbortController): Lock {
    const release = async (): Promise<void> => {
      if (this.#held.get(name) !== lost) return;
      this.#held.delete(name);
      // with the connection gone the lock is free already
      const sql = 'select pg_advisory_unlock(hashtextextended($1, 0))';
      await this.#ask(client, sql, [name]).catch(() => undefined);
    };
    return { name, lost: lost.signal, release };
  }

  /** One statement after the other: a client takes no second one before the first has ended. */
  #ask<R extends pg.QueryResultRow>(client: pg.Client, sql: string, values: unknown[]): Promise<pg.QueryResult<R>> {
    const answer = this.#asked.then(() => client.query<R>(sql, values));
    this.#asked = answer.catch(() => undefined);
    return answer;
  }

  #connection(): Promise<pg.Client> {
    this.#client ??= this.#connect().then(
      (client) => {
        client.once('end', () => this.#lose());
        return client;
      },
      (error: unknown) => {
        this.#client = undefined;
        throw error;
      },
    );
    return this.#client;
  }

  #lose(): void {
    this.#client = undefined;
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const lost of held) lost.abort(new Error('The connection that held the lock is gone.'));
  }
}
