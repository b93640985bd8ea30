/** Starts the server: free port, log, lock files that lie, and what it says when it does not want to. */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { link, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ConnectorError } from '../protocol/errors.ts';
import type { Binaries } from './binaries.ts';
import type { DataFolder } from './folder.ts';
import { findPostmaster, isServerOf, POLL_MS, readPidFile } from './postmaster.ts';
import { launch } from './run.ts';
import { settingArguments, type Settings } from './settings.ts';
import { socketFolder } from './socket.ts';
import type { SystemUser } from './system-user.ts';

export interface StartOptions {
  readonly folder: DataFolder;
  readonly binaries: Binaries;
  readonly user: SystemUser | undefined;
  readonly settings: Settings;
  readonly log: (line: string) => void;
}

/** The port may be taken, or the socket's folder removed by a process that stops a server, between looking and starting. */
const ATTEMPTS = 3;
/** How long the children of a killed server may take to notice, and how often it is tried meanwhile. */
const ORPHANS_MS = 30_000;
const RETRY_MS = 250;

/**
 * Starts the server and waits until it is ready. Of several processes that start one at once PostgreSQL lets one live;
 * the others' servers end by themselves, and the answer is then, as always, what `findPostmaster` says.
 */
export async function startPostmaster(options: StartOptions): Promise<void> {
  const { folder } = options;
  const until = Date.now() + ORPHANS_MS;
  for (let attempt = 1; ; attempt += 1) {
    const complaint = await startOnce(options);
    if (complaint?.includes('shared memory block') && Date.now() < until) {
      // processes of a server that was killed are still there; they notice within seconds
      attempt -= 1;
      await delay(RETRY_MS);
      continue;
    }
    if (complaint === undefined || (await findPostmaster(folder.cluster)) !== undefined) return;
    if (attempt === ATTEMPTS) throw startError(folder, complaint);
  }
}

/** Undefined when the server is ready, else what it wrote to the log before it ended. */
async function startOnce({ folder, binaries, user, settings, log }: StartOptions): Promise<string | undefined> {
  const [port, socket] = [await choosePort(folder), await socketFolder(folder, user)];
  await clearStale(folder.cluster, join(folder.cluster, 'postmaster.pid'));
  if (socket !== undefined) await clearStale(folder.cluster, join(socket, `.s.PGSQL.${port}.lock`));
  const file = await openLog(folder);
  try {
    const { size: before } = await file.stat();
    const child = await launch({
      program: binaries.postgres,
      args: ['-p', String(port), '-k', socket ?? '', ...settingArguments(settings)],
      cluster: folder.cluster,
      user,
      stdio: ['ignore', file.fd, file.fd],
      detached: true,
    });
    child.unref();
    if (!(await isReady(child, folder, log))) return (await readFile(folder.log)).subarray(before).toString('utf8');
    await writeFile(folder.port, String(port), { mode: 0o600 });
    return undefined;
  } finally {
    await file.close();
  }
}

/** Recovery after a crash replays at most max_wal_size (2 GB): minutes on a slow disk. A person is told after this time. */
const PATIENCE_MS = 5_000;

/** Waits until the server is ready (true) or has ended (false). */
async function isReady(child: ChildProcess, { cluster }: DataFolder, log: (line: string) => void): Promise<boolean> {
  const patience = setTimeout(
    log,
    PATIENCE_MS,
    'The database is putting itself in order, which can take some minutes.',
  );
  try {
    while (child.exitCode === null && child.signalCode === null) {
      const running = await readPidFile(cluster);
      if (running !== undefined && running.pid === child.pid && running.ready) return true;
      await delay(POLL_MS);
    }
    return false;
  } finally {
    clearTimeout(patience);
  }
}

const LOG_BYTES = 10_000_000;

async function openLog({ log }: DataFolder): Promise<FileHandle> {
  const size = (await stat(log).catch(() => undefined))?.size ?? 0;
  if (size > LOG_BYTES) await rename(log, `${log}.1`);
  return open(log, 'a', 0o600);
}

/**
 * Takes away a lock file that names another process. PostgreSQL itself clears one whose process is gone, but believes
 * one whose number now belongs to another process of its user, or to a dead one that nobody waited for (in containers
 * process 1 often does not).
 */
async function clearStale(cluster: string, lockFile: string): Promise<void> {
  const text = await readFile(lockFile, 'utf8').catch(() => undefined);
  if (text === undefined || (await isServerOf(cluster, Number.parseInt(text, 10)))) return;
  const aside = `${lockFile}.stale-${randomInt(2 ** 32)}`;
  await rename(lockFile, aside).catch(() => undefined);
  const taken = await readFile(aside, 'utf8').catch(() => undefined);
  // between reading and renaming another process may have started a server: then its file goes back
  if (taken !== undefined && taken !== text) await link(aside, lockFile).catch(() => undefined);
  await rm(aside, { force: true });
}

/** The port of the last start when it is free, else another one, from below the range of outgoing connections. */
async function choosePort(folder: DataFolder): Promise<number> {
  const remembered = Number(await readFile(folder.port, 'utf8').catch(() => ''));
  const candidates = [remembered, ...Array.from({ length: 20 }, () => randomInt(15432, 32000))];
  for (const port of candidates) {
    if (port > 1023 && port < 65536 && (await isFree(port))) return port;
  }
  throw new ConnectorError(
    'database_unavailable',
    'No free port on 127.0.0.1 for the embedded PostgreSQL: close other servers.',
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen({ port, host: '127.0.0.1' });
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** The server logs with LC_ALL=C, so its texts are English and strerror's own. */
function startError(folder: DataFolder, log: string): ConnectorError {
  const full = /No space left on device|Disk quota exceeded/.test(log);
  const line =
    log.split('\n').find((text) => /\b(FATAL|PANIC)\b|could not|error while/.test(text)) ?? 'no reason given';
  const reason = line.replace(/^.*?\b(FATAL|PANIC|LOG|WARNING):\s*/, '');
  return new ConnectorError(
    'database_unavailable',
    full
      ? `The disk of the data folder ${folder.path} is full: free some space there, then run it again.`
      : `The embedded PostgreSQL did not start (“${reason}”): the whole story is in ${folder.log}.`,
    { retry: !full, details: { log: log.slice(-2000) } },
  );
}
