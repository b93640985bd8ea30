/** The real program, run from its sources as a person runs it: arguments in; exit code, texts and stored rows out. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { findPostmaster, stopPostmaster } from '../../src/db/postmaster.ts';
import type { Settings } from '../../src/db/settings.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../simulator/index.ts';

export const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
/** What is installed: it starts the program as it was built. */
export const BUILT = join(import.meta.dirname, '../../bin/soundings.js');

/** Nothing in a test's database is worth surviving a power cut. */
const SETTINGS: Settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '200' };

/** No run of a test takes that long; the retries of one request last half a minute. */
const MOST_MS = 100_000;
/** Whoever holds one ends it; this is for a test that failed before. */
const MOST_HELD_MS = 900_000;
const LINGER_MS = 10_000;

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Given by SOUNDINGS_TOKEN; must appear in no output. */
  readonly token?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; without it there is none. */
  readonly input?: string;
  /** Put before the program: `nsenter …`. */
  readonly through?: readonly string[];
  /** What Node runs; the sources unless told. */
  readonly program?: string;
  /** It goes on after its result until it is told to stop. */
  readonly held?: boolean;
  /** Further texts that must appear in no output. */
  readonly secrets?: readonly string[];
}

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Ran>;
  /** Resolves when standard output or standard error has matched. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the program with a bare environment, in which nothing of this machine's settings counts. */
export function start(args: readonly string[], options: RunOptions = {}): Running {
  const { token, env = {}, input, through = [], secrets = [], held = false, program = MAIN } = options;
  const [command = process.execPath, ...rest] = [...through, process.execPath, program, ...args];
  const child = spawn(command, rest, {
    cwd: tmpdir(),
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: join(tmpdir(), 'soundings-no-home'),
      // a third of a short run is compiling the sources: done once for all runs
      NODE_COMPILE_CACHE: join(tmpdir(), `soundings-test-compiled-${userInfo().username}`),
      ...(token !== undefined && { SOUNDINGS_TOKEN: token }),
      ...env,
    },
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  child.stdin.on('error', () => undefined).end(input ?? '');
  let lastWord = Date.now();
  child.stdout.on('data', () => (lastWord = Date.now()));
  const patience = setTimeout(() => child.kill('SIGKILL'), held ? MOST_HELD_MS : MOST_MS);
  const ended = (async (): Promise<Ran> => {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearTimeout(patience);
    // the report is the last thing it does: who reads it in a script must not wait for what nobody needs any more
    if (texts.stdout !== '' && !held) expect(Date.now() - lastWord, texts.stdout).toBeLessThan(LINGER_MS);
    for (const secret of [...secrets, ...(token !== undefined && token.length > 8 ? [token] : [])]) {
      expect(`${texts.stdout}\n${texts.stderr}`).not.toContain(secret);
    }
    return { code, signal, ...texts };
  })();
  ended.catch(() => undefined); // whoever waits for it gets the failure
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(texts.stdout) ?? pattern.exec(texts.stderr);
        if (found) resolve(found);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('close', () => {
        reject(new Error(`ended without ${String(pattern)}: ${texts.stdout}${texts.stderr}`));
      });
      look();
    });
  return { child, ended, until };
}

export const run = (args: readonly string[], options?: RunOptions): Promise<Ran> => start(args, options).ended;

/** What the program says in the meantime, which is no complaint. */
const REMARKS =
  /^(\d+ of \d+ projects, |listing projects, |Stopping after|Warning: a token|The embedded database |A database connection was lost|The database is putting itself)/;

/** What it says on stderr beside progress and remarks. */
export function complaints({ stderr }: Pick<Ran, 'stderr'>): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !REMARKS.test(line));
}

/** The one sentence of a failed run: a single line on stderr that names cause and remedy, without a stack. */
export function complaint(ran: Pick<Ran, 'stderr'>): string {
  const lines = complaints(ran);
  expect(lines, ran.stderr).toHaveLength(1);
  expect(lines[0]).toMatch(/^soundings: .+[^ ] \[[a-z_]+\]$/);
  return lines[0] ?? '';
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What the program keeps of its own doings, which may change in a run that stores nothing. */
const OWN = new Set(['soundings.runs']);

/** A data folder whose server this process keeps running, so that runs of the program join it at once. */
export interface Bench {
  readonly dataDir: string;
  readonly database: Database;
  rows<R extends Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** `soundings sync` of a simulated server into this folder, as its administrator unless told. */
  sync(sim: Simulator, args?: readonly string[], options?: RunOptions): Promise<Ran>;
  startSync(sim: Simulator, args?: readonly string[], options?: RunOptions): Running;
  /** Everything stored: of all servers, or of one. Two equal texts: not a single row was touched. */
  stored(sim?: Simulator): Promise<string>;
  /** A simulated server that ends with the folder. */
  simulator(options?: SimulatorOptions): Promise<Simulator>;
  /** The last run of a server, as stored. */
  lastRun(sim: Simulator): Promise<{ state: string; error_code: string | null } | undefined>;
  /** Fails when a token that a simulated server knows stands in any table or file. */
  expectNoTokens(): Promise<void>;
  close(): Promise<void>;
}

export async function newFolder(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'soundings-cli-')), 'data');
}

