/** Pages into tables: rows, cursors and what they prove, in one transaction. */
import type pg from 'pg';
import type { Database } from '../db/database.ts';
import { errorCode, UNIQUE_VIOLATION } from '../db/errors.ts';
import type { Cursor, Message, Tally } from '../protocol/sync.ts';
import type { EncodedPage } from './copy.ts';
import type { AnyStream } from './ddl.ts';
import { Ledger, type Settlement } from './ledger.ts';
import { References } from './references.ts';
import { Rows, type WriteCounts } from './rows.ts';

export type Write =
  | { readonly type: 'page'; readonly page: EncodedPage }
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

/** Writes for one connection. Not for concurrent use: one batch at a time, each a transaction. */
export class Writer {
  readonly #database: Database;
  readonly #connectionId: number;
  readonly #streams: ReadonlyMap<string, AnyStream>;
  readonly #references: References;
  readonly #rows: Rows;
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
    this.#rows = new Rows(connectionId, this.#references, (name) => this.#streams.get(name)?.table ?? name);
    this.#ledger = new Ledger(connectionId, streams, this.#references);
  }

  /** Rows of these projects are about to come: what is looked up now is known when their pages are prepared. */
  async foresee(projects: readonly string[]): Promise<void> {
    await this.#references.foresee(this.#database, projects, this.#streams.values());
  }

  /**
   * The write that a message of a source asks for, in the form that takes the least memory while it waits for its turn.
   * @throws ConnectorError when a record cannot be stored
   */
  prepared(message: Exclude<Message, { type: 'size' }>): Write {
    if (message.type !== 'page') return message;
    const stream = this.#streams.get(message.page.stream);
    if (!stream) throw new Error(`no stream ${message.page.stream}`);
    return { type: 'page', page: this.#rows.encoded(stream, message.page) };
  }

  /** Commits a batch whole or not at all, in the order given. */
  async write(batch: readonly Write[]): Promise<Written> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const written = await this.#commit(batch);
        this.#references.commit();
        return written;
      } catch (error) {
        this.#references.rollback();
        if (!isCollision(error) || attempt >= MOST_ATTEMPTS) throw error;
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
        const pages = batch.flatMap((write) =>
          write.type === 'page' && write.page.stream === stream.name ? [write.page] : [],
        );
        if (pages.length > 0) counts.set(stream.name, await this.#rows.write(client, stream, pages));
      }
      for (const part of afterListings(batch)) {
        settlements.push(...(await this.#settle(client, part)));
        await this.#setCursors(client, part);
      }
      const done = batch.flatMap((write) => (write.type === 'done' ? write.projects : []));
      await this.#hold?.leave(client, { settlements, done });
      return { counts, settlements };
    });
  }

  async #settle(client: pg.ClientBase, batch: readonly Write[]): Promise<Settlement[]> {
    const tallies = batch.flatMap((write) => (write.type === 'tally' ? [write.tally] : []));
    for (const { stream, project } of tallies) if (project !== null) this.#rows.settled(stream, project);
    return this.#ledger.settleAll(client, tallies, this.#now());
  }

  /** Of several cursors of a slice the last one counts. */
  async #setCursors(client: pg.ClientBase, batch: readonly Write[]): Promise<void> {
    const last = new Map<string, CursorWrite>();
    for (const write of batch) {
      if (write.type === 'cursor') last.set(JSON.stringify([write.stream, write.slice]), write);
    }
    const { set = [], drop = [] } = Object.groupBy(last.values(), ({ cursor }) => (cursor === null ? 'drop' : 'set'));
    const slices = (writes: readonly CursorWrite[]): unknown[] => [
      this.#connectionId,
      writes.map(({ stream }) => stream),
      writes.map(({ slice }) => slice),
    ];
    if (drop.length > 0) await client.query(DROP_CURSORS, slices(drop));
    if (set.length > 0) {
      await client.query(SET_CURSORS, [...slices(set), set.map(({ cursor }) => JSON.stringify(cursor))]);
    }
  }
}

/** Two writers waited for each other, or added the same row: what was rolled back is done again. */
const COLLISIONS: readonly (string | undefined)[] = ['40P01', '40001', UNIQUE_VIOLATION];

const isCollision = (error: unknown): boolean =>
  COLLISIONS.includes(errorCode(error)) || (error instanceof Error && COLLISIONS.includes(errorCode(error.cause)));

type CursorWrite = Extract<Write, { type: 'cursor' }>;

/**
 * A batch cut in front of each tally of the projects' list: a project whose key changed loses the cursors that it had by
 * then. Between other tallies and cursors no order matters.
 */
function afterListings(batch: readonly Write[]): Write[][] {
  const parts: Write[][] = [[]];
  for (const write of batch) {
    if (write.type === 'tally' && write.tally.stream === 'projects') parts.push([]);
    parts.at(-1)?.push(write);
  }
  return parts;
}

const SET_CURSORS = `insert into soundings.cursors (connection_id, stream, slice, cursor)
select $1::bigint, given.* from unnest($2::text[], $3::text[], $4::jsonb[]) given
on conflict (connection_id, stream, slice) do update set cursor = excluded.cursor, updated_at = now()`;

const DROP_CURSORS = `delete from soundings.cursors c using unnest($2::text[], $3::text[]) given (stream, slice)
 where c.connection_id = $1 and c.stream = given.stream and c.slice = given.slice`;

export type { WriteCounts } from './rows.ts';
