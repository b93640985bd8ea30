/** Calls the API over HTTP, typed by the methods themselves. Runs in Node and in the browser: it imports types alone. */
import type { z } from 'zod';
import type { METHODS } from './methods/index.ts';
import { routeOf, type MethodName } from './routes.ts';

type Defined = (typeof METHODS)[number];
/** Method → what it takes and what it answers. */
export type Methods = {
  [M in Defined as M['name']]: { input: z.input<M['input']>; output: z.output<M['output']> };
};

/** What the API said instead of `ok`, or `unreachable` when it said nothing. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** For `invalid_arguments`: field → what is wrong with it. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status: number, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

export interface ApiClientOptions {
  /** Where the API is, without `/api`; empty for the page's own server. */
  readonly baseUrl: string;
  /** An API token; without one the browser's session is used. */
  readonly token?: string;
  readonly fetch?: typeof fetch;
}

export interface ApiClient {
  call<N extends keyof Methods & MethodName>(
    name: N,
    input: Methods[N]['input'],
    options?: { signal?: AbortSignal },
  ): Promise<Methods[N]['output']>;
}

interface Envelope {
  readonly ok?: boolean;
  readonly error?: string;
  readonly message?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function apiClient({ baseUrl, token, fetch: send = fetch }: ApiClientOptions): ApiClient {
  return {
    async call(name, input, { signal } = {}) {
      const { verb, path, inPath } = routeOf(name);
      const values: Readonly<Record<string, unknown>> = { ...input };
      const filled = path.replace(/:(\w+)/g, (_, field: string) => encodeURIComponent(String(values[field])));
      const rest = Object.fromEntries(Object.entries(values).filter(([field]) => !inPath.includes(field)));
      const query = verb === 'GET' ? queryString(rest) : '';
      const response = await send(`${baseUrl}${filled}${query}`, {
        method: verb,
        headers: {
          ...(verb === 'POST' && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(verb === 'POST' && { body: JSON.stringify(rest) }),
        ...(signal && { signal }),
      }).catch((cause: unknown) => {
        signal?.throwIfAborted();
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ApiError('unreachable', `The Soundings server does not answer (${reason}); check that it runs.`, 0);
      });
      const body = (await response.json().catch(() => ({}))) as Envelope;
      if (body.ok === true) return body as never;
      throw new ApiError(
        body.error ?? 'unexpected',
        body.message ?? `The Soundings server answers with ${response.status}.`,
        response.status,
        body.details,
      );
    },
  };
}

/** Arrays and objects travel as JSON in a query. */
function queryString(values: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    query.append(name, text ? String(value) : JSON.stringify(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
