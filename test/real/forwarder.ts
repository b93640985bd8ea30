/** Stands in front of a server, hands every request on, and remembers what was asked. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Forwarder {
  readonly url: string;
  /** Requests since the last call, as `GET path` → how many. */
  taken(): Record<string, number>;
  close(): Promise<void>;
}

/** Forwards to the server at `target`, a base URL without a path. */
export async function startForwarder(target: string): Promise<Forwarder> {
  const agent = new http.Agent({ keepAlive: true });
  let counts: Record<string, number> = {};
  const server = http.createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const name = `${method} ${url.split('?', 1)[0] ?? ''}`;
    counts[name] = (counts[name] ?? 0) + 1;
    const onward = http.request(new URL(url, target), { method, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
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
