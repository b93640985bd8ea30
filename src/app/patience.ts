/** Waiting for a database that is away: with growing pauses, and said once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import type { Log } from './observer.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** Pauses that grow by half as long as nothing goes well. */
export class Patience {
  readonly #signal: AbortSignal;
  readonly #log: Log;
  #pause = FIRST_PAUSE_MS;
  #said = false;

  constructor(signal: AbortSignal, log: Log) {
    this.#signal = signal;
    this.#log = log;
  }

  /** It went well: the next fault is news. */
  calm(): void {
    if (this.#said) this.#log.info({}, 'The database is back; going on.');
    this.#pause = FIRST_PAUSE_MS;
    this.#said = false;
  }

  /** Waits a while after a fault; ends early when it is to stop. */
  async wait(thrown: unknown): Promise<void> {
    const error = asConnectorError(thrown);
    if (!this.#said && !this.#signal.aborted)
      this.#log.warn({ code: error.code }, `Waiting for the database: ${error.message}`);
    this.#said = true;
    await sleep(this.#pause, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.5);
  }
}

/** May the same succeed once the database is there again? */
export const isAway = (thrown: unknown): thrown is ConnectorError =>
  thrown instanceof ConnectorError && thrown.code === 'database_unavailable';
