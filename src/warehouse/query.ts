/** SQL that people write: run as a login that can read the warehouse's tables and nothing else. */
import type pg from 'pg';
import { connect, disconnect } from '../db/client.ts';
import type { Database } from '../db/database.ts';
import { databaseError, errorCode, errorText } from '../db/errors.ts';
import { ConnectorError } from '../protocol/errors.ts';

export interface QueryResult {
  /** Column names in order; a name can stand twice. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface QueryOptions {
  /** Milliseconds until the server gives up. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Runs one statement. Errors in the SQL are `invalid_arguments` with PostgreSQL's own sentence and hint. */
export async function runQuery(
  database: Database,
  sql: string,
  { timeoutMs, signal }: QueryOptions,
): Promise<QueryResult> {
  const login = await database.openQuery();
  let client: pg.Client | undefined;
  const stop = (): void => {
    // the statement ends on the server too, not only here
    const pid = (client as { processID?: number } | undefined)?.processID;
    void database.query('select pg_cancel_backend($1)', [pid ?? 0]).catch(() => client?.end());
  };
  try {
    client = await connect({ ...login.config, statement_timeout: timeoutMs });
    signal?.addEventListener('abort', stop);
    // the extended protocol takes one statement only
    const query: pg.QueryArrayConfig & { queryMode: 'extended' } = {
      text: sql,
      rowMode: 'array',
      queryMode: 'extended',
    };
    const result = await client.query<unknown[]>(query);
    return { columns: result.fields.map((field) => field.name), rows: result.rows };
  } catch (error) {
    signal?.throwIfAborted();
    throw queryError(error, timeoutMs);
  } finally {
    signal?.removeEventListener('abort', stop);
    if (client) await disconnect(client);
    await login.close();
  }
}

/** Rows as objects, as JSON users expect them; of two columns with one name the last wins. */
export function asObjects({ columns, rows }: QueryResult): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
}

function queryError(error: unknown, timeoutMs: number): unknown {
  const code = errorCode(error);
  const text = errorText(error);
  if (code === '42501' || code === '25006') {
    return new ConnectorError(
      'invalid_arguments',
      `Queries may only read the warehouse's tables (${text}); see them with "soundings schema".`,
      { cause: error },
    );
  }
  if (code === '57014') {
    return new ConnectorError(
      'invalid_arguments',
      `The query took longer than ${timeoutMs / 1000} s and was stopped; narrow it, or give it more with --timeout.`,
      { cause: error },
    );
  }
  if (code !== undefined && /^(0A|2[0-9A-Z]|3[0-9A-Z]|4[24]|54)/.test(code)) {
    const hint = (error as { hint?: string }).hint;
    return new ConnectorError(
      'invalid_arguments',
      `PostgreSQL refuses the query: ${text}${hint ? ` (${hint})` : ''}.`,
      { cause: error },
    );
  }
  return databaseError(error);
}
