/** Starts PostgreSQL's programs on a cluster folder, as another user where needed. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';

import { ConnectorError } from '../protocol/errors.ts';
import { errorCode, errorText } from './errors.ts';
import { mayEnter, type SystemUser } from './system-user.ts';

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly cluster: string;
  readonly user: SystemUser | undefined;
  readonly stdio: StdioOptions;
  /** A session of its own: Ctrl-C, which the terminal sends to a whole group, must not shut the server down. */
  readonly detached?: boolean;
}

/**
 * What to pass as `-D`. The user a root process hands the server to often may not enter the folders above the cluster
 * (root's home, `mktemp -d`). We change to the cluster folder before the user changes, and on Linux `/proc/self/cwd`
 * leads there without passing the folders above; initdb and the server run with it all their life.
 */
async function clusterArgument({ cluster, user }: Launch): Promise<string> {
  if (user === undefined) return cluster;
  if (process.platform === 'linux') return '/proc/self/cwd';
  if (await mayEnter(cluster, user)) return cluster;
  throw new ConnectorError(
    'database_unavailable',
    `The user “${user.name}”, who runs the embedded PostgreSQL for root, may not enter ${cluster}: choose a --data-dir ` +
      'below folders that everybody may enter, or run this as a normal user.',
  );
}

/** Resolves when the program runs; a program that cannot be started is one clear error. */
export async function launch(options: Launch): Promise<ChildProcess> {
  const { program, args, cluster, user, stdio, detached = false } = options;
  const folder = await clusterArgument(options);
  try {
    const child = spawn(program, ['-D', folder, ...args], {
      cwd: cluster,
      stdio,
      detached,
      // nothing of our environment: PGDATA, PGPORT or a locale of the person would change what the programs do
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    throw await startError(program, user, error);
  }
}

async function startError(program: string, user: SystemUser | undefined, error: unknown): Promise<ConnectorError> {
  const say = (sentence: string): ConnectorError =>
    new ConnectorError('database_unavailable', sentence, { cause: error });
  if (errorCode(error) === 'EPERM' && user !== undefined) {
    return say(
      `This root may not become the user “${user.name}”, and PostgreSQL refuses to run as root: run this as a normal ` +
        'user, allow SETUID and SETGID to the container, or give --database.',
    );
  }
  // the file is there but its loader is not: the kernel answers ENOENT too
  const exists = await access(program)
    .then(() => true)
    .catch(() => false);
  if (errorCode(error) === 'ENOENT' && exists) {
    return say(
      'The embedded PostgreSQL needs glibc, which Alpine and other musl systems lack: give --database with the URL of a PostgreSQL server.',
    );
  }
  return say(`${program} cannot be started (${errorText(error)}): run npm install again, or give --database.`);
}
