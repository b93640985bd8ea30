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
  // a test says itself what it expects to find in there
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
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
          json: text.startsWith('{') ? parse(text) : undefined,
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
