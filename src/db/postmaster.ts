/** The server process: found by its own postmaster.pid, stopped by signal. There is no pid file of ours. */
import { readFile, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { errorCode } from './errors.ts';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Undefined when it listens on loopback alone. */
  readonly socketFolder: string | undefined;
  readonly ready: boolean;
}

/** A start takes 50–300 ms, a stop as long as its last checkpoint. */
export const POLL_MS = 20;

/** postmaster.pid: pid, data folder, start time, port, socket folder, address, shared memory, status. */
export async function readPidFile(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [pid = '', , , port = '', socketFolder = '', , , status = ''] = text.split('\n').map((line) => line.trim());
  return {
    pid: Number(pid),
    port: Number(port),
    socketFolder: socketFolder === '' ? undefined : socketFolder,
    ready: status === 'ready',
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
export async function isServerOf(cluster: string, pid: number): Promise<boolean> {
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

/** The server that runs on this cluster now. */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const found = await readPidFile(cluster);
  return found !== undefined && (await isServerOf(cluster, found.pid)) ? found : undefined;
}

/** A fast shutdown writes what is in memory to disk first: at most max_wal_size, so a minute is ample. */
const STOP_MS = 60_000;

/** Stops the server and waits until it is gone; taking its pid file away is the last thing it does. */
export async function stopPostmaster(cluster: string, pid: number): Promise<void> {
  const running = await findPostmaster(cluster);
  if (running?.pid !== pid) return;
  process.kill(pid, 'SIGINT');
  const end = Date.now() + STOP_MS;
  while ((await findPostmaster(cluster))?.pid === pid) {
    if (Date.now() > end) return;
    await delay(POLL_MS);
  }
  // a server that starts just now has its socket there: then the folder is not empty, and stays
  if (running.socketFolder !== undefined) await rmdir(running.socketFolder).catch(() => undefined);
}
