/**
 * Real SonarQube Servers for tests: fetched, started on a free loopback port, filled once per version (the filled
 * database is kept and put in place on later runs) and stopped again.
 *
 *   node test/real/server.ts start  [VERSION]   start one that keeps running, filled; prints its coordinates
 *   node test/real/server.ts env    [VERSION]   print its coordinates as shell exports
 *   node test/real/server.ts status [VERSION]
 *   node test/real/server.ts stop   [VERSION]   stop it and delete its data
 *   node test/real/server.ts seed   [VERSION]   only make sure that the filled database is kept
 *
 * VERSION is a full version number, `newest` (default) or `oldest`.
 *
 *   SOUNDINGS_REAL_CACHE   folder of downloads, filled databases and instances
 *   SOUNDINGS_REAL_USER    account that runs the server when the caller is root (default: nobody)
 *   SOUNDINGS_REAL_JAVA    a java to run servers with (used for the versions it suits)
 *   SOUNDINGS_REAL_REUSE   1: startServer takes the server that `start` left running, and leaves it running
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, sleep, type Api } from './api.ts';
import { cacheDirectory, findJava, installServer, isRoot, runUserIds, seconds, VERSIONS, type Log } from './install.ts';
import { mintTokens, seed, type Tokens } from './seed.ts';

export { VERSIONS, type Log } from './install.ts';
export type { Tokens } from './seed.ts';

/** What is known about a filled server, kept beside its database. */
export interface Seeded {
  adminPassword: string;
  viewerPassword: string;
}

/** A running server. */
export interface RealServer {
  version: string;
  /** Base address without a trailing slash, `http://127.0.0.1:PORT`. */
  url: string;
  /** User token of the administrator. */
  adminToken: string;
  tokens: Tokens;
  admin: { login: string; password: string };
  viewer: { login: string; password: string };
  /** A client that asks as administrator. */
  api: Api;
  /** Folders and programs, for the scanner. */
  runtime: { cache: string; instance: string; java: string };
  /** Ends the server and deletes its data. */
  stop(): Promise<void>;
}

/** What startServer can be told. */
export interface StartOptions {
  /** A full version number, see VERSIONS. */
  version: string;
  log?: Log;
  /** False: an empty server, with only the administrator's password changed and tokens made (default true). */
  seeded?: boolean;
  /** True: it stays when this process ends, and `stop` leaves its data (default false). */
  keep?: boolean;
  /** What it is filled with beyond the tests' own; kept as well, under a name that changes with what it is. */
  more?: { name: string; fill: (server: RealServer, log: Log) => Promise<void> };
}

/** What is written into an instance's folder, to find its processes again. */
interface Record_ {
  version: string;
  url: string;
  pid: number;
  /** The process that has to be alive; none for a server that is kept. */
  owner: number | undefined;
}

const RECORD = 'server.json';
const here = path.dirname(fileURLToPath(import.meta.url));

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** True when that process is the server of this instance, and not another one that got its number. */
function isServer(pid: number, instance: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(instance);
  } catch {
    return process.platform !== 'linux' && alive(pid);
  }
}

async function readRecord(instance: string): Promise<Record_ | undefined> {
  try {
    return JSON.parse(await fs.readFile(path.join(instance, RECORD), 'utf8')) as Record_;
  } catch {
    return undefined;
  }
}

/** Ends the process group that a server was started as: politely first. */
async function endProcess(pid: number, instance: string): Promise<void> {
  if (pid <= 1) return; // nothing was started; and 0 would be this process's own group
  if (isServer(pid, instance)) {
    process.kill(pid, 'SIGTERM');
    for (let i = 0; i < 240 && isServer(pid, instance); i++) await sleep(250);
  }
  if (groupAlive(pid)) {
    signalGroup(pid);
    for (let i = 0; i < 40 && groupAlive(pid); i++) await sleep(100);
  }
  ours.delete(pid);
}

/** Servers that must not outlive this process. */
const ours = new Set<number>();

function endAtExit(pid: number): void {
  if (ours.size === 0) process.once('exit', () => ours.forEach((each) => signalGroup(each)));
  ours.add(pid);
}

function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}

/** Ends servers whose test run died without ending them, and deletes their data. */
async function reapOrphans(cache: string, log: Log): Promise<void> {
  const instances = path.join(cache, 'instances');
  for (const name of await fs.readdir(instances).catch(() => [])) {
    const instance = path.join(instances, name);
    const record = await readRecord(instance);
    if (record?.owner === undefined || alive(record.owner)) continue;
    log(`removing what a broken-off run left in ${instance}`);
    if (isServer(record.pid, instance)) await endProcess(record.pid, instance);
    await fs.rm(instance, { recursive: true, force: true });
  }
}

