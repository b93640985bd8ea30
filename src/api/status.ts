/** Error code → HTTP status: the API's edge, where codes become answers. Closed: a new code does not compile without one. */
import type { ErrorCode } from '../protocol/errors.ts';

export const STATUS: Readonly<Record<ErrorCode, number>> = {
  unexpected: 500,
  database_unavailable: 503,
  invalid_arguments: 422,
  invalid_json: 400,
  not_authed: 401,
  missing_scope: 403,
  sign_in_failed: 401,
  wrong_origin: 403,
  unknown_method: 404,
  method_not_allowed: 405,
  connection_not_found: 404,
  credential_not_found: 404,
  run_not_found: 404,
  token_not_found: 404,
  user_not_found: 404,
  table_not_found: 404,
  insight_not_found: 404,
  query_not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  too_many_requests: 429,
  vault_locked: 503,
  partly_failed: 422,
  invalid_credentials: 422,
  invalid_permissions: 422,
  internal_server_error: 422,
  cancelled: 503,
};

/** What every method may answer with beside its own `errors`. */
export const COMMON_ERRORS = [
  'invalid_arguments',
  'payload_too_large',
  'too_many_requests',
  'database_unavailable',
  'cancelled',
  'unexpected',
] as const satisfies readonly ErrorCode[];
