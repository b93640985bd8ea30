/** Use cases on SQL that people write: one query for a page or a program, and what they asked before. */
import { listPastQueries, notePastQuery, type PastQuery } from '../control/queries.ts';
import { asConnectorError } from '../protocol/errors.ts';
import { runQuery, type QueryColumn } from '../warehouse/query.ts';
import { jsonable } from './formats/values.ts';
import type { Service } from './service.ts';

export { asObjects, runQuery, type QueryResult } from '../warehouse/query.ts';
export type { PastQuery };

/** Who asks: what limits and history go by. */
export interface Asker {
  readonly name: string;
}

export interface QueryRequest {
  readonly sql: string;
  readonly timeoutSeconds: number;
  readonly maxRows: number;
}

export interface QueryAnswer {
  readonly columns: readonly QueryColumn[];
  /** As JSON can carry them: bytes as hexadecimal text, numbers that JSON has no sign for as text. */
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: boolean;
  /** Why there are not all rows, and what to do about it. */
  readonly notice: string | null;
  readonly durationMs: number;
}

/** Runs one query, within the limits of its caller; notes it in the caller's history. */
export async function run(
  service: Service,
  asker: Asker,
  { sql, timeoutSeconds, maxRows }: QueryRequest,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  return service.gates.queries.within(asker.name, signal, () =>
    noted(service, asker, sql, async () => {
      const began = performance.now();
      const options = { timeoutMs: timeoutSeconds * 1000, maxRows, signal };
      const { columns, types, rows, truncated } = await runQuery(service.store.database, sql, options);
      return {
        columns: columns.map((name, index) => ({ name, type: types[index] ?? 'text' })),
        rows: rows.map((row) => row.map(jsonable)),
        truncated,
        notice: truncated
          ? `These are the first ${maxRows} rows; there are more. Narrow the query, raise the limit, or download all of them.`
          : null,
        durationMs: Math.round(performance.now() - began),
      };
    }),
  );
}

/** What this caller asked, newest first. */
export async function history({ store }: Service, asker: Asker, limit: number): Promise<PastQuery[]> {
  return listPastQueries(store.database, asker.name, limit);
}

/** Runs it and notes how it ended. */
export async function noted<T extends { readonly rows: readonly unknown[] | number }>(
  { store, now }: Service,
  asker: Asker,
  sql: string,
  work: () => Promise<T>,
): Promise<T> {
  const started = now();
  const began = performance.now();
  const note = (rows: number | null, error: { code: string; message: string } | null): Promise<void> =>
    notePastQuery(store.database, asker.name, {
      sql,
      started_at: started.toISOString(),
      duration_ms: Math.round(performance.now() - began),
      rows,
      error_code: error?.code ?? null,
      error_message: error?.message ?? null,
    });
  let result: T;
  try {
    result = await work();
  } catch (thrown) {
    const { code, message } = asConnectorError(thrown);
    // the reason why it failed is what the caller has to hear, whether or not it could be noted
    await note(null, { code, message }).catch(() => undefined);
    throw thrown;
  }
  await note(typeof result.rows === 'number' ? result.rows : result.rows.length, null);
  return result;
}
