/** Makes the cluster folder once, and refuses one of another PostgreSQL version. */
import { chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { ConnectorError } from '../protocol/errors.ts';
import type { Binaries } from './binaries.ts';
import { errorCode, folderError } from './errors.ts';
import type { DataFolder } from './folder.ts';
import { launch } from './run.ts';
import { privateTempFolder } from './socket.ts';
import type { SystemUser } from './system-user.ts';

/** The role that owns everything in the embedded database; a superuser, for it is the only one there is. */
export const OWNER = 'soundings';

const MAKING = 'postgres.new-';
/** initdb takes 1–3 s; what is older than this was left by a crash. */
const ABANDONED_MS = 3_600_000;

/** Makes sure there is a cluster this version can run. Made aside and renamed: of two processes at once one wins. */
export async function ensureCluster(
  folder: DataFolder,
  binaries: Binaries,
  user: SystemUser | undefined,
  password: string,
): Promise<void> {
  try {
    if (await hasCluster(folder, binaries)) return;
    await removeAbandoned(folder);
    const making = await mkdtemp(join(folder.path, MAKING));
    try {
      if (user !== undefined) await chown(making, user.uid, user.gid);
      await initialise(making, binaries, user, password);
      await rename(making, folder.cluster).catch((error: unknown) => {
        if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
      });
    } finally {
      await rm(making, { recursive: true, force: true });
    }
    if (!(await hasCluster(folder, binaries))) {
      throw new ConnectorError(
        'invalid_arguments',
        `The folder ${folder.cluster} holds something that is not a PostgreSQL cluster: move it away, or choose another --data-dir.`,
      );
    }
  } catch (error) {
    throw folderError(folder.path, error);
  }
}

async function hasCluster({ cluster }: DataFolder, { major }: Binaries): Promise<boolean> {
  try {
    const found = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
    if (found === major) return true;
    throw new ConnectorError(
      'invalid_arguments',
      `The cluster in ${cluster} was made by PostgreSQL ${found} and this program brings ${major}: run the version of ` +
        'soundings that made it, or choose another --data-dir and sync again.',
    );
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function removeAbandoned(folder: DataFolder): Promise<void> {
  for (const name of await readdir(folder.path)) {
    const path = join(folder.path, name);
    if (!name.startsWith(MAKING)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
}

async function initialise(
  cluster: string,
  binaries: Binaries,
  user: SystemUser | undefined,
  password: string,
): Promise<void> {
  const temp = await privateTempFolder(user);
  try {
    const passwordFile = join(temp, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user !== undefined) await chown(passwordFile, user.uid, user.gid);
    const child = await launch({
      program: binaries.initdb,
      // without a locale of its own an empty environment gives SQL_ASCII; the builtin provider sorts alike on all systems
      args: [
        `--username=${OWNER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--no-instructions',
      ],
      cluster,
      user,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const complaint = child.stderr === null ? '' : await text(child.stderr);
    if ((await ended) !== 0) throw initError(cluster, complaint);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** initdb runs with LC_ALL=C, so its texts are English and strerror's own. */
function initError(cluster: string, complaint: string): ConnectorError {
  const full = /No space left on device|Disk quota exceeded/.test(complaint);
  const reason =
    complaint
      .trim()
      .split('\n')
      .findLast((line) => /error|fatal|could not/i.test(line)) ?? complaint.trim();
  return new ConnectorError(
    'database_unavailable',
    full
      ? `The disk of the data folder is full (${cluster}): free some space there, or choose another --data-dir.`
      : `A new database could not be made in ${cluster} (“${reason}”): choose another --data-dir, or give --database.`,
    { details: { initdb: complaint.slice(-2000) } },
  );
}
