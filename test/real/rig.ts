/** A filled server with a forwarder in front, the program's command line, and the database that it fills. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withinStore, type Store } from '../../src/app/store.ts';
import { sync, type SyncReport } from '../../src/app/sync.ts';
import { openDatabase, type Database } from '../../src/db/database.ts';
import type { Rows } from './compare.ts';
import { startForwarder, type Forwarder } from './forwarder.ts';
import { startServer, type Log, type RealServer } from './server.ts';

/** What a command came to. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Rig {
  readonly server: RealServer;
  readonly forwarder: Forwarder;
  /** Runs the command line on the data folder; the token is given by the environment. */
  cli(args: readonly string[], token?: string): Promise<Ended>;
  /** Runs `sync` of the server with the command line; more flags may follow. */
  syncByCli(token: string, ...flags: readonly string[]): Promise<Ended>;
  /** Runs a sync inside this process, into the same data folder. */
  sync(request?: { full?: boolean; auditHours?: number }): Promise<SyncReport>;
  /** Asks the database as its owner. */
  rows: Rows;
  close(): Promise<void>;
}

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');

function run(args: readonly string[], environment: Record<string, string>): Promise<Ended> {
  // nothing of the caller's own settings and proxies
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

export async function rig(version: string, log: Log): Promise<Rig> {
  const server = await startServer({ version, log });
  const forwarder = await startForwarder(server.url);
  const folder = await mkdtemp(path.join(tmpdir(), 'soundings-real-'));
  const dataDir = path.join(folder, 'data');
  let opened: { database: Database; store: Store } | undefined;
  // opened when it is first needed: by then the command line has made the data folder
  const open = async (): Promise<{ database: Database; store: Store }> => {
    if (opened) return opened;
    const database = await openDatabase({ dataDir });
    opened = { database, store: await withinStore(database) };
    return opened;
  };
  const cli: Rig['cli'] = (args, token) =>
    run([...args, '--data-dir', dataDir], token === undefined ? {} : { SOUNDINGS_TOKEN: token });
  return {
    server,
    forwarder,
    cli,
    syncByCli: (token, ...flags) => cli(['sync', '--url', forwarder.url, '--json', ...flags], token),
    sync: async (request = {}) => {
      const { store } = await open();
      const { signal } = new AbortController();
      return sync(store, { baseUrl: forwarder.url, token: server.adminToken, signal, ...request });
    },
    rows: async <R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
      (await (await open()).database.query<R>(sql, values)).rows,
    close: async () => {
      await opened?.database.close();
      await forwarder.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