/** Names the filled database: another one is made when what fills it changes. */
async function snapshotKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['seed.ts', 'sources.ts', 'scanner.ts']) hash.update(await fs.readFile(path.join(here, file)));
  return hash.digest('hex').slice(0, 12);
}

interface Running {
  pid: number;
  url: string;
}

async function giveToRunUser(instance: string): Promise<void> {
  const user = await runUserIds();
  if (!user) return;
  const entries = await fs.readdir(instance, { recursive: true });
  for (const entry of ['.', ...entries]) await fs.lchown(path.join(instance, entry), user.uid, user.gid);
}

/** Starts the processes of an instance and waits until it is UP and its index is complete. */
async function launch(
  options: { version: string; home: string; java: string; instance: string; keep: boolean },
  log: Log,
): Promise<Running> {
  const { version, home, java, instance, keep } = options;
  const started = Date.now();
  for (const name of ['data', 'logs', 'temp']) await fs.mkdir(path.join(instance, name), { recursive: true });
  await giveToRunUser(instance);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings: Record<string, string | number> = {
    'sonar.path.data': path.join(instance, 'data'),
    'sonar.path.logs': path.join(instance, 'logs'),
    'sonar.path.temp': path.join(instance, 'temp'),
    'sonar.web.host': '127.0.0.1',
    'sonar.web.port': port,
    'sonar.search.port': 0,
    'sonar.es.port': 0,
    'sonar.embeddedDatabase.port': await freePort(),
    'sonar.web.javaOpts': '-Xms128m -Xmx1g',
    'sonar.ce.javaOpts': '-Xms128m -Xmx1g',
    'sonar.search.javaOpts': '-Xms512m -Xmx512m -XX:MaxDirectMemorySize=256m',
    // neither needs a kernel setting changed
    'sonar.search.javaAdditionalOpts': '-Dnode.store.allow_mmap=false',
    'sonar.es.bootstrap.checks.disable': 'true',
    'sonar.updatecenter.activate': 'false',
    'sonar.telemetry.enable': 'false',
  };
  const console_ = await fs.open(path.join(instance, 'console.log'), 'w');
  const user = await runUserIds();
  const child = spawn(
    java,
    [
      '-Xms8m',
      '-Xmx64m',
      '-jar',
      path.join(home, 'lib', `sonar-application-${version}.jar`),
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
    ],
    {
      cwd: home,
      detached: true, // a session and process group of its own
      stdio: ['ignore', console_.fd, console_.fd],
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: instance, ES_JAVA_HOME: undefined },
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    },
  );
  const failed = await new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('spawn', () => resolve(undefined));
  });
  await console_.close();
  if (failed || child.pid === undefined) throw new Error(`${java} could not be started: ${failed?.message}`);
  const pid = child.pid;
  const ending = { seen: false };
  child.once('exit', () => (ending.seen = true));
  child.unref();
  const record: Record_ = { version, url, pid, owner: keep ? undefined : process.pid };
  await fs.writeFile(path.join(instance, RECORD), JSON.stringify(record));
  if (!keep) endAtExit(pid);

  for (;;) {
    await sleep(300);
    const status = await fetch(`${url}/api/system/status`, { signal: AbortSignal.timeout(30_000) })
      .then(async (response) => ((await response.json()) as { status?: string }).status)
      .catch(() => undefined);
    if (status === 'UP') break;
    if (ending.seen || Date.now() - started > 900_000) {
      const why = await lastErrors(instance);
      await endProcess(pid, instance);
      throw new Error(
        `SonarQube ${version} ${ending.seen ? 'ended while starting' : 'is not UP after 15 minutes'}; logs in ${instance}/logs\n${why}`,
      );
    }
  }
  log(`SonarQube ${version} is up at ${url} after ${seconds(started)}`);
  return { pid, url };
}

async function lastErrors(instance: string): Promise<string> {
  const lines: string[] = [];
  for (const name of ['console.log', 'logs/sonar.log', 'logs/es.log', 'logs/web.log', 'logs/ce.log']) {
    const text = await fs.readFile(path.join(instance, name), 'utf8').catch(() => '');
    lines.push(...text.split('\n').filter((line) => /ERROR|Caused by|Exception/.test(line)));
  }
  return lines.slice(-12).join('\n');
}

/** After a start with a database but no index, issues can't be read until they are all indexed again. */
async function waitForIndex(api: Api): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    const status = await api.tryGet<{ isCompleted?: boolean }>('ce/indexation_status', {}, [404]);
    const usable = await api.tryGet('issues/search', { ps: 1 }, [503]);
    if (usable !== undefined && status?.isCompleted !== false) return;
    await sleep(250);
  }
  throw new Error('the index of issues is still not complete after 5 minutes');
}

