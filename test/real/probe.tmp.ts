import { attach } from './server.ts';
import { readServer, summarize, mutate } from './oracle.ts';
import { differences, newCodePoints, summary } from './compare.ts';
import { startForwarder, totalOf } from './forwarder.ts';
import { testDatabase } from '../../src/db/database.testing.ts';
import { withinStore } from '../../src/app/store.ts';
import { sync } from '../../src/app/sync.ts';
const version = process.argv[2]!;
const server = (await attach(version))!;
let t = Date.now();
const truth = await readServer(server);
console.log('oracle', Date.now() - t); t = Date.now();
summarize(truth).forEach((l) => console.log(l));
const f = await startForwarder(server.url);
const db = await testDatabase();
try {
  console.log('db', Date.now() - t); t = Date.now();
  const store = await withinStore(db);
  const rows = async (sql: string, values: readonly unknown[] = []) => (await db.query(sql, values)).rows as any;
  for (const full of process.env.FULLS === "1" ? [false] : [false, false, true]) {
    const r = await sync(store, { baseUrl: f.url, token: server.adminToken, signal: new AbortController().signal, full });
    const taken = f.taken();
    console.log(r.state, r.mode, r.changes, r.seconds, r.progress.requests, totalOf(taken), JSON.stringify(taken), JSON.stringify(r.progress.streams), r.shortfalls, r.error);
    t = Date.now();
    const d = await differences(truth, newCodePoints(truth), rows);
    console.log('compare', Date.now() - t, d.length); console.log(summary(d).join('\n'));
  }
} finally { await db.close(); await f.close(); }
