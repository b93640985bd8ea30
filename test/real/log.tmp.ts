import { attach } from './server.ts';
import { testDatabase } from '../../src/db/database.testing.ts';
import { withinStore } from '../../src/app/store.ts';
import { sync } from '../../src/app/sync.ts';
import http from 'node:http';
const server = (await attach(process.argv[2]!))!;
const agent = new http.Agent({ keepAlive: true });
const t0 = Date.now();
const fw = http.createServer((q, s) => { const a = Date.now(); const o = http.request(new URL(q.url!, server.url), { method: q.method!, headers: q.headers, agent }, (r) => { const b = Date.now(); s.writeHead(r.statusCode!, r.headers); let n=0; r.on('data', d => n+=d.length); r.pipe(s); r.on('end', () => console.log(a - t0, 'ttfb', b - a, 'all', Date.now() - a, n, q.url!.slice(0, 330))); }); q.pipe(o); });
await new Promise<void>((r) => fw.listen(0, '127.0.0.1', r));
const db = await testDatabase();
try {
  const store = await withinStore(db);
  const r = await sync(store, { baseUrl: `http://127.0.0.1:${(fw.address() as any).port}`, token: server.adminToken, signal: new AbortController().signal });
  console.log(r.state, r.seconds);
} finally { await db.close(); fw.close(); fw.closeAllConnections(); agent.destroy(); }
