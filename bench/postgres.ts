/** A PostgreSQL reached by URL: the machine's own when it has one, else a second embedded one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openDatabase, type Database } from '../src/db/database.ts';
import { serverUser } from '../src/db/system-user.ts';

const INSTALLED = '/usr/lib/postgresql';

export interface UrlServer {
  /** The URL of a new, empty database. */
  fresh(): Promise<string>;
  readonly version: string;
  close(): Promise<void>;
}

/** `folder` must not be closed to the user that PostgreSQL runs as. */
export async function startUrlServer(folder: string): Promise<UrlServer> {
  const majors = (await readdir(INSTALLED).catch(() => [])).map(Number).filter((major) => major >= 15);
  const own =
    majors.length > 0 ? await installed(join(INSTALLED, String(Math.max(...majors)), 'bin'), folder) : undefined;
  const embedded = own ? undefined : await openDatabase({ dataDir: join(folder, 'second') });
  const owner = embedded?.logins?.owner;
  const urlOf = (database: string): string => {
    if (own) return own.urlOf(database);
    if (!owner) throw new Error('The embedded database tells no login');
    return `postgres://${owner.user}:${owner.password}@${owner.host}:${owner.port}/${database}`;
  };
  const admin = await openDatabase({ url: urlOf('postgres'), poolSize: 1 });
  const { rows } = await admin.query<{ version: string }>(`select current_setting('server_version') as version`);
  let made = 0;
  return {
    version: rows[0]?.version ?? '',
    fresh: async () => {
      const name = `bench_${++made}`;
      // the one before is not needed any more
      await admin.query(`drop database if exists bench_${made - 1} with (force)`);
      await admin.query(`create database ${name}`);
      return urlOf(name);
    },
    close: async () => {
      await admin.close();
      await embedded?.close();
      await own?.stop();
    },
  };
}

async function installed(
  bin: string,
  folder: string,
): Promise<{ urlOf: (database: string) => string; stop: () => Promise<void> }> {
  const cluster = join(folder, 'installed');
  await mkdir(cluster, { mode: 0o700 });
  const user = await serverUser(cluster);
  if (user) await chown(cluster, user.uid, user.gid);
  // its initdb wants the real path, so the user who runs it must be able to walk there
  await chmod(folder, 0o711);
  const run = (program: string, ...args: string[]): ChildProcess =>
    spawn(join(bin, program), ['-D', cluster, ...args], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      ...(user && { uid: user.uid, gid: user.gid }),
    });
  const init = run('initdb', '--username=bench', '--auth=trust', '--encoding=UTF8', '--locale=C');
  const code = await new Promise<number | null>((resolve) => init.once('close', resolve));
  if (code !== 0) throw new Error(`initdb of ${bin} ended with ${String(code)}`);
  const port = await freePort();
  // what a machine's own server has that somebody looks after: the defaults, and memory
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: '256MB',
    max_wal_size: '2GB',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = run('postgres', '-p', String(port), ...options);
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const urlOf = (database: string): string => `postgres://bench@127.0.0.1:${port}/${database}`;
  await ready(urlOf('postgres'));
  return {
    urlOf,
    stop: async () => {
      server.kill('SIGINT');
      await ended;
    },
  };
}

async function ready(url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const database: Database = await openDatabase({ url, poolSize: 1 });
      await database.close();
      return;
    } catch (error) {
      if (attempt >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
