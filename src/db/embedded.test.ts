import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { connect, disconnect } from './client.ts';
import { openEmbedded, type EmbeddedDatabase } from './embedded.ts';
import { findPostmaster, stopPostmaster } from './postmaster.ts';

const USER = join(import.meta.dirname, 'user.testing.ts');

const parents: string[] = [];
let parent: string;
let dataDir: string;
let here: EmbeddedDatabase[] = [];

async function openHere(log?: (line: string) => void): Promise<EmbeddedDatabase> {
  const opened = await openEmbedded({ dataDir, ...(log === undefined ? {} : { log }) });
  here.push(opened);
  return opened;
}

async function newFolder(): Promise<void> {
  // mkdtemp gives 0700: as root, the user that runs the server may not enter it
  parent = await mkdtemp(join(tmpdir(), 'soundings-embedded-'));
  parents.push(parent);
  dataDir = join(parent, 'data');
}

afterEach(async () => {
  for (const opened of here) await opened.close();
  here = [];
  const left = await findPostmaster(join(dataDir, 'postgres')).catch(() => undefined);
  if (left !== undefined) await stopPostmaster(join(dataDir, 'postgres'), left.pid);
});

// one folder serves as many tests as possible: making a cluster takes 2 s
beforeAll(newFolder);
afterAll(() => Promise.all(parents.map((path) => rm(path, { recursive: true, force: true }))));

const serverPid = async (): Promise<number | undefined> => (await findPostmaster(join(dataDir, 'postgres')))?.pid;

interface Using {
  readonly child: ChildProcess;
  /** The server's pid, once the process has opened the database. */
  readonly opened: Promise<number>;
  close(): Promise<void>;
}

function useElsewhere(detached = false): Using {
  const child = spawn(process.execPath, [USER, dataDir], { stdio: ['pipe', 'pipe', 'inherit'], detached });
  const lines = createInterface({ input: child.stdout });
  const opened = (async () => {
    const [line] = (await once(lines, 'line')) as [string];
    return Number(line.split(' ')[1]);
  })();
  const close = async (): Promise<void> => {
    child.stdin.end();
    await once(child, 'exit');
  };
  return { child, opened, close };
}

async function kill(user: Using): Promise<void> {
  const gone = once(user.child, 'exit');
  user.child.kill('SIGKILL');
  await gone;
}

describe('the first start', () => {
  it('makes a private cluster, also where the server’s user may not enter, and stops it at the end', async () => {
    const embedded = await openHere();
    const client = await connect(embedded.config);
    const { rows } = await client.query<Record<string, string>>(
      `select current_setting('server_encoding') as encoding, upper('ärger') as upper, current_setting('fsync') as fsync,
              current_setting('listen_addresses') as addresses, current_setting('wal_level') as wal,
              current_setting('synchronous_commit') as commit, current_setting('timezone') as zone`,
    );
    expect(rows[0]).toEqual({
      encoding: 'UTF8',
      upper: 'ÄRGER',
      fsync: 'on',
      addresses: '127.0.0.1',
      wal: 'minimal',
      commit: 'on',
      zone: 'UTC',
    });
    await disconnect(client);
    for (const path of ['', 'postgres', 'secrets']) {
      expect((await stat(join(dataDir, path))).mode & 0o777, path).toBe(0o700);
    }
    expect((await stat(join(dataDir, 'secrets', 'soundings.password'))).mode & 0o777).toBe(0o600);
    expect((await stat(parent)).mode & 0o777).toBe(0o700);
    await embedded.close();
    expect(await serverPid()).toBeUndefined();
  });

  it('lets nobody in without a password', async () => {
    const embedded = await openHere();
    for (const way of [embedded.config, embedded.ownerLogin]) {
      await expect(connect({ ...way, password: 'guess' })).rejects.toMatchObject({ code: 'database_unavailable' });
    }
    await embedded.close();
  });

  it('keeps its port', async () => {
    const first = await openHere();
    const { port } = first.config;
    await first.close();
    const second = await openHere();
    expect(second.config.port).toBe(port);
    await second.close();
  });
});

