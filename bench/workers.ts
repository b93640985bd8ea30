/**
 * How long the first sync of many connections takes with one worker and with more, each a process of its own over one database:
 * node bench/workers.ts [--connections 200] [--projects 5] [--latency 50] [--workers 1,2,4]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serviceOn } from '../src/app/service.testing.ts';
import { withinStore } from '../src/app/store.ts';
import { openVault } from '../src/app/vault.ts';
import { queueRun } from '../src/control/runs.ts';
import { openDatabase, type Database } from '../src/db/database.ts';
import { encodeKey, newKey } from '../src/vault/keys.ts';
import { MAIN, newFolder, removeFolder } from '../test/cli/program.ts';
import { generate, startSimulator, type Simulator } from '../test/simulator/index.ts';
import { connect } from '../test/worker/rig.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '200' },
    projects: { type: 'string', default: '5' },
    latency: { type: 'string', default: '50' },
    workers: { type: 'string', default: '1,2,4' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const sims: Simulator[] = [];
for (let n = 0; n < Number(values.connections); n += 1) {
  const data = generate({ projects: Number(values.projects), issuesPerProject: 40, metrics: 20, analyses: 3, seed: n });
  sims.push(await startSimulator({ version: '25.12', data, latencyMs: Number(values.latency), log: false }));
}
say(`${values.connections} connections of ${values.projects} projects, ${values.latency} ms an answer`);
let alone = 0;
for (const workers of values.workers.split(',').map(Number)) {
  const { seconds, requests, rows } = await measure(workers);
  alone ||= seconds * workers;
  say(
    `${workers} ${workers === 1 ? 'worker' : 'workers'}: ${seconds.toFixed(1)} s, ${(seconds / alone).toFixed(2)} of one worker's time, ` +
      `${Math.round(requests / seconds)} requests/s, ${Math.round(rows / seconds)} rows/s`,
  );
}
for (const sim of sims) await sim.close();

/** From the first run's beginning to the last one's end, by the database's clock. */
async function measure(workers: number): Promise<{ seconds: number; requests: number; rows: number }> {
  const dataDir = await newFolder();
  const database = await openDatabase({ dataDir, settings: { max_connections: '200' } });
  const children: ChildProcess[] = [];
  try {
    const key = encodeKey(newKey());
    const store = await withinStore(database);
    const service = serviceOn(store, { vault: await openVault(store, { inline: key, file: join(dataDir, 'unused') }) });
    const env = { PATH: process.env['PATH'], HOME: dataDir, SOUNDINGS_KEY: key, SOUNDINGS_LOG_LEVEL: 'warn' };
    for (let n = 0; n < workers; n += 1) {
      const child = spawn(process.execPath, [MAIN, 'worker', '--data-dir', dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env,
      });
      children.push(child);
      await once(child.stdout, 'data');
    }
    for (const sim of sims) {
      const id = await connect(service, sim);
      await queueRun(database, id, { version: 'bench', trigger: 'api', requested: {} });
    }
    return await ended(database);
  } finally {
    for (const child of children) {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    await database.close();
    await removeFolder(dataDir);
  }
}

async function ended(database: Database): Promise<{ seconds: number; requests: number; rows: number }> {
  for (;;) {
    const { rows } = await database.query<{ open: number; bad: number; seconds: string; requests: number }>(
      `select count(*) filter (where ended_at is null)::int as open, count(*) filter (where state not in ('queued', 'running', 'complete'))::int as bad,
              extract(epoch from max(ended_at) - min(started_at))::text as seconds, sum((progress ->> 'requests')::int)::int as requests
         from soundings.runs`,
    );
    const [row] = rows;
    if (row?.open === 0) {
      if (row.bad > 0) throw new Error(`${row.bad} runs did not end complete`);
      const stored = await database.query<{ n: number }>(
        `select ((select count(*) from sonarqube_issues) + (select count(*) from sonarqube_project_metrics)
               + (select count(*) from sonarqube_current_measures))::int as n`,
      );
      return { seconds: Number(row.seconds), requests: row.requests, rows: stored.rows[0]?.n ?? 0 };
    }
    await delay(250);
  }
}
