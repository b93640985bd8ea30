/**
 * Sessions for SQL that people write: a new one for each query, so that nothing of it (locks, settings, temporary things)
 * is left to the next; all by one login, made when the first is asked for.
 */
import type pg from 'pg';
import { connect } from './client.ts';
import { errorCode, isServerAway } from './errors.ts';
import type { QueryLogin } from './query-login.ts';
import { ConnectorError } from '../protocol/errors.ts';

export class QuerySessions {
  readonly #open: () => Promise<QueryLogin>;
  #login: Promise<QueryLogin> | undefined;

  constructor(open: () => Promise<QueryLogin>) {
    this.#open = open;
  }

  /** A session that can read the warehouse's tables and nothing else; whoever asks for it ends it. */
  async connect(config: pg.ClientConfig): Promise<pg.Client> {
    const login = this.#shared();
    try {
      return await connect({ ...(await login).config, ...config });
    } catch (error) {
      if (!isStale(error)) throw error;
      this.#forget(login);
      return connect({ ...(await this.#shared()).config, ...config });
    }
  }

  async close(): Promise<void> {
    const login = await this.#login?.catch(() => undefined);
    this.#login = undefined;
    await login?.close();
  }

  #shared(): Promise<QueryLogin> {
    if (this.#login) return this.#login;
    const login = this.#open();
    this.#login = login;
    // what cannot be made now is tried again by the next query
    login.catch(() => {
      if (this.#login === login) this.#login = undefined;
    });
    return login;
  }

  #forget(login: Promise<QueryLogin>): void {
    if (this.#login === login) this.#login = undefined;
    void login.then((old) => old.close()).catch(() => undefined);
  }
}

/**
 * The server was started again elsewhere, or the login is gone: its keeper's connection was lost, and another process took
 * it for a leftover.
 */
function isStale(error: unknown): boolean {
  const cause = error instanceof ConnectorError ? error.cause : error;
  return isServerAway(error) || errorCode(cause)?.startsWith('28') === true;
}
