/** Status, body or socket error → one ConnectorError: the only place where a server's answer becomes a code. */
import { ConnectorError, type ErrorOptions } from '../protocol/errors.ts';
import { permissionOf, type Endpoint } from './endpoints.ts';

/** An answer that was not the JSON asked for. `body` is at most its first few kilobytes. */
export interface FailedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly retryAfter?: number;
  readonly location?: string;
}

/** What `system/status` said when it was asked to explain a failure; null when it was not asked or did not answer. */
export interface ServerStatus {
  readonly status: string;
  readonly version: string | null;
}

/** Where the failing request went, for sentences and details. */
export interface Where {
  readonly baseUrl: string;
  readonly endpoint: Endpoint;
  readonly project?: string;
  /** The proxy that the request went through, without its password: what refuses a connection may be that. */
  readonly proxy?: string;
}

/** The line DX's documentation gives for checking reachability by hand, the token masked. */
export function curlLine(baseUrl: string): string {
  return `curl --location '${baseUrl}/api/projects/search' --header 'Authorization: Bearer ****'`;
}

/** The `errors[].msg` texts of a v1 error body, or an empty list. */
export function messages(body: string): string[] {
  try {
    const parsed = JSON.parse(body) as { errors?: { msg?: unknown }[] };
    return (parsed.errors ?? []).map((error) => String(error.msg));
  } catch {
    return [];
  }
}

const tryLine = (where: Where): string => `Check it with: ${curlLine(where.baseUrl)}`;

export function unreachable(where: Where, sentence: string, options: ErrorOptions = {}): ConnectorError {
  return new ConnectorError('internal_server_error', `${sentence} ${tryLine(where)}`, options);
}

/**
 * Does this answer look like a server that is still starting? While starting, SonarQube answers 404 `Unknown url` for
 * endpoints that exist, then 401 with a JSON body; the real 401 has none (seen on 25.12 and 26.9).
 */
export function looksLikeStarting(answer: FailedAnswer): boolean {
  if (answer.status === 404) return messages(answer.body).some((text) => text.startsWith('Unknown url'));
  return answer.status === 401 && messages(answer.body).includes('User is not authenticated');
}

/** The error for an HTTP answer other than 200 with JSON. */
export function errorFromAnswer(answer: FailedAnswer, where: Where, server: ServerStatus | null): ConnectorError {
  const details = { status: answer.status, endpoint: where.endpoint, ...(where.project && { project: where.project }) };
  const said = messages(answer.body).join('; ');
  const pause = answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter };

  if (server !== null && server.status !== 'UP') {
    return unreachable(
      where,
      `The SonarQube Server at ${where.baseUrl} is not ready (status ${server.status}); try again when it is up.`,
      { retry: true, details },
    );
  }
  if (looksLikeStarting(answer)) {
    return unreachable(
      where,
      `The server at ${where.baseUrl} does not serve api/${where.endpoint} yet: it is starting, or it is not a SonarQube Server 10 or later.`,
      { retry: true, details },
    );
  }
  if (answer.status >= 300 && answer.status < 400) {
    return unreachable(
      where,
      `The server at ${where.baseUrl} redirects to ${hostOf(answer.location)}, and a token is never sent to another address than the one given; use that address as --url if it is right.`,
      { details },
    );
  }
  if (answer.status === 401) {
    const old = server !== null && server.version !== null && olderThan10(server.version);
    if (old) return tooOld(where, server.version, details);
    return new ConnectorError(
      'invalid_credentials',
      `The server at ${where.baseUrl} refuses the token (401): it is wrong, expired or revoked, or the server is older than 10; make a token of type User under My Account > Security.`,
      { details },
    );
  }
  if (answer.status === 403) {
    return new ConnectorError(
      'invalid_permissions',
      `The token may not read api/${where.endpoint}${where.project === undefined ? '' : ` of project ${where.project}`} (403); it needs "${permissionOf(where.endpoint)}"; use a token of type User whose owner has it.`,
      { details },
    );
  }
  if (answer.status === 429 || answer.status === 503) {
    return unreachable(
      where,
      `The server at ${where.baseUrl} is busy (${answer.status}${said === '' ? '' : `: ${said}`}); try again later.`,
      { retry: true, ...pause, details },
    );
  }
  if (answer.status >= 500) {
    return unreachable(
      where,
      `The server at ${where.baseUrl} answers api/${where.endpoint} with an error of its own (${answer.status}${said === '' ? '' : `: ${said}`}); its log web.log names the cause.`,
      { retry: answer.status !== 501, ...pause, details },
    );
  }
  if (answer.status === 200 || !answer.contentType.includes('json')) {
    return unreachable(
      where,
      `${where.baseUrl} answers with ${answer.contentType || 'no content type'} (${answer.status}) instead of SonarQube's JSON: the address or its context path is wrong, or a proxy or sign-in page stands in front.`,
      { details },
    );
  }
  return new ConnectorError(
    'internal_server_error',
    `The server refuses a request to api/${where.endpoint} (${answer.status}${said === '' ? '' : `: ${said}`}); please report this with the server's version.`,
    { details: { ...details, said } },
  );
}

