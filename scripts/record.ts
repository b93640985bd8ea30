/**
 * Records what a real SonarQube Server answers to a full and an incremental sync, for the sample and the conformance
 * suite: node scripts/record.ts URL TOKEN FILE
 */
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sync } from '../src/app/sync.ts';
import { withStore } from '../src/app/store.ts';
import { canonical, writeRecording, type Exchange } from '../src/sample/recording.ts';

const [url, token, file] = process.argv.slice(2);
if (url === undefined || token === undefined || file === undefined)
  throw new Error('usage: node scripts/record.ts URL TOKEN FILE');

const exchanges = new Map<string, Exchange>();
const proxy = createServer((request, response) => {
  const forward = async (): Promise<void> => {
    const answer = await fetch(`${url}${request.url ?? '/'}`, { headers: { authorization: `Bearer ${token}` } });
    const body = await answer.text();
    const contentType = answer.headers.get('content-type') ?? '';
    const asked = canonical(request.url ?? '/');
    exchanges.set(asked, { request: asked, status: answer.status, contentType, body });
    response.writeHead(answer.status, { 'content-type': contentType }).end(body);
  };
  forward().catch((error: unknown) => response.writeHead(502).end(String(error)));
});
await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
const { port } = proxy.address() as AddressInfo;
const dataDir = await mkdtemp(join(tmpdir(), 'soundings-record-'));
try {
  const log = (line: string): void => console.error(line);
  await withStore({ dataDir }, log, async (store) => {
    for (const full of [true, false]) {
      const { signal } = new AbortController();
      const report = await sync(store, { baseUrl: `http://127.0.0.1:${port}`, token, full, signal });
      console.error(
        `${report.state}: ${report.changes} changes, ${report.progress.requests} requests`,
        report.error ?? '',
      );
    }
  });
  await writeRecording(file, exchanges.values());
  console.error(`${exchanges.size} exchanges in ${file}`);
} finally {
  proxy.close();
  proxy.closeAllConnections();
  await rm(dataDir, { recursive: true, force: true });
}