describe('several processes', () => {
  it('share one server when they start at once on an empty folder, and the last one stops it', async () => {
    await newFolder();
    const users = [useElsewhere(), useElsewhere(), useElsewhere()];
    const pids = await Promise.all(users.map((user) => user.opened));
    expect(new Set(pids)).toEqual(new Set([await serverPid()]));
    for (const user of users) {
      expect(await serverPid()).toBe(pids[0]);
      await user.close();
    }
    expect(await serverPid()).toBeUndefined();
  });

  it('end at once and leave no server behind', async () => {
    const users = [useElsewhere(), useElsewhere()];
    await Promise.all(users.map((user) => user.opened));
    await Promise.all(users.map((user) => user.close()));
    expect(await serverPid()).toBeUndefined();
  });

  it('start while another one stops the server', async () => {
    const first = useElsewhere();
    await first.opened;
    const stopped = first.close();
    const second = useElsewhere();
    await stopped;
    const pid = await second.opened;
    expect(await serverPid()).toBe(pid);
    await second.close();
    expect(await serverPid()).toBeUndefined();
  });

  it('join the server that a killed one left running, and stop it at the end', async () => {
    const killed = useElsewhere();
    const pid = await killed.opened;
    await kill(killed);
    expect(await serverPid()).toBe(pid);
    const next = useElsewhere();
    expect(await next.opened).toBe(pid);
    await next.close();
    expect(await serverPid()).toBeUndefined();
  });

  it('leave the server to other programs that are connected', async () => {
    const embedded = await openHere();
    const psql = await connect({ ...embedded.queryConfig, application_name: 'psql' });
    const pid = await serverPid();
    await embedded.close();
    expect(await serverPid()).toBe(pid);
    await psql.query('select 1');
    await disconnect(psql);
    await (await openHere()).close();
    expect(await serverPid()).toBeUndefined();
  });
});

describe('accidents', () => {
  it('Ctrl-C, which the terminal sends to the whole group, leaves the server until its user ends', async () => {
    const user = useElsewhere(true);
    const pid = await user.opened;
    process.kill(-(user.child.pid ?? 0), 'SIGINT');
    const embedded = await openHere();
    expect(await serverPid()).toBe(pid);
    await embedded.close();
    await user.close();
    expect(await serverPid()).toBeUndefined();
  });

  it('a server that was killed is started again, also when its pid now belongs to another process', async () => {
    const first = useElsewhere();
    const pid = await first.opened;
    await kill(first);
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    const stale = await readFile(pidFile, 'utf8');
    process.kill(pid, 'SIGKILL');
    while (await serverPid()) await delay(10);
    const other = spawn('sleep', ['600'], { stdio: 'ignore', ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
    await once(other, 'spawn');
    await writeFile(pidFile, stale.replace(/^\d+/, String(other.pid)));
    const embedded = await openHere();
    expect(await serverPid()).not.toBe(pid);
    await embedded.close();
    other.kill();
  });

  it('a server that goes away under its users is started again, and stopped by the last', async () => {
    const lines: string[] = [];
    const back = Promise.withResolvers<undefined>();
    const embedded = await openHere((line) => lines.push(line));
    const pid = await serverPid();
    process.kill(pid ?? 0, 'SIGINT');
    void (async () => {
      for (let now = await serverPid(); now === undefined || now === pid; now = await serverPid()) await delay(20);
      back.resolve(undefined);
    })();
    await back.promise;
    await embedded.close();
    expect(lines).toContain('The embedded database went away; starting it again.');
    expect(await serverPid()).toBeUndefined();
  });
});

describe('folders that cannot be used', () => {
  beforeEach(newFolder);

  it('a cluster of another version', async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
    await expect(openEmbedded({ dataDir })).rejects.toMatchObject({
      code: 'invalid_arguments',
      message: expect.stringMatching(/made by PostgreSQL 15 and this program brings 18: run the version/) as string,
    });
  });

  it('something else where the cluster should be', async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'letter.txt'), 'dear');
    await expect(openEmbedded({ dataDir })).rejects.toThrow(/not a PostgreSQL cluster: move it away/);
    expect(await readFile(join(dataDir, 'postgres', 'letter.txt'), 'utf8')).toBe('dear');
  });

  it('a cluster itself, and a file', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'PG_VERSION'), '18\n');
    await expect(openEmbedded({ dataDir })).rejects.toThrow(/is itself a PostgreSQL cluster/);
    await expect(openEmbedded({ dataDir: join(dataDir, 'PG_VERSION') })).rejects.toThrow(/is a file or lies below one/);
  });

  it('a password that is not the database’s', async () => {
    await (await openHere()).close();
    await writeFile(join(dataDir, 'secrets', 'soundings.password'), 'other');
    await expect(openEmbedded({ dataDir })).rejects.toThrow(/restore both from one backup/);
  });

  it.runIf(process.getuid?.() === 0)('another user’s', async () => {
    await chmod(parent, 0o755);
    await mkdir(join(dataDir, 'secrets'), { recursive: true });
    await chown(join(dataDir, 'secrets'), 1, 1);
    await expect(openEmbedded({ dataDir })).rejects.toThrow(/belongs to another user: run this as that user/);
  });
});
