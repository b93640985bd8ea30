/**
 * Many connections synced by schedule for a while, by several worker processes over one database: is a run missed or doubled,
 * and does anything grow that should not?
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nextRun, parseSchedule } from '../../src/app/schedule.ts';
import { serviceOn } from '../../src/app/service.testing.ts';
import { withinStore } from '../../src/app/store.ts';
import { openVault } from '../../src/app/vault.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { encodeKey, newKey } from '../../src/vault/keys.ts';
import { MAIN, newFolder, removeFolder } from '../cli/program.ts';
import { generate, startSimulator, type Simulator } from '../simulator/index.ts';
import { connect } from '../worker/rig.ts';

export interface SoakOptions {
  readonly connections: number;
  readonly projects: number;
  readonly workers: number;
  readonly seconds: number;
  /** Between two runs of a connection. */
  readonly everySeconds: number;
  readonly latencyMs?: number;
  /** Goes on until there were so many runs, however slow the machine is. */
  readonly leastRuns?: number;
  readonly say?: (line: string) => void;
}

export interface Sample {
  readonly at: number;
  /** Megabytes, open files and sockets of each worker. */
  readonly rss: readonly number[];
  readonly handles: readonly number[];
  /** Sessions at the database. */
  readonly sessions: number;
}

export interface SoakResult {
  readonly runs: number;
  readonly states: Readonly<Record<string, number>>;
  /** Runs that began before their time, or while another one of their connection was under way. */
  readonly doubled: readonly string[];
  /** The longest that a run was queued after its time had come and the connection was free. */
  readonly latestSeconds: number;
  /** Connections without a run. */
  readonly never: number;
  readonly samples: readonly Sample[];
}

const MOST_MS = 240_000;

interface StoredRun {
  readonly connection_id: number;
  readonly state: string;
  readonly queued_at: string;
  readonly started_at: string;
  readonly ended_at: string | null;
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { connections, projects, workers, everySeconds, latencyMs = 2, say } = options;
  const schedule = `every ${everySeconds} s`;
  const dataDir = await newFolder();
  const database = await openDatabase({ dataDir, settings: { fsync: 'off', max_connections: '200' } });
  const sims: Simulator[] = [];
  const children: ChildProcess[] = [];
  try {
    const key = encodeKey(newKey());
    const store = await withinStore(database);
    const service = serviceOn(store, { vault: await openVault(store, { inline: key, file: join(dataDir, 'unused') }) });
    for (let n = 0; n < connections; n += 1) {
      const data = generate({ projects, issuesPerProject: 3, metrics: 5, analyses: 1, seed: n });
      const sim = await startSimulator({ version: '25.12', data, latencyMs, log: false });
      sims.push(sim);
      await connect(service, sim, { schedule });
    }
    say?.(`${connections} connections of ${projects} projects, each synced ${schedule}, by ${workers} workers`);
    for (let n = 0; n < workers; n += 1) children.push(worker(dataDir, key));
    const samples = await watch(database, children, options);
    // none begins any more; those under way end
    await database.query(`update soundings.connections set settings = settings || '{"schedule": "manual"}'`);
    await drained(database, Math.max(120, everySeconds) * 1000);
    return { ...(await judge(database, schedule)), samples };
  } finally {
    for (const child of children) child.kill('SIGTERM');
    for (const child of children) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    for (const sim of sims) await sim.close();
    await database.close();
    await removeFolder(dataDir);
  }
}

function worker(dataDir: string, key: string): ChildProcess {
  return spawn(process.execPath, [MAIN, 'worker', '--data-dir', dataDir], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], HOME: dataDir, SOUNDINGS_KEY: key, SOUNDINGS_LOG_LEVEL: 'warn' },
  });
}

async function watch(
  database: Database,
  children: readonly ChildProcess[],
  { seconds, leastRuns = 0, say }: SoakOptions,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const from = Date.now();
  const pids = children.map(({ pid }) => pid ?? 0);
  let runs = 0;
  while (Date.now() - from < seconds * 1000 || (runs < leastRuns && Date.now() - from < MOST_MS)) {
    await delay(Math.min(5000, seconds * 40));
    const { rows } = await database.query<{ sessions: number; runs: number }>(
      `select count(*)::int as sessions, (select count(*)::int from soundings.runs where ended_at is not null) as runs
         from pg_stat_activity where datname = current_database()`,
    );
    const sample = {
      at: (Date.now() - from) / 1000,
      rss: await Promise.all(pids.map(rssOf)),
      handles: await Promise.all(pids.map(async (pid) => (await readdir(`/proc/${pid}/fd`)).length)),
      sessions: rows[0]?.sessions ?? 0,
    };
    samples.push(sample);
    runs = rows[0]?.runs ?? 0;
    say?.(
      `${sample.at.toFixed(0)} s: ${runs} runs, ${sample.rss.join('/')} MB, ` +
        `${sample.handles.join('/')} handles, ${sample.sessions} sessions`,
    );
  }
  return samples;
}

async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

async function drained(database: Database, mostMs: number): Promise<void> {
  const until = Date.now() + mostMs;
  for (;;) {
    const { rows } = await database.query(`select from soundings.runs where state in ('queued', 'running') limit 1`);
    if (rows.length === 0 || Date.now() > until) return;
    await delay(200);
  }
}

/** Every run against the time at which it was to come. */
async function judge(database: Database, text: string): Promise<Omit<SoakResult, 'samples'>> {
  const { rows } = await database.query<StoredRun>(
    `select connection_id, state, queued_at, started_at, ended_at from soundings.runs order by connection_id, id`,
  );
  const { rows: known } = await database.query<{ n: number }>('select count(*)::int as n from soundings.connections');
  const schedule = parseSchedule(text);
  const states: Record<string, number> = {};
  const doubled: string[] = [];
  let latestSeconds = 0;
  let before: StoredRun | undefined;
  for (const run of rows) {
    states[run.state] = (states[run.state] ?? 0) + 1;
    if (before?.connection_id === run.connection_id) {
      const [queued, ended] = [Date.parse(run.queued_at), Date.parse(before.ended_at ?? run.queued_at)];
      const dueAfter = (moment: string): number =>
        nextRun(schedule, new Date(moment), run.connection_id)?.getTime() ?? 0;
      if (queued < dueAfter(before.queued_at) || Date.parse(run.started_at) < ended)
        doubled.push(`${run.connection_id}: ${run.queued_at}`);
      // a run that was begun since a time came has answered it, however long it had waited
      latestSeconds = Math.max(latestSeconds, (queued - Math.max(dueAfter(before.started_at), ended)) / 1000);
    }
    before = run;
  }
  const seen = new Set(rows.map(({ connection_id }) => connection_id)).size;
  return { runs: rows.length, states, doubled, latestSeconds, never: (known[0]?.n ?? 0) - seen };
}

/** Growth of a value from the second third of the time to the last, as a share: the first third warms up. */
export function growth(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const third = Math.floor(samples.length / 3);
  const median = (part: readonly Sample[]): number => {
    const sorted = part.map(value).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  return median(samples.slice(-third)) / median(samples.slice(third, 2 * third)) - 1;
}
