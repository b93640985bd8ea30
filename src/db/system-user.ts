/**
 * Who runs the server: PostgreSQL refuses to run as root, so a root process hands it to a system user; and what that
 * user may enter. libuv drops all other groups when it switches, so owner, group and others decide alone.
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { ConnectorError } from '../protocol/errors.ts';
import { errorCode } from './errors.ts';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The names tried, in this order: `nobody` is everywhere, `postgres` shares its files with no other service. */
const NAMES = ['postgres', 'nobody'];

/** The lines of /etc/passwd; initdb itself looks its user up there, so a bare number would not do. */
async function systemUsers(passwd: string): Promise<SystemUser[]> {
  const text = await readFile(passwd, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    return name === '' || uid === '' ? [] : [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/**
 * The user to run the server of this cluster folder as; undefined means as ourselves. A cluster that exists is run by
 * its owner: a volume may come from a machine where another user was picked.
 */
export async function serverUser(cluster: string, passwd = '/etc/passwd'): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await systemUsers(passwd);
  const owner = await stat(cluster).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) {
    const known = users.find((user) => user.uid === owner.uid);
    return { name: known?.name ?? String(owner.uid), uid: owner.uid, gid: owner.gid };
  }
  for (const name of NAMES) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (user !== undefined) return user;
  }
  throw new ConnectorError(
    'database_unavailable',
    'The embedded PostgreSQL may not run as root and this system has neither a user “postgres” nor “nobody”: ' +
      'add one, run this as a normal user, or give --database.',
  );
}

const READ = 4;
const ENTER = 1;

async function allows(path: string, user: SystemUser, bit: number): Promise<boolean> {
  const { uid, gid, mode } = await stat(path);
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bit) === bit;
}

/** May this user reach the path through all folders above it, and enter (a folder) or execute (a file) it? */
export async function mayEnter(path: string, user: SystemUser): Promise<boolean> {
  try {
    for (let at = await realpath(path); ; at = dirname(at)) {
      if (!(await allows(at, user, ENTER))) return false;
      if (at === dirname(at)) return true;
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EACCES') return false;
    throw error;
  }
}

/** May this user reach and read the file? */
export async function mayRead(file: string, user: SystemUser): Promise<boolean> {
  if (!(await mayEnter(dirname(file), user))) return false;
  return allows(file, user, READ).catch(() => false);
}
