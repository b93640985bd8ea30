/** The server process: found by its own postmaster.pid, started, stopped by signal. There is no pid file of ours. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ConnectorError } from '../protocol/errors.ts';
import type { Binaries } from './binaries.ts';
import { errorCode } from './errors.ts';
import type { DataFolder } from './folder.ts';
import { launch } from './run.ts';
import { socketFolder } from './socket.ts';
import { settingArguments, type Settings } from './settings.ts';
import type { SystemUser } from './system-user.ts';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Undefined when it listens on loopback alone. */
  readonly socketFolder: string | undefined;
  readonly ready: boolean;
}

const POLL_MS = 20;

/** postmaster.pid: pid, data folder, start time, port, socket folder, address, shared memory, status. */
async function readPidFile(cluster: string): Promise<{ text: string; postmaster: Postmaster } | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [pid = '', , , port = '', socketFolder = '', , , status = ''] = text.split('\n').map((line) => line.trim());
  return {
    text,
    postmaster: {
      pid: Number(pid),
      port: Number(port),
      socketFolder: socketFolder === '' ? undefined : socketFolder,
      ready: status === 'ready',
    },
  };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * Is the process with this pid the server of this cluster? After a crash or a reboot the number may be anybody's. A
 * server stands in its cluster folder; where that may not be looked at (a container's root without SYS_PTRACE), its
 * name and owner decide; without /proc its pid alone.
 */
async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1 || !exists(pid)) return false;
  if (process.platform !== 'linux') return true;
  const folder = await stat(cluster);
  try {
    const at = await stat(`/proc/${pid}/cwd`);
    return at.dev === folder.dev && at.ino === folder.ino;
  } catch (error) {
    if (errorCode(error) !== 'EACCES' && errorCode(error) !== 'EPERM') return false;
    const owner = await stat(`/proc/${pid}`).catch(() => undefined);
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return owner?.uid === folder.uid && name.trim() === 'postgres';
  }
}

/**
 * The server that runs on this cluster now. A postmaster.pid that names another process is taken away: PostgreSQL itself
 * clears one whose process is gone, but would believe one whose number now belongs to another process of its user.
 */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const found = await readPidFile(cluster);
  if (found === undefined) return undefined;
  if (await isServerOf(cluster, found.postmaster.pid)) return found.postmaster;
  if (!exists(found.postmaster.pid)) return undefined;
  const pidFile = join(cluster, 'postmaster.pid');
  const aside = `${pidFile}.stale-${randomInt(2 ** 32)}`;
  await rename(pidFile, aside).catch(() => undefined);
  const taken = await readFile(aside, 'utf8').catch(() => undefined);
  // between reading and renaming another process may have started a server: then its file goes back
  if (taken !== undefined && taken !== found.text) await link(aside, pidFile).catch(() => undefined);
  await rm(aside, { force: true });
  return undefined;
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
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  return free;
}

export interface StartOptions {
  readonly folder: DataFolder;
  readonly binaries: Binaries;
  readonly user: SystemUser | undefined;
  readonly settings: Settings;
  readonly log: (line: string) => void;
}

const LOG_BYTES = 10_000_000;
/** Recovery after a crash replays at most max_wal_size (2 GB): minutes on a slow disk. A person is told after this time. */
const PATIENCE_MS = 5_000;

/**
 * Starts the server and waits until it is ready. Of several processes that start one at once PostgreSQL lets one live;
 * the others' servers end by themselves, and the answer is then, as always, what `findPostmaster` says.
 */
export async function startPostmaster(options: StartOptions): Promise<void> {
  const { folder, binaries, user, settings, log } = options;
  const [port, socket] = [await choosePort(folder), await socketFolder(folder, user)];
  const size = (await stat(folder.log).catch(() => undefined))?.size ?? 0;
  if (size > LOG_BYTES) await rename(folder.log, `${folder.log}.1`).catch(() => undefined);
  const file = await open(folder.log, 'a', 0o600);
  try {
    const { size: offset } = await file.stat();
    const child = await launch({
      program: binaries.postgres,
      args: ['-p', String(port), '-k', socket ?? '', ...settingArguments(settings)],
      cluster: folder.cluster,
      user,
      stdio: ['ignore', file.fd, file.fd],
      detached: true,
    });
    child.unref();
    const patience = Date.now() + PATIENCE_MS;
    for (let told = false; child.exitCode === null && child.signalCode === null; await delay(POLL_MS)) {
      const running = (await readPidFile(folder.cluster))?.postmaster;
      if (running?.pid === child.pid && running?.ready === true) {
        await writeFile(folder.port, String(port), { mode: 0o600 });
        return;
      }
      if (!told && Date.now() > patience) {
        log('The database was not stopped cleanly and is putting itself in order; this can take some minutes.');
        told = true;
      }
    }
    if ((await findPostmaster(folder.cluster)) === undefined)
      throw startError(folder, await logFrom(folder.log, offset));
  } finally {
    await file.close();
  }
}

async function logFrom(path: string, offset: number): Promise<string> {
  const text = await readFile(path).catch(() => Buffer.alloc(0));
  return text.subarray(offset).toString('utf8');
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

/** A fast shutdown writes what is in memory to disk first: at most max_wal_size, so a minute is ample. */
const STOP_MS = 60_000;

/** Stops the server and waits until it is gone; taking its pid file away is the last thing it does. */
export async function stopPostmaster(cluster: string, pid: number): Promise<void> {
  const isThere = async (): Promise<boolean> => (await findPostmaster(cluster))?.pid === pid;
  if (!(await isThere())) return;
  process.kill(pid, 'SIGINT');
  const end = Date.now() + STOP_MS;
  while (Date.now() < end && (await isThere())) await delay(POLL_MS);
}
