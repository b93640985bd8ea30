/** Where the data is kept, and what may be wrong with it: folders, disks, servers, versions. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import type { Login } from '../../src/db/embedded.ts';
import { findPostmaster, stopPostmaster } from '../../src/db/postmaster.ts';
import { generate, startSimulator, type Dataset, type Simulator } from '../simulator/index.ts';
import {
  bench,
  complaint,
  complaints,
  dump,
  freePort,
  gate,
  newFolder,
  removeFolder,
  run,
  start,
  type Bench,
  type Ran,
} from './program.ts';

const isRoot = process.getuid?.() === 0;
const data = (projects = 3, issuesPerProject = 30): Dataset =>
  generate({ projects, issuesPerProject, metrics: 12, analyses: 3 });

let b: Bench;
let sim: Simulator;
beforeAll(async () => {
  b = await bench();
  sim = await b.simulator({ version: '25.12', data: data() });
});
afterAll(() => b.close());

const urlOf = ({ user, password, host, port, database }: Login): string =>
  `postgres://${user}:${password}@${host}:${port}/${database}`;
const into = (flags: readonly string[], server = sim): Promise<Ran> =>
  run(['sync', '--url', server.url, ...flags], { token: server.tokens.admin });

describe('a data folder that cannot be used', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'soundings-folder-'));
  });
  afterEach(async () => {
    await chmod(parent, 0o700);
    await rm(parent, { recursive: true, force: true });
  });

  it('of another user', async () => {
    const folder = isRoot ? join(parent, 'data') : '/root/soundings';
    if (isRoot) {
      await mkdir(join(folder, 'secrets'), { recursive: true });
      await chown(join(folder, 'secrets'), 1, 1);
    }
    const ran = await into(['--data-dir', folder]);
    expect(ran.code).toBe(1);
    expect(complaint(ran)).toMatch(
      isRoot
        ? /belongs to another user: run this as that user, or choose another --data-dir/
        : /cannot be read or written by this user: choose another --data-dir/,
    );
    expect(complaint(ran)).toContain('[database_unavailable]');
  });

  it('that is a file, or below one', async () => {
    const file = join(parent, 'file');
    await writeFile(file, 'dear');
    for (const folder of [file, join(file, 'data')]) {
      const ran = await into(['--data-dir', folder]);
      expect(ran.code).toBe(1);
      expect(complaint(ran)).toContain('is a file or lies below one: choose another --data-dir');
    }
  });

  it('that is read-only', async () => {
    const folder = join(parent, 'data');
    await mkdir(folder);
    await chmod(folder, 0o500);
    // to root modes mean nothing, but a file system without writing does
    const disk = isRoot ? await mount(folder, 'ro') : undefined;
    try {
      const ran = await run(['status', '--data-dir', folder], disk && { through: disk.through });
      expect(ran.code).toBe(1);
      expect(complaint(ran)).toMatch(
        isRoot ? /is on a read-only file system: choose another/ : /cannot be read or written by this user/,
      );
    } finally {
      await disk?.unmount();
    }
  });

  it('that holds a cluster of another PostgreSQL', async () => {
    const folder = join(parent, 'data');
    await mkdir(join(folder, 'postgres'), { recursive: true });
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '15\n');
    const ran = await run(['status', '--data-dir', folder]);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toMatch(/made by PostgreSQL 15 and this program brings \d+: run the version/);
  });
});

/** A file system of its own in a mount namespace: nothing is left of it when its holder ends. Only root can. */
async function mount(
  folder: string,
  options: string,
): Promise<{ through: string[]; inside: (path: string) => string; unmount: () => Promise<void> }> {
  const script = `mount -t tmpfs -o mode=755 soundings-test "$1" && { [ "$2" != ro ] || mount -o remount,ro "$1"; } &&
    { [ "$2" = ro ] || mount -o "remount,$2" "$1"; } && echo mounted && cat`;
  const holder: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', folder, options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: holder.stdout! });
  expect(await once(lines, 'line')).toEqual(['mounted']);
  return {
    through: ['nsenter', '-t', String(holder.pid), '-m'],
    inside: (path) => `/proc/${String(holder.pid)}/root${path}`,
    unmount: async () => {
      const ended = once(holder, 'exit');
      holder.stdin?.end();
      await ended;
    },
  };
}