/** The refusal of a server older than 10, which knows no Bearer tokens. */
export function tooOld(where: Where, version: string, details: Record<string, unknown> = {}): ConnectorError {
  return new ConnectorError(
    'internal_server_error',
    `The server at ${where.baseUrl} is SonarQube ${version}; Soundings needs SonarQube Server 10 or later, which accepts Bearer tokens.`,
    { details },
  );
}

/** Is this `system/status` version text one before 10? `2025.1` and `25.1` are both after. */
export function olderThan10(version: string): boolean {
  const major = Number.parseInt(version, 10);
  return Number.isFinite(major) && major < 10;
}

/** Sentences for what goes wrong below HTTP, by the code that Node or undici gives. */
const SOCKET: Readonly<Record<string, { sentence: string; retry: boolean }>> = {
  ENOTFOUND: { sentence: 'its host name is not known to DNS; check the spelling or the VPN', retry: false },
  EAI_AGAIN: { sentence: 'DNS does not answer; check the network', retry: true },
  ECONNREFUSED: {
    sentence: 'nothing listens there (connection refused); check the port, and that the server runs',
    retry: true,
  },
  ECONNRESET: { sentence: 'the connection was cut; a proxy, a firewall or a restart may be the cause', retry: true },
  EPIPE: { sentence: 'the connection was cut; a proxy, a firewall or a restart may be the cause', retry: true },
  UND_ERR_SOCKET: {
    sentence: 'the connection was cut; a proxy, a firewall or a restart may be the cause',
    retry: true,
  },
  EHOSTUNREACH: { sentence: 'there is no route to it; check the network or the firewall', retry: true },
  ENETUNREACH: { sentence: 'there is no route to it; check the network or the firewall', retry: true },
  ETIMEDOUT: { sentence: 'it does not answer in time; a firewall may drop the packets', retry: true },
  UND_ERR_CONNECT_TIMEOUT: { sentence: 'it does not answer in time; a firewall may drop the packets', retry: true },
  UND_ERR_HEADERS_TIMEOUT: {
    sentence: 'it accepted the request but did not answer in time; it may be overloaded',
    retry: true,
  },
  UND_ERR_BODY_TIMEOUT: { sentence: 'its answer stopped in the middle; it may be overloaded', retry: true },
  UND_ERR_RES_EXCEEDED_MAX_SIZE: { sentence: 'its answer is larger than this program accepts', retry: false },
};

/** The error for a request that got no answer, or half of one. */
export function errorFromSocket(error: unknown, where: Where): ConnectorError {
  // an address that was refused while its name was looked up
  if (error instanceof Error && error.cause instanceof ConnectorError) return error.cause;
  const code = codeOf(error);
  if (code.startsWith('Z_')) return unreadable(where, 'it was cut off', true, error);
  const known = SOCKET[code];
  const details = { endpoint: where.endpoint, cause: code, ...(where.project && { project: where.project }) };
  if (known) {
    const through = where.proxy ? ` through the proxy ${where.proxy}, which may be what does not answer` : '';
    return unreachable(where, `The server at ${where.baseUrl} cannot be reached${through}: ${known.sentence}.`, {
      retry: known.retry,
      details,
      cause: error,
    });
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code)) {
    return unreachable(
      where,
      `The certificate of ${where.baseUrl} is not trusted (${code}); give the certificate of your authority with --ca FILE.`,
      { details, cause: error },
    );
  }
  const text = error instanceof Error ? error.message : String(error);
  return unreachable(where, `The server at ${where.baseUrl} cannot be reached: ${text}.`, {
    retry: true,
    details,
    cause: error,
  });
}

/** The error for a 200 whose body is not the JSON the endpoint answers with. */
export function unreadable(where: Where, problem: string, retry: boolean, cause?: unknown): ConnectorError {
  return new ConnectorError(
    'internal_server_error',
    `The answer of api/${where.endpoint}${where.project === undefined ? '' : ` for project ${where.project}`} cannot be read (${problem}); nothing of it was stored. Run the sync again; if it stays, report it with the server's version.`,
    { retry, details: { endpoint: where.endpoint, ...(where.project && { project: where.project }) }, cause },
  );
}

function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]);
  }
  return error instanceof Error ? error.name : 'unknown';
}

function hostOf(location: string | undefined): string {
  if (location === undefined) return 'an address it does not name';
  try {
    return new URL(location).origin;
  } catch {
    return 'an address that is not a URL';
  }
}
