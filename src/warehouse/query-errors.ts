/** What PostgreSQL says of SQL that a person wrote, as one sentence with cause and remedy, and the place it means. Pure. */
import { databaseError, errorCode, errorText } from '../db/errors.ts';
import { ConnectorError } from '../protocol/errors.ts';

/** Where in a text: all counted from 1, `position` in characters as PostgreSQL counts them. */
export interface Place {
  readonly position: number;
  readonly line: number;
  readonly column: number;
}

/** The place of an error that PostgreSQL reports for this text; null when it names none. */
export function placeOf(sql: string, position: unknown): Place | null {
  const place = Number(position);
  if (!Number.isInteger(place) || place < 1) return null;
  const before = Array.from(sql).slice(0, place - 1);
  const lineStart = before.lastIndexOf('\n') + 1;
  return {
    position: place,
    line: before.filter((character) => character === '\n').length + 1,
    column: before.length - lineStart + 1,
  };
}

/** Classes of SQLSTATE that name the statement, not the server: 0A not supported, 2x data, 42 syntax, 54 too complex, P0 raised by a function. */
const OF_THE_STATEMENT = /^(0A|2[0-9A-Z]|3[0-9A-Z]|4[24]|54|P0)/;

/** A failed query as a ConnectorError; what is the server's fault comes as `databaseError` says it. */
export function queryError(error: unknown, sql: string, timeoutMs: number): unknown {
  const code = errorCode(error);
  const invalid = (message: string, details: Record<string, unknown> = {}): ConnectorError =>
    new ConnectorError('invalid_arguments', message, { details, cause: error });
  const text = errorText(error);
  if (code === '42501' || code === '25006') {
    return invalid(`Queries may only read the warehouse's tables (${text}); see them with "soundings schema".`, {
      sqlstate: code,
    });
  }
  if (code === '57014') {
    return invalid(
      `The query took longer than ${timeoutMs / 1000} s and was stopped; narrow it, or give it more with --timeout (over the API: timeout_seconds).`,
      { sqlstate: code },
    );
  }
  if (code !== undefined && code.length === 5 && OF_THE_STATEMENT.test(code)) {
    const { hint, position } = error as { hint?: string; position?: unknown };
    const place = placeOf(sql, position);
    const where = place ? ` (line ${place.line}, column ${place.column})` : '';
    return invalid(`PostgreSQL refuses the query: ${text}${where}${hint ? ` (${hint})` : ''}.`, {
      sqlstate: code,
      ...place,
    });
  }
  return databaseError(error);
}
