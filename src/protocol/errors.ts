/**
 * One error class, one closed list of codes. A source makes one from a status or a socket error, the CLI turns its code
 * into an exit code; nobody in between reads the text.
 */

/** Every code there is, with the exit code the CLI ends with. Adding one here is all it takes; switches follow by type. */
export const EXIT_CODES = {
  /** Something this program did not foresee; a bug report is welcome. */
  unexpected: 1,
  /** The database cannot be reached, is full, or refuses. */
  database_unavailable: 1,
  /** A flag, a setting, a query or a file that cannot be used as it is. */
  invalid_arguments: 2,
  /** A request's body is not JSON, or not a JSON object. */
  invalid_json: 2,
  /** No API token, or one that is unknown, revoked or past its end. */
  not_authed: 2,
  /** The API token is good, but was not made for this. */
  missing_scope: 2,
  /** Name and password do not belong together, or a sign-in link is not good any more. */
  sign_in_failed: 2,
  /** A page of another site asked with this browser's session. */
  wrong_origin: 2,
  unknown_method: 2,
  /** The method is asked with POST instead of GET, or the other way round. */
  method_not_allowed: 2,
  connection_not_found: 2,
  credential_not_found: 2,
  run_not_found: 2,
  token_not_found: 2,
  user_not_found: 2,
  table_not_found: 2,
  insight_not_found: 2,
  /** No saved query of this id. */
  query_not_found: 2,
  /** Somebody else changed the same thing meanwhile, or is doing the same. */
  conflict: 2,
  payload_too_large: 2,
  too_many_requests: 2,
  /** The key that sealed a secret is not here. */
  vault_locked: 2,
  /** Less than everything was stored; the ledger names what is missing. */
  partly_failed: 3,
  /** The server refuses the token: 401. */
  invalid_credentials: 4,
  /** The token is good, but may not read what is needed: 403. */
  invalid_permissions: 5,
  /** The server cannot be reached, is starting, or is not a SonarQube Server 10 or later. */
  internal_server_error: 6,
  /** Stopped by a person or a signal; what was stored stays, and the next run goes on from there. */
  cancelled: 130,
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

export interface ErrorOptions {
  /** May the same request succeed a little later? A property of the error, never of its text. */
  retry?: boolean;
  /** Seconds to wait before the next attempt, where the other side named a time. */
  retryAfter?: number;
  /** Where it happened, for logs and the stored run: HTTP status, endpoint, project, stream. Never a secret. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** An error with a code from the closed list and one sentence that names cause and remedy. */
export class ConnectorError extends Error {
  readonly code: ErrorCode;
  readonly retry: boolean;
  readonly retryAfter: number | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ConnectorError';
    this.code = code;
    this.retry = options.retry ?? false;
    this.retryAfter = options.retryAfter;
    this.details = options.details ?? {};
  }
}

/** Any thrown value as a ConnectorError; what is not one already becomes `unexpected` and keeps its cause. */
export function asConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new ConnectorError('cancelled', 'Stopped before the end; run it again to go on from here.', {
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectorError('unexpected', message, { cause: error });
}
