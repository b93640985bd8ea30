/** Use case: every row of a query or a table as a file, sent on as it is read. */
import { Readable } from 'node:stream';
import { ConnectorError } from '../protocol/errors.ts';
import { openQuery } from '../warehouse/query.ts';
import { csv } from './formats/csv.ts';
import type { Format, Rows } from './formats/format.ts';
import { json } from './formats/json.ts';
import { parquet } from './formats/parquet.ts';
import { noted, type Asker } from './query.ts';
import { tableNames } from './schema.ts';
import type { Service } from './service.ts';

export const FORMATS = { csv, json, parquet } as const satisfies Readonly<Record<string, Format>>;
export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as [FormatName, ...FormatName[]];

export interface ExportRequest {
  /** One of the two. */
  readonly sql?: string | undefined;
  readonly table?: string | undefined;
  readonly format: FormatName;
  /** Seconds for all of it, the reader's own time included. */
  readonly timeoutSeconds: number;
}

export interface Export {
  readonly mediaType: string;
  /** Null: what is sent on is not to be kept as a file. */
  readonly fileName: string | null;
  /** Fails in the middle when the query does; whoever reads must not take what came before for the whole. */
  readonly body: Readable;
}

/** Small enough that a batch of wide rows takes some megabytes. */
const BATCH_ROWS = 1000;

/** Starts an export. What is wrong with the SQL is thrown here, before the first byte. */
export async function exportRows(
  service: Service,
  asker: Asker,
  { sql, table, format, timeoutSeconds }: ExportRequest,
  signal: AbortSignal,
): Promise<Export> {
  if ((sql === undefined) === (table === undefined)) {
    throw new ConnectorError('invalid_arguments', 'An export takes either sql or table.', {
      details: { sql: 'or table: one of the two' },
    });
  }
  const text = sql ?? (await selectAll(service, table ?? ''));
  const leave = await service.gates.exports.enter(asker.name, signal);
  try {
    const ended = Promise.withResolvers<{ readonly rows: number }>();
    // noted when it ends; until then the outcome is the file's
    const done = noted(service, asker, text, () => ended.promise).catch(() => undefined);
    const query = await openQuery(service.store.database, text, {
      timeoutMs: timeoutSeconds * 1000,
      batchRows: BATCH_ROWS,
      signal,
    }).catch(async (error: unknown) => {
      ended.reject(error);
      await done;
      throw error;
    });
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      let rows = 0;
      try {
        const counted = async function* (): AsyncGenerator<Rows> {
          for await (const batch of query.batches) {
            rows += batch.length;
            yield batch;
          }
        };
        yield* FORMATS[format].write(query.columns, counted());
        ended.resolve({ rows });
      } catch (error) {
        ended.reject(error);
        throw error;
      } finally {
        // also when the reader is gone before the end
        ended.reject(new ConnectorError('cancelled', 'The download was not read to its end.'));
        await query.close();
        leave();
        await done;
      }
    };
    return {
      mediaType: FORMATS[format].mediaType,
      fileName: `${table ?? 'query'}.${format}`,
      body: readable(chunks(), async () => {
        ended.reject(new ConnectorError('cancelled', 'The download was not read to its end.'));
        await query.close();
        leave();
      }),
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/** `Readable.from` does not end a generator that nobody began to read; `abandon` is for that. */
function readable(chunks: AsyncGenerator<Uint8Array>, abandon: () => Promise<void>): Readable {
  const body = Readable.from(chunks, { objectMode: false, highWaterMark: 256 * 1024 });
  body.once('close', () => void abandon());
  return body;
}

async function selectAll(service: Service, name: string): Promise<string> {
  const found = (await tableNames(service)).find((table) => table === name || table === `sonarqube_${name}`);
  if (found !== undefined) return `select * from ${found}`;
  throw new ConnectorError(
    'table_not_found',
    `There is no table ${name.slice(0, 100)}; schema.list names all there are.`,
  );
}