describe('a full disk', () => {
  // a file system that can be filled without harm takes root; the test below needs nothing
  it.runIf(isRoot)('said, nothing lost, and the next run goes on', { timeout: 120_000 }, async () => {
    const parent = await mkdtemp(join(tmpdir(), 'soundings-full-'));
    await chmod(parent, 0o755);
    const folder = join(parent, 'data');
    await mkdir(folder);
    const disk = await mount(folder, 'size=160m');
    const options = { through: disk.through, token: sim.tokens.admin };
    const large = await startSimulator({ version: '25.12', data: data(4, 5000) });
    const ask = async (sql: string): Promise<string> => {
      const ran = await run(['query', sql, '--format', 'csv', '--data-dir', folder], { through: disk.through });
      expect(ran.code, ran.stderr).toBe(0);
      return ran.stdout.split('\n')[1] ?? '';
    };
    const filler = disk.inside(join(folder, 'filler'));
    try {
      expect((await run(['sync', '--url', sim.url, '--data-dir', folder], options)).code).toBe(0);
      const stored = `select count(*) || ' ' || md5(string_agg(source_key || severity || issue_status, '' order by source_key))
        from sonarqube_issues where connection_id = 1`;
      const before = await ask(stored);
      expect(before).toMatch(/^90 /);
      const { bavail, bsize } = await statfs(disk.inside(folder));
      await writeFile(filler, Buffer.alloc(bavail * bsize - 3_000_000));
      const full = await run(['sync', '--url', large.url, '--data-dir', folder], options);
      expect(full.code).toBe(1);
      expect(complaint(full)).toMatch(/No space left on device|disk .*is full/);
      expect(complaint(full)).toMatch(/free (or add disk|some) space/i);
      expect(complaint(full)).toContain('[database_unavailable]');
      await rm(filler);
      expect(await ask(stored)).toBe(before);
      const again = await run(['sync', '--url', large.url, '--data-dir', folder], options);
      expect(complaints(again)).toEqual([]);
      expect(again.code).toBe(0);
      expect(await ask('select count(*) from sonarqube_issues where connection_id <> 1')).toBe('20000');

      // so full that not even a start is possible
      await writeFile(filler, Buffer.alloc(200_000_000)).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      });
      const stuck = await run(['status', '--data-dir', folder], { through: disk.through });
      expect(stuck.code).toBe(1);
      expect(complaint(stuck)).toMatch(/disk of the data folder .* is full: free some space there/);
      await rm(filler);
      expect(await ask(stored)).toBe(before);
    } finally {
      await large.close();
      const left = await findPostmaster(disk.inside(join(folder, 'postgres'))).catch(() => undefined);
      if (left) process.kill(left.pid, 'SIGKILL');
      await disk.unmount();
      await rm(parent, { recursive: true, force: true });
    }
  });

  it('of a server elsewhere, as PostgreSQL says it: 1, said, and the next run goes on', async () => {
    const name = 'full_elsewhere';
    const database = await openDatabase({ dataDir: b.dataDir, database: name });
    try {
      const login = { ...database.logins!.owner };
      // every table that a run fills fails as on a full disk, from the second batch of issues on
      expect((await into(['--database', urlOf(login)])).code).toBe(0);
      const more = await b.simulator({ version: '25.12', data: data() });
      const before = await dump(database, 1);
      await database.query(`create function full_disk() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file "base/5/16384": No space left on device' using errcode = '53100'; end $$`);
      await database.query(`create trigger full_disk before insert on sonarqube_issues execute function full_disk()`);
      const ran = await into(['--database', urlOf(login)], more);
      expect(ran.code).toBe(1);
      expect(complaint(ran)).toMatch(
        /No space left on device”: free or add disk space, then run it again; what was stored stays\. \[database_unavailable\]/,
      );
      expect(await dump(database, 1)).toBe(before);
      await database.query('drop trigger full_disk on sonarqube_issues');
      const again = await into(['--database', urlOf(login)], more);
      expect(complaints(again)).toEqual([]);
      expect(again.code).toBe(0);
    } finally {
      await database.close();
    }
  });
});

