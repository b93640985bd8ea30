/** Between readers and the writer: bounded, so that memory stays flat whatever the size of the source. */
import { ConnectorError } from '../protocol/errors.ts';
import type { Settlement } from '../warehouse/ledger.ts';
import type { Write, Written } from '../warehouse/write.ts';

/** What may wait, see `weightOf`. One answer can hold more: it is taken when nothing else waits. */
const MOST_WAITING = 8_000;
/** The same in one transaction: large enough that a commit costs little, small enough that a reader never waits long. */
export const MOST_IN_BATCH = 4_000;
/** Short rows cost the database their number, long ones memory. */
export const ROWS_OF_A_KILOBYTE = 4;

interface Entry {
  readonly write: Write;
  readonly settled?: { resolve: (settlement: Settlement) => void; reject: (error: unknown) => void };
}

/** What a write weighs, in kilobytes. */
export function weightOf(write: Write): number {
  if (write.type !== 'page') return 0;
  return Math.ceil(Math.max(write.page.rows / ROWS_OF_A_KILOBYTE, write.page.text.length / 1024));
}

/** Takes writes in order and commits them in batches, as large as what has gathered meanwhile. */
export class WriteQueue {
  readonly #write: (batch: readonly Write[]) => Promise<Written>;
  readonly #onWritten: (written: Written) => void;
  #entries: Entry[] = [];
  #waiting = 0;
  #room: (() => void)[] = [];
  #running: Promise<void> | null = null;
  #failure: { error: unknown } | null = null;

  constructor(write: (batch: readonly Write[]) => Promise<Written>, onWritten: (written: Written) => void) {
    this.#write = write;
    this.#onWritten = onWritten;
  }

  /** Resolves when there is room for the next write; rejects when writing has failed. */
  async push(write: Write): Promise<void> {
    await this.#enqueue({ write });
  }

  /** Like `push`, and resolves with what the tally came to, once it is committed. */
  async settle(write: Extract<Write, { type: 'tally' }>): Promise<Settlement> {
    const { promise, resolve, reject } = Promise.withResolvers<Settlement>();
    promise.catch(() => undefined); // the failure is thrown by the await below or by drain
    await this.#enqueue({ write, settled: { resolve, reject } });
    return promise;
  }

  /** Resolves when everything pushed so far is committed. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
    this.#throwFailure();
  }

  /** Drops what waits and resolves when the batch under way has ended; later writes are refused. */
  async close(): Promise<void> {
    this.#failure ??= { error: new ConnectorError('cancelled', 'The run has ended.') };
    for (const { settled } of this.#entries) settled?.reject(this.#failure.error);
    this.#entries = [];
    while (this.#running) await this.#running;
  }

  async #enqueue(entry: Entry): Promise<void> {
    while (this.#waiting > 0 && this.#waiting + weightOf(entry.write) > MOST_WAITING) {
      this.#throwFailure();
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    this.#throwFailure();
    this.#entries.push(entry);
    this.#waiting += weightOf(entry.write);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // what is pushed in the same turn shares the first transaction
    try {
      while (this.#entries.length > 0 && !this.#failure) await this.#writeBatch();
    } finally {
      this.#running = null;
      this.#wake();
    }
  }

  async #writeBatch(): Promise<void> {
    const batch: Entry[] = [];
    let weight = 0;
    for (const entry of this.#entries) {
      if (batch.length > 0 && weight + weightOf(entry.write) > MOST_IN_BATCH) break;
      batch.push(entry);
      weight += weightOf(entry.write);
    }
    this.#entries = this.#entries.slice(batch.length);
    try {
      const written = await this.#write(batch.map((entry) => entry.write));
      this.#onWritten(written);
      const settlements = [...written.settlements];
      for (const { settled, write } of batch) {
        if (write.type !== 'tally') continue;
        const settlement = settlements.shift();
        if (settlement) settled?.resolve(settlement);
      }
    } catch (error) {
      this.#failure = { error };
      for (const entry of [...batch, ...this.#entries]) entry.settled?.reject(error);
      this.#entries = [];
    }
    this.#waiting -= weight;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#room;
    this.#room = [];
    for (const resume of waiting) resume();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
