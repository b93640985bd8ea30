/** Pages into tables: rows, cursors and what they prove, in one transaction. */
import type pg from 'pg';
import { copyFrom } from '../db/copy.ts';
import type { Database } from '../db/database.ts';
import { errorCode } from '../db/errors.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Cursor, Page, Tally } from '../protocol/sync.ts';
import { line, UnreadableRecord } from './copy.ts';
import { recordColumns, type AnyStream } from './ddl.ts';
import { Ledger, type Settlement } from './ledger.ts';
import { copyStatement, createStaging, MERGE_SETTINGS, mergeStatement } from './merge.ts';
import { References } from './references.ts';

/** Rows merged into one table. */
export interface WriteCounts {
  seen: number;
  added: number;
  changed: number;
}

export type Write =
  | { readonly type: 'page'; readonly page: Page }
  | { readonly type: 'cursor'; readonly stream: string; readonly slice: string; readonly cursor: Cursor | null }
  | { readonly type: 'tally'; readonly tally: Tally }
  /** Everything that was to be read of these projects stands before this. */
  | { readonly type: 'done'; readonly projects: readonly string[] };

/**
 * What several writers of one run agree by: called in each transaction, before its first row and after its last. Throwing
 * rolls everything back.
 */
export interface Hold {
  /** Is this writer still the one that may write? */
  enter(client: pg.ClientBase): Promise<void>;
  /** Stores what the transaction made true, with it. */
  leave(client: pg.ClientBase, written: { settlements: readonly Settlement[]; done: readonly string[] }): Promise<void>;
}

export interface Written {
  readonly counts: ReadonlyMap<string, WriteCounts>;
  readonly settlements: readonly Settlement[];
}

/** A batch that another writer was in the way of is tried so often. */
const MOST_ATTEMPTS = 5;
/** COPY is fed in pieces of about this many characters. */
const COPY_CHUNK = 64 * 1024;

/** Writes for one connection. Not for concurrent use: one batch at a time, each a transaction. */
export class Writer {
  readonly #database: Database;
  readonly #connectionId: number;
  readonly #streams: ReadonlyMap<string, AnyStream>;
  readonly #references: References;
  readonly #ledger: Ledger;
  readonly #now: () => Date;
  readonly #hold: Hold | undefined;

  /** `now` dates what the ledger finds; observations carry their own time. */
  constructor(
    database: Database,
    connectionId: number,
    streams: readonly AnyStream[],
    now: () => Date = () => new Date(),
    hold?: Hold,
  ) {
    this.#now = now;
    this.#hold = hold;
    this.#database = database;
    this.#connectionId = connectionId;
    this.#streams = new Map(streams.map((stream) => [stream.name, stream]));
    this.#references = new References(connectionId, streams);
    this.#ledger = new Ledger(connectionId, streams, this.#references);
  }

  /** Commits a batch whole or not at all, in the order given. */
  async write(batch: readonly Write[]): Promise<Written> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#commit(batch);
      } catch (error) {
        this.#references.forgetTagSets();
        // two writers waited for each other: what was rolled back is done again
        const again = ['40P01', '40001'].includes(errorCode(error instanceof Error ? error.cause : null) ?? '');
        if (!again || attempt >= MOST_ATTEMPTS) throw error;
      }
    }
  }

  async #commit(batch: readonly Write[]): Promise<Written> {
    return this.#database.transaction(async (client) => {
      await this.#hold?.enter(client);
      const counts = new Map<string, WriteCounts>();
      const settlements: Settlement[] = [];
      // rows first, table by table in order of their references; what they make true comes after them
      for (const stream of this.#streams.values()) {
        const pages = batch.filter((write) => write.type === 'page' && write.page.stream === stream.name);
        if (pages.length > 0) counts.set(stream.name, await this.#merge(client, stream, pages as PageWrite[]));
      }
      for (const write of batch) {
        if (write.type === 'cursor') await this.#setCursor(client, write);
        if (write.type === 'tally') settlements.push(await this.#ledger.settle(client, write.tally, this.#now()));
      }
      const done = batch.flatMap((write) => (write.type === 'done' ? write.projects : []));
      await this.#hold?.leave(client, { settlements, done });
      return { counts, settlements };
    });
  }

  async #merge(client: pg.PoolClient, stream: AnyStream, writes: readonly PageWrite[]): Promise<WriteCounts> {
    for (const { page } of writes) await this.#references.load(client, stream, page.records);
    await client.query(createStaging(stream));
    await copyFrom(client, copyStatement(stream), this.#lines(stream, writes));
    await client.query(MERGE_SETTINGS);
    const { rows } = await client.query<WriteCounts>(mergeStatement(stream), [this.#connectionId]);
    return rows[0] ?? { seen: 0, added: 0, changed: 0 };
  }

  *#lines(stream: AnyStream, writes: readonly PageWrite[]): Generator<string> {
    const columns = recordColumns(stream);
    let text = '';
    let position = 0;
    for (const { page } of writes) {
      const observedAt = page.observedAt.toISOString();
      for (const record of page.records) {
        text += encode(stream, columns, record, position, observedAt, this.#references);
        position += 1;
        if (text.length > COPY_CHUNK) {
          yield text;
          text = '';
        }
      }
    }
    if (text !== '') yield text;
  }

  async #setCursor(client: pg.PoolClient, { stream, slice, cursor }: CursorWrite): Promise<void> {
    if (cursor === null) {
      await client.query('delete from soundings.cursors where connection_id = $1 and stream = $2 and slice = $3', [
        this.#connectionId,
        stream,
        slice,
      ]);
    } else {
      await client.query(SET_CURSOR, [this.#connectionId, stream, slice, JSON.stringify(cursor)]);
    }
  }
}

type PageWrite = Extract<Write, { type: 'page' }>;
type CursorWrite = Extract<Write, { type: 'cursor' }>;

const SET_CURSOR = `insert into soundings.cursors (connection_id, stream, slice, cursor) values ($1, $2, $3, $4)
on conflict (connection_id, stream, slice) do update set cursor = excluded.cursor, updated_at = now()`;

function encode(
  stream: AnyStream,
  columns: ReturnType<typeof recordColumns>,
  record: unknown,
  position: number,
  observedAt: string,
  references: References,
): string {
  try {
    return line(columns, record, position, observedAt, references);
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    throw new ConnectorError(
      'internal_server_error',
      `A record of ${stream.endpoint} cannot be stored (${error.message}); nothing of its page was kept. Run the sync again; if it stays, report it with the server's version.`,
      { cause: error, details: { stream: stream.name } },
    );
  }
}