describe('a database that goes away in mid-run', () => {
  const folders: string[] = [];
  const sims: Simulator[] = [];
  afterAll(async () => {
    for (const one of sims) await one.close();
    for (const folder of folders) await removeFolder(folder);
  });
  const slow = async (): Promise<Simulator> => {
    const one = await startSimulator({ version: '25.12', data: data(8) });
    sims.push(one);
    return one;
  };
  const folderOf = async (): Promise<string> => {
    const folder = await newFolder();
    folders.push(folder);
    return folder;
  };
  const count = async (folder: string): Promise<string> => {
    const ran = await run(['query', 'select count(*) from sonarqube_issues', '--format', 'csv', '--data-dir', folder]);
    return ran.stdout.split('\n')[1] ?? '';
  };

  it('the embedded one is killed: 1, said; the next run starts it again and completes', async () => {
    const folder = await folderOf();
    const server = await slow();
    const held = gate(server, 'measures/search_history', 3);
    const running = start(['sync', '--url', server.url, '--data-dir', folder], { token: server.tokens.admin });
    await held.reached;
    const postmaster = await findPostmaster(join(folder, 'postgres'));
    process.kill(postmaster!.pid, 'SIGKILL');
    const ran = await running.ended;
    expect(ran.code).toBe(1);
    expect(complaint(ran)).toMatch(
      /database went away in the middle of the run; what was committed stays, and the next run/,
    );
    await held.open();
    expect((await into(['--data-dir', folder], server)).code).toBe(0);
    expect(await count(folder)).toBe('240');
    expect(await findPostmaster(join(folder, 'postgres'))).toBeUndefined();
  });

  it('the embedded one was killed, and a process of it is still there: waited for', async () => {
    const folder = await folderOf();
    const holder = start(['psql-url', '--hold', '--owner', '--data-dir', folder], { held: true });
    const [url] = await holder.until(/^postgres:\/\/\S+$/m);
    await holder.until(/The database runs until/);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where backend_type = 'checkpointer'`,
    );
    await client.end();
    const postmaster = await findPostmaster(join(folder, 'postgres'));
    holder.child.kill('SIGKILL');
    await holder.ended;
    // like one that is in the middle of a slow write: it notices later that its server is gone
    const left = rows[0]!.pid;
    process.kill(left, 'SIGSTOP');
    process.kill(postmaster!.pid, 'SIGKILL');
    try {
      const running = start(['status', '--data-dir', folder]);
      const log = (): Promise<string> => readFile(join(folder, 'postgres.log'), 'utf8');
      const refusals = async (): Promise<number> => (await log()).split('shared memory block').length - 1;
      for (let look = 0; look < 60 && (await refusals()) < 3; look += 1) await delay(50);
      process.kill(left, 'SIGCONT');
      const ran = await running.ended;
      expect(complaints(ran)).toEqual([]);
      expect(ran.code).toBe(0);
    } finally {
      try {
        process.kill(left, 'SIGCONT');
      } catch {
        // it has ended
      }
    }
  });

  it('one of --database is stopped: 1, said, soon; the next run completes when it is back', async () => {
    const folder = await folderOf();
    let theirs: Database = await openDatabase({ dataDir: folder });
    const url = urlOf(theirs.logins!.owner);
    const server = await slow();
    const held = gate(server, 'measures/search_history', 3);
    const running = start(['sync', '--url', server.url, '--database', url], { token: server.tokens.admin });
    await held.reached;
    const { password } = theirs.logins!.owner;
    // "fast" shutdown, as systemd and pg_ctl do it
    const cluster = join(folder, 'postgres');
    await theirs.close();
    const postmaster = await findPostmaster(cluster);
    if (postmaster) await stopPostmaster(cluster, postmaster.pid);
    const stopped = Date.now();
    const ran = await running.ended;
    expect(Date.now() - stopped).toBeLessThan(20_000);
    expect(ran.code).toBe(1);
    expect(complaint(ran)).toContain('[database_unavailable]');
    expect(complaint(ran)).toMatch(/went away|start it again|check host, port and firewall/);
    expect(ran.stdout + ran.stderr).not.toContain(password);
    await held.open();
    const away = await into(['--database', url], server);
    expect(away.code).toBe(1);
    expect(complaint(away)).toContain('check host, port and firewall, and that the server runs');
    theirs = await openDatabase({ dataDir: folder });
    expect((await into(['--database', url], server)).code).toBe(0);
    expect((await theirs.query('select from sonarqube_issues')).rowCount).toBe(240);
    await theirs.close();
  });
});

describe('--database', () => {
  it('works, with a schema of its own too, and beside the embedded one', async () => {
    const database = await openDatabase({ dataDir: b.dataDir, database: 'elsewhere' });
    try {
      const url = urlOf(database.logins!.owner);
      expect((await into(['--database', url, '--schema', 'sonar data'])).code).toBe(0);
      const { rows } = await database.query('select count(*)::int as n from "sonar data".sonarqube_issues');
      expect(rows).toEqual([{ n: 90 }]);
      const asked = await run(
        ['query', 'select count(*) from sonarqube_issues', '--format', 'csv', '--schema', 'sonar data'],
        {
          env: { SOUNDINGS_DATABASE: url },
        },
      );
      expect(asked.stdout).toBe('count\n90\n');
      const written = await run(['query', 'delete from sonarqube_issues', '--database', url, '--schema', 'sonar data']);
      expect(written.code).toBe(2);
      expect(complaint(written)).toContain('may only read');
    } finally {
      await database.close();
    }
  });

  it('nothing listens there: 1', async () => {
    const ran = await run(['status', '--database', `postgres://me:hunter22@127.0.0.1:${await freePort()}/x`], {
      secrets: ['hunter22'],
    });
    expect(ran.code).toBe(1);
    expect(complaint(ran)).toMatch(/ECONNREFUSED.*check host, port and firewall, and that the server runs/);
  });

  it('a host that does not exist, or no PostgreSQL at all', async () => {
    const unknown = await run(['status', '--database', 'postgres://me:hunter22@database.invalid/x'], {
      secrets: ['hunter22'],
    });
    expect([1, 2]).toContain(unknown.code); // without any DNS it is 1
    expect(complaint(unknown)).toMatch(/correct the host name|check host, port and firewall/);
    const web = await run(['status', '--database', sim.url.replace('http', 'postgres')]);
    expect(web.code).toBe(1);
    expect(complaint(web)).toContain('[database_unavailable]');
  });

  it('a server that takes the connection and says nothing: 1, in time', { timeout: 90_000 }, async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const ran = await run(['status', '--database', `postgres://me@127.0.0.1:${port}/x`]);
    silent.close();
    expect(ran.code).toBe(1);
    expect(complaint(ran)).toContain('[database_unavailable]');
  });

  it('a wrong password: 1, and neither that nor the right one is told', async () => {
    const { owner } = b.database.logins!;
    const ran = await run(['status', '--database', urlOf({ ...owner, password: 'hunter22' })], {
      secrets: ['hunter22', owner.password],
    });
    expect(ran.code).toBe(1);
    expect(complaint(ran)).toMatch(/password authentication failed.*correct user and password in the database URL/);
  });

  it('a database that does not exist: 2', async () => {
    const { owner } = b.database.logins!;
    const ran = await run(['status', '--database', urlOf({ ...owner, database: 'nowhere' })], {
      secrets: [owner.password],
    });
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toMatch(/"nowhere" does not exist”: create it with “create database”/);
  });

  it('no URL of PostgreSQL: 2, and it is not repeated', async () => {
    for (const url of ['mysql://me:hunter22@127.0.0.1/x', 'hunter22', 'postgres://me:hunter22@127.0.0.1:none/x']) {
      const ran = await run(['status', '--database', url], { secrets: ['hunter22'] });
      expect(ran.code).toBe(2);
      expect(complaint(ran)).toContain('write it as postgres://user:password@host:5432/database');
    }
  });

  it('a user who may make nothing: 2, with the statement for the administrator', async () => {
    const database = await openDatabase({ dataDir: b.dataDir, database: 'closed' });
    try {
      await database.query(`create role visitor login password 'hunter22'`);
      await database.query('grant connect on database closed to visitor');
      const ran = await into([
        '--database',
        urlOf({ ...database.logins!.owner, user: 'visitor', password: 'hunter22' }),
      ]);
      expect(ran.code).toBe(2);
      expect(complaint(ran)).toMatch(/may not make tables .*“create schema "soundings" authorization visitor”/);
    } finally {
      await database.query('drop owned by visitor; drop role visitor');
      await database.close();
    }
  });
});

