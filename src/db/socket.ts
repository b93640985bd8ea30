/** Folders outside the data folder, for what the server's user must reach by name: its socket, and a password once. */
import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConnectorError } from '../protocol/errors.ts';
import type { DataFolder } from './folder.ts';
import { mayEnter, type SystemUser } from './system-user.ts';

/** A folder in a place the server's user can reach, which belongs to it and to nobody else. */
export async function privateTempFolder(user: SystemUser | undefined): Promise<string> {
  for (const parent of [tmpdir(), '/tmp']) {
    if (user !== undefined && !(await mayEnter(parent, user))) continue;
    const folder = await mkdtemp(join(parent, 'soundings-'));
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    return folder;
  }
  throw new ConnectorError(
    'database_unavailable',
    `The user “${user?.name ?? ''}”, who runs the embedded PostgreSQL for root, may enter neither ${tmpdir()} nor /tmp: ` +
      'run “chmod 1777 /tmp”, or run this as a normal user.',
  );
}

/** A socket's path ends at 107 bytes on Linux and at 103 on macOS. */
const PATH_BYTES = 103;

/** The private folder of the server's socket, short and always the same; undefined: the server gets loopback alone. */
export async function socketFolder(folder: DataFolder, user: SystemUser | undefined): Promise<string | undefined> {
  const name = `soundings-${createHash('sha256').update(folder.path).digest('hex').slice(0, 12)}`;
  for (const parent of [tmpdir(), '/tmp']) {
    const path = join(parent, name);
    if (Buffer.byteLength(join(path, '.s.PGSQL.65535.lock')) > PATH_BYTES) continue;
    if (user !== undefined && !(await mayEnter(parent, user))) continue;
    await mkdir(path, { mode: 0o700 }).catch(() => undefined);
    if (await belongsTo(path, user)) return path;
  }
  return undefined;
}

/** In a shared folder anybody may have taken the name: then there is no socket, and clients use loopback. */
async function belongsTo(path: string, user: SystemUser | undefined): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isDirectory() || (found.mode & 0o077) !== 0) return false;
  const me = process.getuid?.();
  if (found.uid === (user?.uid ?? me)) return true;
  // made by us or by another process of ours, which ended before it could give it away
  if (user === undefined || found.uid !== me) return false;
  await chown(path, user.uid, user.gid);
  return true;
}