/** Stops a server that a killed program left behind, and removes the folder. */
export async function removeFolder(dataDir: string): Promise<void> {
  const cluster = join(dataDir, 'postgres');
  const left = await findPostmaster(cluster).catch(() => undefined);
  if (left) await stopPostmaster(cluster, left.pid);
  await rm(join(dataDir, '..'), { recursive: true, force: true, maxRetries: 5 });
}

/** Every row of every table of the program in `database` as text; of one connection, or of all. */
export async function dump(database: Database, connection?: number, skip: ReadonlySet<string> = OWN): Promise<string> {
  const { rows: tables } = await database.query<{ name: string; connected: boolean }>(
    `select format('%I.%I', n.nspname, c.relname) as name,
            exists (select from pg_attribute a where a.attrelid = c.oid and attname = 'connection_id') as connected
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname in ('public', 'soundings') order by 1`,
  );
  const parts: string[] = [];
  for (const { name, connected } of tables) {
    if (skip.has(name)) continue;
    const where = connected && connection !== undefined ? `where t.connection_id = ${connection}` : '';
    const { rows } = await database.query<{ row: string }>(
      `select to_jsonb(t)::text as row from ${name} t ${where} order by 1`,
    );
    if (connected || connection === undefined) parts.push(name, ...rows.map(({ row }) => row));
  }
  return parts.join('\n');
}

export async function bench(): Promise<Bench> {
  const dataDir = await newFolder();
  const database = await openDatabase({ dataDir, settings: SETTINGS });
  const sims: Simulator[] = [];
  const rows = async <R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<R[]> =>
    (await database.query<R>(sql, values)).rows;
  const connectionOf = async (sim: Simulator): Promise<number> => {
    const found = await rows<{ id: number }>(
      `select id from soundings.connections where settings ->> 'base_url' = $1`,
      [sim.url],
    );
    return found[0]?.id ?? 0;
  };
  const startSync: Bench['startSync'] = (sim, args = [], options = {}) =>
    start(['sync', '--url', sim.url, '--data-dir', dataDir, ...args], { token: sim.tokens.admin, ...options });
  return {
    dataDir,
    database,
    rows,
    startSync,
    sync: (sim, args, options) => startSync(sim, args, options).ended,
    stored: async (sim) => dump(database, sim && (await connectionOf(sim))),
    simulator: async (options = {}) => {
      const sim = await startSimulator(options);
      sims.push(sim);
      return sim;
    },
    lastRun: async (sim) => {
      const found = await rows<{ state: string; error_code: string | null }>(
        'select state, error_code from soundings.runs where connection_id = $1 order by id desc limit 1',
        [await connectionOf(sim)],
      );
      return found[0];
    },
    expectNoTokens: async () => {
      const tokens = sims.flatMap((sim) => Object.values(sim.tokens));
      expect(tokens).not.toHaveLength(0);
      const everything = await dump(database, undefined, new Set());
      expect(tokens.filter((token) => everything.includes(token))).toEqual([]);
      expect(await filesWith(dataDir, tokens)).toEqual([]);
    },
    close: async () => {
      for (const sim of sims) await sim.close();
      await database.close();
      await removeFolder(dataDir);
    },
  };
}

/** Files below a folder that hold one of the texts. The running server makes and removes files meanwhile. */
async function filesWith(folder: string, texts: readonly string[]): Promise<string[]> {
  const wanted = [...new Set(texts)];
  const found: string[] = [];
  let read = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    read += bytes.length;
    if (wanted.some((text) => bytes.includes(text))) found.push(path);
  }
  expect(read).toBeGreaterThan(1_000_000);
  return found;
}

/** Resolves when the server has been asked for a path (any, when it is empty) so many times from now on. */
export async function requested(sim: Simulator, path: string, times = 1): Promise<void> {
  const wanted = `/api/${path}`;
  await new Promise<void>((resolve) => {
    let seen = 0;
    const off = sim.faults.on((request) => {
      if (path === '' || request.path === wanted) seen += 1;
      if (seen >= times) {
        resolve();
        setImmediate(() => off());
      }
      return undefined;
    });
  });
}

export interface Gate {
  /** Resolves when a request waits before it. */
  readonly reached: Promise<void>;
  open(): Promise<void>;
}

/** Lets no answer through from the nth request of a path on, until it is opened: the program is held in mid-run. */
export function gate(sim: Simulator, path: string, nth = 1): Gate {
  const { promise: reached, resolve } = Promise.withResolvers<undefined>();
  let seen = 0;
  const off = sim.faults.on((request) => {
    if (request.path === `/api/${path}`) seen += 1;
    if (seen < nth) return undefined;
    resolve(undefined);
    return { kind: 'hang' };
  });
  return {
    reached,
    open: async () => {
      off();
      // whoever waits is cut off, and asks again
      await sim.faults.become('refusing');
      await sim.faults.become('up');
    },
  };
}
