/**
 * Rows of pages into their table, in the transaction of their batch. Rows of a project that was never stored are copied
 * straight into the table; all others go through staging and the merge.
 */
import type pg from 'pg';
import { copyFrom } from '../db/copy.ts';
import { errorCode } from '../db/errors.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Page } from '../protocol/sync.ts';
import { copyText, UnreadableRecord } from './copy.ts';
import { recordColumns, type AnyStream } from './ddl.ts';
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

interface Merged extends WriteCounts {
  readonly held: number;
  readonly needed: number;
}

const UNIQUE_VIOLATION = '23505';

/** Records that go one way, with the time of the answer they came in. */
type Part = Pick<Page, 'records' | 'observedAt'>;

/** Writes rows for one connection. */
export class Rows {
  readonly #connectionId: number;
  readonly #references: References;
  readonly #tableOf: (stream: string) => string;
  /** By stream, then by project key: had it never a row when it was first met? */
  readonly #new = new Map<string, Map<string, boolean>>();

  constructor(connectionId: number, references: References, tableOf: (stream: string) => string) {
    this.#connectionId = connectionId;
    this.#references = references;
    this.#tableOf = tableOf;
  }

  async write(client: pg.ClientBase, stream: AnyStream, pages: readonly Page[]): Promise<WriteCounts> {
    for (const { records } of pages) await this.#references.load(client, stream, records);
    await client.query(MERGE_SETTINGS);
    const { direct, merged } = await this.#parted(client, stream, pages);
    const added = direct.length === 0 ? 0 : await this.#copy(client, stream, direct);
    if (added === null) return this.#merge(client, stream, pages);
    const counts = { seen: added, added, changed: 0 };
    if (merged.length === 0) return counts;
    const rest = await this.#merge(client, stream, merged);
    return { seen: counts.seen + rest.seen, added: counts.added + rest.added, changed: rest.changed };
  }

  /** A pass over this project has ended: what is read of it from now on is known. */
  settled(stream: string, project: string): void {
    this.#new.get(stream)?.set(project, false);
  }

  // ------------------------------------------------------------------ which way

  async #parted(
    client: pg.ClientBase,
    stream: AnyStream,
    pages: readonly Page[],
  ): Promise<{ direct: readonly Part[]; merged: readonly Part[] }> {
    const project = Object.values(stream.columns).find((column) => column.references === 'projects');
    if (!project) return { direct: [], merged: pages };
    const keyOf = (record: unknown): string => project.value(record as never) as string;
    const known = await this.#meet(client, stream, pages, keyOf);
    const isNew = (record: unknown): boolean => known.get(keyOf(record)) === true;
    const take = (wanted: boolean): Part[] =>
      pages.flatMap(({ records, observedAt }) => {
        const own = records.filter((record) => isNew(record) === wanted);
        return own.length === 0 ? [] : [{ records: own, observedAt }];
      });
    return { direct: take(true), merged: take(false) };
  }

  /** Looks up the projects that this writer has not met yet. */
  async #meet(
    client: pg.ClientBase,
    stream: AnyStream,
    pages: readonly Page[],
    keyOf: (record: unknown) => string,
  ): Promise<ReadonlyMap<string, boolean>> {
    const known = this.#new.get(stream.name) ?? new Map<string, boolean>();
    this.#new.set(stream.name, known);
    const ids = new Map<string, number>();
    for (const { records } of pages) {
      for (const record of records) {
        const key = keyOf(record);
        const id = known.has(key) ? undefined : this.#references.id('projects', key);
        if (id !== undefined) ids.set(key, id);
      }
    }
    if (ids.size === 0) return known;
    const metrics = 'metric_id' in stream.columns ? this.#references.ids('metrics') : null;
    const { rows } = await client.query<{ key: string; stored: boolean }>(
      `select p.key, c.found is not null or t.found is not null as stored
         from unnest($1::text[], $2::bigint[]) p (key, id)
         left join lateral (select true as found from sonarqube_completeness c
                             where c.connection_id = $3 and c.stream = $4 and c.project = p.key) c on true
         left join lateral (select true as found from ${stream.table} t
                             where t.project_id = p.id ${metrics ? 'and t.metric_id = any($5::bigint[])' : 'and $5::bigint[] is null'}
                             limit 1) t on true`,
      [[...ids.keys()], [...ids.values()], this.#connectionId, stream.name, metrics],
    );
    for (const { key, stored } of rows) known.set(key, !stored);
    return known;
  }

  // ------------------------------------------------------------------ straight into the table

  /** Copies new rows; null when one of them was there after all, under another project or twice in the pages. */
  async #copy(client: pg.ClientBase, stream: AnyStream, parts: readonly Part[]): Promise<number | null> {
    await client.query('savepoint rows');
    try {
      const added = await copyFrom(client, directCopyStatement(stream), this.#text(stream, parts, this.#connectionId));
      await this.#holdReferences(client, stream, parts);
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
  async #holdReferences(client: pg.ClientBase, stream: AnyStream, parts: readonly Part[]): Promise<void> {
    for (const column of Object.values(stream.columns)) {
      const { references } = column;
      if (references === undefined) continue;
      const ids = new Set<number | undefined>();
      for (const { records } of parts) {
        for (const record of records) ids.add(this.#references.id(references, column.value(record as never) as string));
      }
      const { rows } = await client.query(
        `select from ${this.#tableOf(references)} where id = any($1::bigint[]) for key share`,
        [[...ids]],
      );
      if (rows.length !== ids.size) throw this.#referenceGone(stream);
    }
  }

  // ------------------------------------------------------------------ by the merge

  async #merge(client: pg.ClientBase, stream: AnyStream, parts: readonly Part[]): Promise<WriteCounts> {
    await client.query(createStaging(stream));
    await copyFrom(client, copyStatement(stream), this.#text(stream, parts));
    const { rowCount: twice } = await client.query(keysTwice(stream));
    const sql = mergeStatement(stream, this.#tableOf, twice !== 0);
    const { rows } = await client.query<Merged>(sql, [this.#connectionId]);
    const { seen = 0, added = 0, changed = 0, held = 0, needed = 0 } = rows[0] ?? {};
    if (held !== needed) throw this.#referenceGone(stream);
    return { seen, added, changed };
  }

  #referenceGone(stream: AnyStream): ConnectorError {
    return new ConnectorError(
      'internal_server_error',
      `What rows of ${stream.table} belong to was deleted from the database while they were written; nothing of them was kept. Run the sync again.`,
      { details: { stream: stream.name } },
    );
  }

  /** `first`: what stands in front of every line; its number where nothing is given. */
  *#text(stream: AnyStream, parts: readonly Part[], first?: number): Generator<Buffer> {
    try {
      yield* copyText(recordColumns(stream), parts, this.#references, first);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      throw new ConnectorError(
        'internal_server_error',
        `A record of ${stream.endpoint} cannot be stored (${error.message}); nothing of its page was kept. Run the sync again; if it stays, report it with the server's version.`,
        { cause: error, details: { stream: stream.name } },
      );
    }
  }
}