describe('a database that a newer program has changed', () => {
  it('is refused by every command, and nothing in it is touched', async () => {
    const database = await openDatabase({ dataDir: b.dataDir, database: 'newer' });
    try {
      const url = urlOf(database.logins!.owner);
      expect((await into(['--database', url])).code).toBe(0);
      await database.query(
        `insert into soundings.migrations (name, timestamp) values ('9999_from_the_future', now()::text)`,
      );
      const before = await dump(database, undefined, new Set());
      for (const args of [['status'], ['query', 'select 1'], ['schema']]) {
        const ran = await run([...args, '--database', url]);
        expect(ran.code).toBe(2);
        expect(complaint(ran)).toMatch(/newer/);
        expect(ran.stdout).toBe('');
      }
      const synced = await into(['--database', url]);
      expect(synced.code).toBe(2);
      expect(complaint(synced)).toMatch(/newer/);
      expect(await dump(database, undefined, new Set())).toBe(before);
    } finally {
      await database.close();
    }
  });
});

it('the database never has the password of a login in clear, and no token stands anywhere', async () => {
  const client = new pg.Client(b.database.logins!.owner);
  await client.connect();
  const { rows } = await client.query(
    'select rolname from pg_authid where rolpassword is not null and rolpassword not like $1',
    ['SCRAM-SHA-256$%'],
  );
  await client.end();
  expect(rows).toEqual([]);
  expect((await into(['--data-dir', b.dataDir])).code).toBe(0);
  await b.expectNoTokens();
});
