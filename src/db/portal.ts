/**
 * One statement whose rows are read a batch at a time: what is not asked for stays on the server, so memory does not grow
 * with the answer. The extended protocol takes one statement only.
 */
import type pg from 'pg';
import { parserOf, type Parse } from './types.ts';

export interface Field {
  readonly name: string;
  /** The oid of its type, and what `format_type` wants beside it. */
  readonly type: number;
  readonly modifier: number;
}

export interface Batch {
  readonly rows: readonly (readonly unknown[])[];
  /** The statement has no more rows. */
  readonly done: boolean;
}

interface FieldMessage {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number; readonly dataTypeModifier: number }[];
}

/** What pg's client calls on the statement that is under way; its types name none of it. */
export class Portal implements pg.Submittable {
  readonly #text: string;
  readonly #size: number;
  #connection: pg.Connection | undefined;
  #fields: readonly Field[] = [];
  #parsers: readonly Parse[] = [];
  #rows: unknown[][] = [];
  #waiting: PromiseWithResolvers<Batch> | undefined = Promise.withResolvers<Batch>();
  #state: 'reading' | 'paused' | 'ended' = 'reading';

  /** `size` is the number of rows of a batch. */
  constructor(text: string, size: number) {
    this.#text = text;
    this.#size = size;
  }

  /** Known with the first batch; a statement that gives no rows has none. */
  get fields(): readonly Field[] {
    return this.#fields;
  }

  /** The next rows. Not to be called again before the last call has ended, nor after `done`. */
  read(): Promise<Batch> {
    if (this.#state === 'paused') {
      this.#waiting = Promise.withResolvers<Batch>();
      this.#state = 'reading';
      this.#execute();
    }
    if (!this.#waiting) throw new Error('the portal has nothing to read');
    return this.#waiting.promise;
  }

  submit(connection: pg.Connection): void {
    this.#connection = connection;
    // a failure that comes before anybody reads is told to the first who does
    this.#waiting?.promise.catch(() => undefined);
    connection.parse({ text: this.#text, name: '', types: [] }, true);
    connection.bind({ portal: '', statement: '', values: [] }, true);
    connection.describe({ type: 'P', name: '' }, true);
    this.#execute();
  }

  handleRowDescription({ fields }: FieldMessage): void {
    this.#fields = fields.map(({ name, dataTypeID, dataTypeModifier }) => ({
      name,
      type: dataTypeID,
      modifier: dataTypeModifier,
    }));
    this.#parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#rows.push(fields.map((text, index) => (text === null ? null : this.#parsers[index]?.(text))));
  }

  handlePortalSuspended(): void {
    this.#state = 'paused';
    this.#deliver(false);
  }

  handleCommandComplete(_: unknown, connection: pg.Connection): void {
    this.#end(connection);
  }

  handleEmptyQuery(connection: pg.Connection): void {
    this.#end(connection);
  }

  handleError(error: unknown, connection: pg.Connection): void {
    this.#state = 'ended';
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    connection.sync();
  }

  handleCopyInResponse(connection: pg.Connection & { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail('a query sends no rows');
  }

  // what follows has to be there, and has nothing to do
  handleCopyData(): void {}
  handleReadyForQuery(): void {}

  #execute(): void {
    // pg's types want a text here, its code a number
    this.#connection?.execute({ portal: '', rows: this.#size as unknown as string }, true);
    this.#connection?.flush();
  }

  #end(connection: pg.Connection): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    connection.sync();
    this.#deliver(true);
  }

  #deliver(done: boolean): void {
    const rows = this.#rows;
    this.#rows = [];
    this.#waiting?.resolve({ rows, done });
    this.#waiting = undefined;
  }
}
