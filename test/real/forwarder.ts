/** Stands in front of a server, hands every request on, and remembers what was asked. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Forwarder {
  readonly url: string;
  /** Requests since the last call, as `GET path` → how many. */
  taken(): Record<string, number>;
  close(): Promise<void>;
}

export interface ForwarderOptions {
  /** Answers itself: a path and query → what it sends as JSON, or (text) as it is; undefined hands the request on. */
  readonly own?: (url: URL) => unknown;
  /** Milliseconds that its own answers take. */
  readonly latencyMs?: number;
  /** Hands the request on as this path and query instead. */
  readonly instead?: (url: URL) => string | undefined;
  /** Told of each answer of the server. */
  readonly answered?: (answer: { readonly method: string; readonly path: string; readonly status: number }) => void;
}

/** Forwards to the server at `target`, a base URL without a path. */
export async function startForwarder(target: string, options: ForwarderOptions = {}): Promise<Forwarder> {
  const { own, latencyMs = 0, instead, answered } = options;
  const agent = new http.Agent({ keepAlive: true });
  let counts: Record<string, number> = {};
  const server = http.createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    const name = `${method} ${path.split('?', 1)[0] ?? ''}`;
    counts[name] = (counts[name] ?? 0) + 1;
    const url = new URL(path, target);
    const body = own?.(url);
    if (body !== undefined) {
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      }, latencyMs);
      return;
    }
    const onward = http.request(new URL(instead?.(url) ?? path, target), { method, headers, agent }, (answer) => {
      const status = answer.statusCode ?? 502;
      answered?.({ method, path, status });
      response.writeHead(status, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    taken: () => {
      const taken = counts;
      counts = {};
      return taken;
    },
    close: async () => {
      server.closeAllConnections();
      agent.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** How many requests those are. */
export function totalOf(taken: Readonly<Record<string, number>>): number {
  return Object.values(taken).reduce((sum, count) => sum + count, 0);
}