function password(): string {
  return `Aa1!${randomBytes(15).toString('base64url')}`;
}

/**
 * Starts a server. The first time for a version it is filled (some minutes) and its database kept; later the kept
 * database is put in place. Each call makes an instance of its own, so tests may change what they like.
 */
export async function startServer(options: StartOptions): Promise<RealServer> {
  const { version, seeded = true, keep = false, more } = options;
  const log = options.log ?? (() => undefined);
  const cache = await cacheDirectory();
  await reapOrphans(cache, log);
  if (process.env['SOUNDINGS_REAL_REUSE'] === '1' && !keep) {
    const running = await attach(version);
    if (running) {
      log(`using the running server at ${running.url}`);
      return { ...running, stop: () => Promise.resolve() };
    }
  }
  const java = await findJava(version, log); // before anything big is fetched
  const home = await installServer(cache, version, log);
  const name = keep ? `kept-${version}` : `${version}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const instance = path.join(cache, 'instances', name);
  const before = await readRecord(instance);
  if (before && isServer(before.pid, instance)) {
    throw new Error(`SonarQube ${version} is running or starting already (process ${before.pid}); \`stop\` ends it.`);
  }
  await fs.mkdir(instance, { recursive: true });
  if (isRoot()) await fs.chmod(instance, 0o755);
  const none: Record_ = { version, url: '', pid: 0, owner: keep ? undefined : process.pid };
  await fs.writeFile(path.join(instance, RECORD), JSON.stringify(none));
  const base = { version, home, java, instance, keep };
  const tests = path.join(cache, 'filled', `${version}-${await snapshotKey()}`);
  const snapshot = more ? `${tests}-${more.name}` : tests;
  const put = async (from: string): Promise<void> => {
    await fs.rm(path.join(instance, 'data'), { recursive: true, force: true });
    await fs.cp(path.join(from, 'data'), path.join(instance, 'data'), { recursive: true });
  };
  const fill = async (into: string, how: (server: RealServer, log: Log) => Promise<void>): Promise<void> => {
    const first = await launch({ ...base, keep: false }, log);
    const facts = into === tests ? await prepare(first.url) : await readFacts(tests);
    const begun = Date.now();
    await how(await describe(base, cache, first, facts), log);
    log(`filled in ${seconds(begun)}`);
    await endProcess(first.pid, instance);
    await keepSnapshot(instance, into, facts);
    log(`kept in ${into}`);
  };
  try {
    if (seeded && !existsSync(snapshot)) {
      if (existsSync(tests)) await put(tests);
      else await fill(tests, seed);
      if (more) await fill(snapshot, more.fill);
    } else if (seeded) await put(snapshot);
    const running = await launch(base, log);
    const facts = seeded ? await readFacts(snapshot) : await prepare(running.url);
    await fs.writeFile(path.join(instance, 'facts.json'), JSON.stringify(facts), { mode: 0o600 });
    const server = await describe(base, cache, running, facts);
    await fs.writeFile(path.join(instance, 'tokens.json'), JSON.stringify(server.tokens), { mode: 0o600 });
    return server;
  } catch (error) {
    const record = await readRecord(instance);
    if (record) await endProcess(record.pid, instance);
    throw error;
  }
}

async function readFacts(snapshot: string): Promise<Seeded> {
  return JSON.parse(await fs.readFile(path.join(snapshot, 'facts.json'), 'utf8')) as Seeded;
}

async function keepSnapshot(instance: string, snapshot: string, facts: Seeded): Promise<void> {
  const part = `${snapshot}.part-${process.pid}`;
  await fs.rm(part, { recursive: true, force: true });
  await fs.mkdir(part, { recursive: true });
  const data = path.join(instance, 'data');
  const unpackedPlugins = path.join(data, 'web'); // made anew at every start
  await fs.cp(data, path.join(part, 'data'), { recursive: true, filter: (file) => file !== unpackedPlugins });
  await fs.writeFile(path.join(part, 'facts.json'), JSON.stringify(facts), { mode: 0o600 });
  await fs.rename(part, snapshot).catch((error: unknown) => {
    if (!existsSync(snapshot)) throw error;
  });
  // what earlier states of the seed left of this version; what this one goes on from stays
  const [all, mine] = [path.dirname(snapshot), path.basename(snapshot)];
  const version = mine.slice(0, mine.indexOf('-') + 1);
  for (const name of await fs.readdir(all)) {
    if (!name.startsWith(version) || mine.startsWith(name)) continue;
    const other = path.join(all, name);
    const { mtimeMs } = await fs.stat(other);
    if (Date.now() - mtimeMs > 7 * 86_400_000) await fs.rm(other, { recursive: true, force: true });
  }
}

