/**
 * Rows of pages into their table, in the transaction of their batch. Rows of a project that was never stored are copied
 * straight into the table; all others go through staging and the merge.
 */
import type pg from 'pg';
import { copyFrom } from '../db/copy.ts';
import { errorCode, UNIQUE_VIOLATION } from '../db/errors.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Page } from '../protocol/sync.ts';
import { Encoder, filled, textOf, UnreadableRecord, type EncodedPage, type Part } from './copy.ts';
import type { AnyStream } from './ddl.ts';
import {
  copyStatement,
  createStaging,
  directCopyStatement,
  keysTwice,
  MERGE_SETTINGS,
  mergeStatement,
} from './merge.ts';
import type { References } from './references.ts';

/** Rows merged into one table. */
export interface WriteCounts {
  seen: number;
  added: number;
  changed: number;
}

/** Which rows of a page go one way. */
type Wanted = (part: Part) => boolean;

/** Writes rows for one connection. */
export class Rows {
  readonly #connectionId: number;
  readonly #references: References;
  readonly #tableOf: (stream: string) => string;
  readonly #encoders = new Map<string, Encoder>();
  /** By stream, then by project key: had it never a row when it was first met? */
  readonly #new = new Map<string, Map<string, boolean>>();

  constructor(connectionId: number, references: References, tableOf: (stream: string) => string) {
    this.#connectionId = connectionId;
    this.#references = references;
    this.#tableOf = tableOf;
  }

  /**
   * Encodes a page as soon as it has come, so that it waits as bytes.
   * @throws ConnectorError when one of its records cannot be stored
   */
  encoded(stream: AnyStream, page: Page): EncodedPage {
    return storable(stream, () => this.#encoder(stream).encode(page));
  }

  async write(client: pg.ClientBase, stream: AnyStream, pages: readonly EncodedPage[]): Promise<WriteCounts> {
    const ready = await this.#filled(client, stream, pages);
    const counts = await this.#store(client, stream, ready);
    if (counts.added + counts.changed > 0) await this.#holdReferences(client, stream, ready);
    return counts;
  }

  async #store(client: pg.ClientBase, stream: AnyStream, pages: readonly EncodedPage[]): Promise<WriteCounts> {
    await client.query(MERGE_SETTINGS);
    const known = await this.#meet(client, stream, pages);
    const isNew: Wanted = ({ project }) => project !== null && known.get(project) === true;
    const parts = pages.flatMap((page) => page.parts);
    const added = parts.some(isNew) ? await this.#copy(client, stream, pages, isNew) : 0;
    if (added === null) return this.#merge(client, stream, pages, () => true);
    if (parts.every(isNew)) return { seen: added, added, changed: 0 };
    const rest = await this.#merge(client, stream, pages, (part) => !isNew(part));
    return { seen: added + rest.seen, added: added + rest.added, changed: rest.changed };
  }

  /** A pass over this project has ended: what is read of it from now on is known. */
  settled(stream: string, project: string): void {
    this.#new.get(stream)?.set(project, false);
  }

  // ------------------------------------------------------------------ from records to text

