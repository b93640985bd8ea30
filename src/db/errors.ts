/**
 * What PostgreSQL, the socket and the file system say when something is wrong, as one sentence with cause and remedy.
 * Decided by SQLSTATE or errno, never by text: PostgreSQL translates its texts.
 */
import { ConnectorError } from '../protocol/errors.ts';

/** The SQLSTATE of a PostgreSQL error, or the errno name of a system error; undefined when it has neither. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** There is a row with the same key already. */
export const UNIQUE_VIOLATION = '23505';

/** The text of any thrown value; a refused connection to several addresses has its text in its parts alone. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join('; ');
  return error instanceof Error ? error.message : String(error);
}

interface Verdict {
  readonly remedy: string;
  /** May the same statement succeed a little later on a new connection? */
  readonly retry?: boolean;
  readonly invalid?: boolean;
}

const GONE: Verdict = { remedy: 'Start it again or wait until it is back; what was stored stays.', retry: true };
const UNREACHABLE: Verdict = { remedy: 'Check host, port and firewall, and that the server runs.', retry: true };
const CREDENTIALS: Verdict = { remedy: 'Correct user and password in the database URL, or the server’s pg_hba.conf.' };
const FULL: Verdict = { remedy: 'Free or add disk space, then run it again; what was stored stays.' };

/** By whole code first, then by its class (the first two characters). */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  '08': GONE,
  '28': CREDENTIALS,
  '3D000': { remedy: 'Create it with “create database”, or correct the name in the database URL.', invalid: true },
  '25006': { remedy: 'Point the database URL to the primary server: this one only answers reads.', invalid: true },
  '3F000': { remedy: 'Create the schema, or name another one with the schema option.', invalid: true },
  '40001': { remedy: 'Another writer was faster; run it again.', retry: true },
  '40P01': { remedy: 'Two writers waited for each other; run it again.', retry: true },
  '42501': { remedy: 'Grant it to the user of the database URL, or use another user.', invalid: true },
  '53100': FULL,
  '53200': { remedy: 'Give the database server more memory, or let fewer things run at once.', retry: true },
  '53300': { remedy: 'Raise max_connections, or close other clients.', retry: true },
  '53': { remedy: 'Give the database server more room.', retry: true },
  '55P03': { remedy: 'Another session holds the lock; run it again when that one is done.', retry: true },
  '57P01': GONE,
  '57P02': GONE,
  '57P03': GONE,
  '57P05': GONE,
  '58': { remedy: 'See the database server’s log and its disk.' },
  XX001: { remedy: 'The stored data is damaged; restore a backup, and check the disk.' },
  XX002: { remedy: 'An index is damaged; run “reindex database”, and check the disk.' },
  ECONNREFUSED: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ENOTFOUND: { remedy: 'Correct the host name in the database URL.', invalid: true },
  ECONNRESET: GONE,
  EPIPE: GONE,
  ENOSPC: FULL,
  EDQUOT: FULL,
};

/** What pg itself says, without a code, when the socket closes under a statement. A text of pg's own, so never translated. */
const LOST =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|timeout expired|timeout exceeded when trying to connect)|connection timeout/;

function verdictOf(error: unknown): Verdict | undefined {
  const code = errorCode(error);
  if (code !== undefined) return VERDICTS[code] ?? (code.length === 5 ? VERDICTS[code.slice(0, 2)] : undefined);
  if (error instanceof AggregateError) return error.errors.map(verdictOf).find((verdict) => verdict !== undefined);
  return LOST.test(errorText(error)) ? GONE : undefined;
}

/**
 * An error of connection, permission or room as a ConnectorError. Everything else (a violated constraint, wrong SQL)
 * comes back as it is: the caller that wrote the statement knows what it means.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof ConnectorError) return error;
  const verdict = verdictOf(error);
  if (verdict === undefined) return error;
  const text = errorText(error).replace(/\.$/, '');
  return new ConnectorError(
    verdict.invalid === true ? 'invalid_arguments' : 'database_unavailable',
    `The database says “${text}”: ${verdict.remedy.charAt(0).toLowerCase()}${verdict.remedy.slice(1)}`,
    { retry: verdict.retry ?? false, details: { sqlstate: errorCode(error) ?? null }, cause: error },
  );
}

/** Did the connection fail because there is no server there now, or one that is starting or stopping? */
export function isServerAway(error: unknown): boolean {
  const cause = error instanceof ConnectorError ? error.cause : error;
  return verdictOf(cause) === GONE || ['ECONNREFUSED', 'ENOENT'].includes(errorCode(cause) ?? '');
}

/** A failed file operation in the data folder as a ConnectorError. */
export function folderError(folder: string, error: unknown): unknown {
  if (error instanceof ConnectorError) return error;
  const say = (sentence: string): ConnectorError =>
    new ConnectorError('database_unavailable', sentence, { cause: error });
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return say(`The disk of the data folder ${folder} is full: free some space there, or choose another --data-dir.`);
    case 'EACCES':
    case 'EPERM':
      return say(`The data folder ${folder} cannot be read or written by this user: choose another --data-dir.`);
    case 'EROFS':
      return say(`The data folder ${folder} is on a read-only file system: choose another --data-dir.`);
    case 'ENOTDIR':
    case 'EEXIST':
      return say(`The data folder ${folder} is a file or lies below one: choose another --data-dir.`);
    default:
      return error;
  }
}
