/** SQL that people write: run as a login that can read the warehouse's tables and nothing else, read a batch at a time. */
import type pg from 'pg';
import { disconnect } from '../db/client.ts';
import type { Database } from '../db/database.ts';
import { databaseError } from '../db/errors.ts';
import { Portal, type Field } from '../db/portal.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { queryError } from './query-errors.ts';

export interface QueryColumn {
  readonly name: string;
  /** As `format_type` writes it: `bigint`, `text[]`. */
  readonly type: string;
}

export interface QueryResult {
  /** Column names in order; a name can stand twice. */
  readonly columns: readonly string[];
  /** The type of each column. */
  readonly types: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** There are more rows than these. */
  readonly truncated: boolean;
}

export interface QueryOptions {
  /** Milliseconds until the server gives up. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** False: planned for one process, for statements of which the planner thinks otherwise and is wrong. */
  readonly parallel?: boolean;
}

export interface RunOptions extends QueryOptions {
  /** Rows at most; without it all. */
  readonly maxRows?: number;
}

export interface OpenOptions extends QueryOptions {
  /** Rows of a batch. */
  readonly batchRows: number;
}

/** A statement under way. */
export interface OpenQuery {
  readonly columns: readonly QueryColumn[];
  /** Every row, in batches; the first is read already. */
  readonly batches: AsyncIterable<readonly (readonly unknown[])[]>;
  /** Ends it, also in the middle. */
  close(): Promise<void>;
}

/** What one batch may take: a statement can put a gigabyte into one value. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
/** The server's own limit comes first; this one ends what it does not count, such as a reader that does not read. */
const GRACE_MS = 1000;
const BATCH_ROWS = 1000;

/** Runs one statement. Errors in the SQL are `invalid_arguments` with PostgreSQL's own sentence and hint, and their position. */
export async function runQuery(database: Database, sql: string, options: RunOptions): Promise<QueryResult> {
  const { maxRows = Infinity, ...rest } = options;
  // one row more than is wanted tells whether there are more
  const query = await openQuery(database, sql, { ...rest, batchRows: Math.min(BATCH_ROWS, maxRows + 1) });
  try {
    const rows: (readonly unknown[])[] = [];
    let bytes = 0;
    for await (const batch of query.batches) {
      for (const row of batch) rows.push(row);
      if (rows.length > maxRows) break;
      if (maxRows !== Infinity) {
        bytes += sizeOf(batch);
        if (bytes > MAX_BATCH_BYTES) throw tooLarge();
      }
    }
    const truncated = rows.length > maxRows;
    return {
      columns: query.columns.map(({ name }) => name),
      types: query.columns.map(({ type }) => type),
      rows: truncated ? rows.slice(0, maxRows) : rows,
      truncated,
    };
  } finally {
    await query.close();
  }
}

/** Rows as objects, as JSON users expect them; of two columns with one name the last wins. */
export function asObjects({ columns, rows }: QueryResult): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
}

/** Starts one statement and reads its first rows, so that what is wrong with it is known before anything is sent on. */
export async function openQuery(database: Database, sql: string, options: OpenOptions): Promise<OpenQuery> {
  const { timeoutMs, batchRows, signal } = options;
  signal?.throwIfAborted();
  const client = await database.querySession({ statement_timeout: timeoutMs });
  const ending = new Ending(database, client);
  const stop = (): void => ending.stop('left');
  signal?.addEventListener('abort', stop);
  const timer = setTimeout(() => ending.stop('late'), timeoutMs + GRACE_MS);
  const close = async (): Promise<void> => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    await ending.close();
  };
  const failed = async (error: unknown): Promise<unknown> => {
    await close();
    signal?.throwIfAborted();
    if (ending.reason === 'large') return tooLarge();
    return queryError(ending.reason === 'late' ? { code: '57014' } : error, sql, timeoutMs);
  };
  try {
    // whatever the session's own limit is made by the query: a client that is gone ends it within a second, where the system can tell
    await client.query('set client_connection_check_interval = 1000').catch(() => undefined);
    if (options.parallel === false) await client.query('set max_parallel_workers_per_gather = 0');
    const portal = client.query(new Portal(sql, batchRows));
    const first = await ending.counted(() => portal.read());
    const columns = await columnsOf(database, portal.fields);
    return { columns, batches: batchesOf(portal, first, ending, failed), close };
  } catch (error) {
    throw await failed(error);
  }
}

type Rows = readonly (readonly unknown[])[];

async function* batchesOf(
  portal: Portal,
  first: { readonly rows: Rows; readonly done: boolean },
  ending: Ending,
  failed: (error: unknown) => Promise<unknown>,
): AsyncGenerator<Rows> {
  let batch = first;
  for (;;) {
    if (batch.rows.length > 0) yield batch.rows;
    if (batch.done) return;
    try {
      batch = await ending.counted(() => portal.read());
    } catch (error) {
      throw await failed(error);
    }
  }
}

/** Ends a session however it stands, and counts what comes over it. */
class Ending {
  readonly #database: Database;
  readonly #client: pg.Client;
  #bytes = 0;
  #closed: Promise<void> | undefined;
  reason: 'left' | 'late' | 'large' | undefined;

  constructor(database: Database, client: pg.Client) {
    this.#database = database;
    this.#client = client;
    streamOf(client).on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_BATCH_BYTES) this.stop('large');
    });
  }

  async counted<T>(read: () => Promise<T>): Promise<T> {
    this.#bytes = 0;
    return read();
  }

  /** The statement ends on the server too, not only here. */
  stop(reason: 'left' | 'late' | 'large'): void {
    if (this.reason !== undefined || this.#closed) return;
    this.reason = reason;
    const pid = (this.#client as { processID?: number }).processID ?? 0;
    streamOf(this.#client).destroy();
    // a server that cannot be told sees within a second that the connection is gone
    void this.#database.query('select pg_cancel_backend($1)', [pid]).catch(() => undefined);
  }

  close(): Promise<void> {
    return (this.#closed ??= disconnect(this.#client));
  }
}

/** pg's types do not name the connection of a client. */
const streamOf = (client: pg.Client): pg.Connection['stream'] =>
  (client as unknown as { connection: pg.Connection }).connection.stream;

async function columnsOf(database: Database, fields: readonly Field[]): Promise<QueryColumn[]> {
  if (fields.length === 0) return [];
  const { rows } = await database
    .query<{ type: string }>(
      `select format_type(type, modifier) as type
         from unnest($1::bigint[], $2::int[]) with ordinality f (type, modifier, place) order by place`,
      [fields.map(({ type }) => type), fields.map(({ modifier }) => modifier)],
    )
    .catch((error: unknown) => {
      throw databaseError(error);
    });
  return fields.map(({ name }, index) => ({ name, type: rows[index]?.type ?? 'text' }));
}

const sizeOf = (rows: Rows): number => {
  let size = 0;
  for (const row of rows) for (const value of row) size += typeof value === 'string' ? value.length : 8;
  return size;
};

const tooLarge = (): ConnectorError =>
  new ConnectorError(
    'invalid_arguments',
    'The query answers with more than 64 MB at once; select fewer or narrower columns, fewer rows, or export it.',
  );