  /** Knows what is committed: what a transaction made may be gone before the page is written. */
  #encoder(stream: AnyStream): Encoder {
    let encoder = this.#encoders.get(stream.name);
    if (!encoder)
      this.#encoders.set(stream.name, (encoder = new Encoder(stream, this.#connectionId, this.#references.committed)));
    return encoder;
  }

  /** What was not known when the pages came is looked up for all of them at once. */
  async #filled(
    client: pg.ClientBase,
    stream: AnyStream,
    pages: readonly EncodedPage[],
  ): Promise<readonly EncodedPage[]> {
    await this.#references.load(
      client,
      pages.flatMap(({ gaps }) => gaps.map(({ wanted }) => wanted)),
    );
    return pages.map((page) => storable(stream, () => filled(page, this.#references)));
  }

  // ------------------------------------------------------------------ which way

  /** Looks up the projects that this writer has not met yet; by project key: had it never a row? */
  async #meet(
    client: pg.ClientBase,
    stream: AnyStream,
    pages: readonly EncodedPage[],
  ): Promise<ReadonlyMap<string, boolean>> {
    const known = this.#new.get(stream.name) ?? new Map<string, boolean>();
    this.#new.set(stream.name, known);
    const keys = new Set<string>();
    for (const { parts } of pages) {
      for (const { project } of parts) if (project !== null && !known.has(project)) keys.add(project);
    }
    if (keys.size === 0) return known;
    await this.#references.loadIds(client, 'projects', keys);
    const ids = [...keys].map((key) => this.#references.id('projects', key) ?? null);
    const metrics =
      'metric_id' in stream.columns
        ? [...new Set(pages.flatMap(({ refers }) => [...(refers.get('metrics') ?? [])]))]
        : null;
    const { rows } = await client.query<{ key: string; stored: boolean }>(
      `select p.key, c.found is not null or t.found is not null as stored
         from unnest($1::text[], $2::bigint[]) p (key, id)
         left join lateral (select true as found from sonarqube_completeness c
                             where c.connection_id = $3 and c.stream = $4 and c.project = p.key) c on true
         left join lateral (select true as found from ${stream.table} t
                             where t.project_id = p.id ${metrics ? 'and t.metric_id = any($5::bigint[])' : 'and $5::bigint[] is null'}
                             limit 1) t on true`,
      [[...keys], ids, this.#connectionId, stream.name, metrics],
    );
    for (const { key, stored } of rows) known.set(key, !stored);
    return known;
  }

  // ------------------------------------------------------------------ straight into the table

  /** Copies new rows; null when one of them was there after all, under another project or twice in the pages. */
  async #copy(
    client: pg.ClientBase,
    stream: AnyStream,
    pages: readonly EncodedPage[],
    wanted: Wanted,
  ): Promise<number | null> {
    await client.query('savepoint rows');
    try {
      const added = await copyFrom(client, directCopyStatement(stream), textsOf(pages, wanted));
      await client.query('release savepoint rows');
      return added;
    } catch (error) {
      if (errorCode(error) !== UNIQUE_VIOLATION) throw error;
      await client.query('rollback to savepoint rows');
      for (const key of this.#new.get(stream.name)?.keys() ?? []) this.settled(stream.name, key);
      return null;
    }
  }

  /** What foreign keys would do row by row, once: what the rows refer to is there, and stays until they are committed. */
  async #holdReferences(client: pg.ClientBase, stream: AnyStream, pages: readonly EncodedPage[]): Promise<void> {
    const wanted = new Map<string, Set<number>>();
    for (const { refers } of pages) {
      for (const [name, ids] of refers) {
        const all = wanted.get(name);
        if (all) for (const id of ids) all.add(id);
        else wanted.set(name, new Set(ids));
      }
    }
    for (const [name, ids] of wanted) {
      const { rows } = await client.query(
        `select from ${this.#tableOf(name)} where id = any($1::bigint[]) for key share`,
        [[...ids]],
      );
      if (rows.length !== ids.size) throw this.#referenceGone(stream);
    }
  }

  // ------------------------------------------------------------------ by the merge

  async #merge(
    client: pg.ClientBase,
    stream: AnyStream,
    pages: readonly EncodedPage[],
    wanted: Wanted,
  ): Promise<WriteCounts> {
    await client.query(createStaging(stream));
    await copyFrom(client, copyStatement(stream), textsOf(pages, wanted));
    const { rowCount: twice } = await client.query(keysTwice(stream));
    const { rows } = await client.query<WriteCounts>(mergeStatement(stream, twice !== 0), [this.#connectionId]);
    return rows[0] ?? { seen: 0, added: 0, changed: 0 };
  }

  #referenceGone(stream: AnyStream): ConnectorError {
    return new ConnectorError(
      'internal_server_error',
      `What rows of ${stream.table} belong to was deleted from the database while they were written; nothing of them was kept. Run the sync again.`,
      { details: { stream: stream.name } },
    );
  }
}

function storable<T>(stream: AnyStream, encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    throw new ConnectorError(
      'internal_server_error',
      `A record of ${stream.endpoint} cannot be stored (${error.message}); nothing of its page was kept. Run the sync again; if it stays, report it with the server's version.`,
      { cause: error, details: { stream: stream.name } },
    );
  }
}

/** The text of all parts that are wanted, page by page. */
function* textsOf(pages: readonly EncodedPage[], wanted: Wanted): Generator<Buffer> {
  for (const page of pages) yield* textOf(page, wanted);
}
