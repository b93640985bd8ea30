/** One request, for the simulator's own tests: node's http, so that nothing is retried or hidden. */
import http from 'node:http';
import zlib from 'node:zlib';
import type { Simulator, TokenName } from './server.ts';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** Bytes of the body as they came. */
  readonly bytes: number;
  /** What could be read of the body; undefined (whatever the type says) where it is no JSON. */
  readonly json: Body;
}

export interface Row {
  readonly key: string;
  readonly [field: string]: unknown;
}

export interface Value {
  readonly metric: string;
  readonly value?: string;
  readonly bestValue?: boolean;
  readonly period?: unknown;
}

/** Every answer there is: a test knows which of these fields it has before it. */
export interface Body {
  readonly errors: readonly { readonly msg: string }[];
  readonly total: number;
  readonly paging: { readonly pageIndex: number; readonly pageSize: number; readonly total: number };
  readonly effortTotal: number;
  readonly issues: readonly Row[];
  readonly hotspots: readonly Row[];
  readonly components: readonly Row[];
  readonly facets: readonly {
    readonly property: string;
    readonly values: readonly { readonly val: string; readonly count: number }[];
  }[];
  readonly metrics: readonly { readonly key: string; readonly name: string; readonly id: string }[];
  readonly component: { readonly measures: readonly Value[] };
  readonly period: unknown;
  readonly measures: readonly {
    readonly metric: string;
    readonly history: readonly { readonly date: string; readonly value?: string }[];
  }[];
  readonly status: string;
  readonly version: string;
}

export interface AskOptions {
  readonly token?: TokenName | undefined;
  readonly authorization?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: http.Agent;
}

/** `path` begins with '/', or is short for '/api/…'. */
export function ask(simulator: Simulator, path: string, options: AskOptions = {}): Promise<Reply> {
  const authorization =
    options.authorization ??
    ('token' in options ? options.token && bearer(simulator, options.token) : bearer(simulator, 'admin'));
  return new Promise((resolve, reject) => {
    const request = http.request(simulator.url + (path.startsWith('/') ? path : `/api/${path}`), {
      method: options.method ?? 'GET',
      headers: { ...(authorization === undefined ? {} : { authorization }), ...options.headers },
      ...(options.agent ? { agent: options.agent } : {}),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => {
        const raw = Buffer.concat(pieces);
        const text = (response.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(raw) : raw).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          bytes: raw.length,
          json: parse(text) as Body,
        });
      });
    });
    request.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bearer(simulator: Simulator, token: TokenName): string {
  return `Bearer ${simulator.tokens[token]}`;
}
