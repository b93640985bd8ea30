/**
 * The data folder: `postgres` (the cluster, owned by the user that runs the server), `secrets` (passwords, ours),
 * `postgres.log` and `port`. Folders that are made here are 0700; the modes of folders that exist are never touched.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, link, mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { ConnectorError } from '../protocol/errors.ts';
import { errorCode, folderError } from './errors.ts';

export interface DataFolder {
  readonly path: string;
  readonly cluster: string;
  readonly log: string;
  /** The port of the last start, so that saved connections of other programs stay good. */
  readonly port: string;
}

/** Makes the folder when it is missing, and refuses one this user cannot use, with the reason. */
export async function openFolder(dataDir: string): Promise<DataFolder> {
  try {
    await refuseClosedParent(dataDir);
    await mkdir(join(dataDir, 'secrets'), { recursive: true, mode: 0o700 });
    const path = await realpath(dataDir);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const folder = { path, cluster: join(path, 'postgres'), log: join(path, 'postgres.log'), port: join(path, 'port') };
    await refuseForeign(folder);
    return folder;
  } catch (error) {
    throw folderError(dataDir, error);
  }
}

/** On a read-only file system `mkdir` with `recursive` says ENOENT; the nearest folder that exists says what is wrong. */
async function refuseClosedParent(dataDir: string): Promise<void> {
  for (let folder = resolve(dataDir); ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK);
      return;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}

async function refuseForeign({ path, cluster }: DataFolder): Promise<void> {
  const me = process.getuid?.();
  const owners = [await stat(join(path, 'secrets')), ...(me === 0 ? [] : await statIfThere(cluster))];
  if (owners.some((owner) => owner.uid !== me)) {
    throw new ConnectorError(
      'database_unavailable',
      `The data folder ${path} belongs to another user: run this as that user, or choose another --data-dir.`,
    );
  }
  if ((await statIfThere(join(path, 'PG_VERSION'))).length > 0) {
    throw new ConnectorError(
      'invalid_arguments',
      `The folder ${path} is itself a PostgreSQL cluster: choose another --data-dir, or start that server and give ` +
        'its URL with --database.',
    );
  }
}

async function statIfThere(path: string): Promise<{ uid: number }[]> {
  try {
    return [await stat(path)];
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Hard to guess and free of characters that need quoting in a URL or in SQL. */
export function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

/**
 * The password of a role, made on first use. Written aside and linked into place: of two processes at once one wins,
 * and both read the same.
 */
export async function rolePassword(folder: DataFolder, role: string): Promise<string> {
  const file = join(folder.path, 'secrets', `${role}.password`);
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw folderError(folder.path, error);
  }
  try {
    await writeFile(aside, randomPassword(), { mode: 0o600, flag: 'wx', flush: true });
    await link(aside, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    return await readFile(file, 'utf8');
  } catch (error) {
    throw folderError(folder.path, error);
  } finally {
    await rm(aside, { force: true });
  }
}