/** Changes the administrator's first password. */
async function prepare(url: string): Promise<Seeded> {
  const facts: Seeded = { adminPassword: password(), viewerPassword: password() };
  const first = connect(url, { login: 'admin', password: 'admin' });
  await first.post('users/change_password', {
    login: 'admin',
    previousPassword: 'admin',
    password: facts.adminPassword,
  });
  return facts;
}

async function describe(
  base: { version: string; java: string; instance: string; keep: boolean },
  cache: string,
  running: { url: string; pid: number },
  facts: Seeded,
  known?: Tokens,
): Promise<RealServer> {
  const { version, java, instance, keep } = base;
  const admin = { login: 'admin', password: facts.adminPassword };
  const viewer = { login: 'real-viewer', password: facts.viewerPassword };
  const api = connect(running.url, admin);
  await waitForIndex(api);
  const tokens = known ?? (await mintTokens(running.url, admin, viewer));
  return {
    version,
    url: running.url,
    adminToken: tokens.admin,
    tokens,
    admin,
    viewer,
    api: connect(running.url, { token: tokens.admin }),
    runtime: { cache, instance, java },
    stop: async () => {
      await endProcess(running.pid, instance);
      if (!keep) await fs.rm(instance, { recursive: true, force: true });
    },
  };
}

/** The server of this version that `start` left running, if it is. */
export async function attach(version: string): Promise<RealServer | undefined> {
  const cache = await cacheDirectory();
  const instance = path.join(cache, 'instances', `kept-${version}`);
  const record = await readRecord(instance);
  if (!record || !isServer(record.pid, instance)) return undefined;
  const tokensFile = path.join(instance, 'tokens.json');
  if (!existsSync(tokensFile)) return undefined;
  const read = async (file: string): Promise<unknown> =>
    JSON.parse(await fs.readFile(path.join(instance, file), 'utf8'));
  const java = await findJava(version, () => undefined);
  const facts = (await read('facts.json')) as Seeded;
  return describe({ version, java, instance, keep: true }, cache, record, facts, (await read('tokens.json')) as Tokens);
}

function exportsOf(server: RealServer): string {
  const lines: Record<string, string> = {
    SONAR_HOST_URL: server.url,
    SONAR_TOKEN: server.tokens.admin,
    SONAR_VIEWER_TOKEN: server.tokens.viewer,
    SONAR_GLOBAL_ANALYSIS_TOKEN: server.tokens.globalAnalysis,
    SONAR_PROJECT_ANALYSIS_TOKEN: server.tokens.projectAnalysis,
    SONAR_EXPIRING_TOKEN: server.tokens.expiring,
    SONAR_REVOKED_TOKEN: server.tokens.revoked,
    SONAR_ADMIN_PASSWORD: server.admin.password,
  };
  return Object.entries(lines)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}

async function main(args: string[]): Promise<number> {
  const [command = '', wanted = 'newest'] = args;
  const version = wanted in VERSIONS ? VERSIONS[wanted as keyof typeof VERSIONS] : wanted;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const begun = Date.now();
  const log: Log = (line) => process.stderr.write(`[${seconds(begun).padStart(7)}] ${line}\n`);
  const running = ['start', 'status', 'env'].includes(command) ? await attach(version) : undefined;
  switch (command) {
    case 'start': {
      const server = running ?? (await startServer({ version, log, keep: true }));
      process.stdout.write(exportsOf(server));
      return 0;
    }
    case 'env':
      if (!running) break;
      process.stdout.write(exportsOf(running));
      return 0;
    case 'status':
      if (!running) break;
      log(`SonarQube ${version} runs at ${running.url}`);
      return 0;
    case 'stop': {
      const instance = path.join(await cacheDirectory(), 'instances', `kept-${version}`);
      const record = await readRecord(instance);
      if (!record) break;
      if (isServer(record.pid, instance)) await endProcess(record.pid, instance);
      await fs.rm(instance, { recursive: true, force: true });
      log(`SonarQube ${version} is stopped`);
      return 0;
    }
    case 'seed': {
      const server = await startServer({ version, log });
      await server.stop();
      return 0;
    }
    default:
      process.stderr.write('usage: node test/real/server.ts start|stop|status|env|seed [VERSION|newest|oldest]\n');
      return 2;
  }
  log(`SonarQube ${version} is not running`);
  return 3;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
}
