/**
 * Fetches what a real server needs, by name and with Maven as it is configured here: the server and the scanner. And
 * finds a Java to run them.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The versions that the tests run against: the newest, and the oldest that takes Bearer tokens. */
export const VERSIONS = { newest: '26.9.0.129388', oldest: '10.0.0.68432' } as const;

/** The version of the SonarScanner CLI. */
export const SCANNER_VERSION = '8.1.0.6389';

/** Receives one line about what is going on. */
export type Log = (line: string) => void;

/** The account that runs the server when the caller is root: its search engine refuses root. */
export const RUN_USER = process.env['SOUNDINGS_REAL_USER'] ?? 'nobody';

/** True when this process is root, so that servers run as another user. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** User and group id that the server gets, when the caller is root. */
export async function runUserIds(): Promise<{ uid: number; gid: number } | undefined> {
  if (!isRoot()) return undefined;
  const { stdout } = await run('id', ['-u', RUN_USER]).catch(() => {
    throw new Error(
      `There is no user "${RUN_USER}" to run SonarQube as (it refuses root): name another in SOUNDINGS_REAL_USER.`,
    );
  });
  const group = await run('id', ['-g', RUN_USER]);
  return { uid: Number(stdout), gid: Number(group.stdout) };
}

async function everyoneMayEnter(directory: string): Promise<boolean> {
  for (let at = directory; ; at = path.dirname(at)) {
    const stat = await fs.stat(at).catch(() => undefined);
    if (stat && (stat.mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

/**
 * The folder that keeps downloads, seeded databases and running instances. For root it is one that another user may
 * enter, because the server does not run as root.
 */
export async function cacheDirectory(): Promise<string> {
  const chosen = process.env['SOUNDINGS_REAL_CACHE'];
  if (chosen) {
    const directory = path.resolve(chosen);
    await fs.mkdir(directory, { recursive: true });
    if (isRoot() && !(await everyoneMayEnter(directory))) {
      throw new Error(
        `SOUNDINGS_REAL_CACHE (${directory}) can't be entered by the user "${RUN_USER}", who runs SonarQube because it refuses root: choose a folder whose parents everybody may enter.`,
      );
    }
    return directory;
  }
  let directory = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'soundings-real');
  if (isRoot() && !(await everyoneMayEnter(directory))) directory = '/var/tmp/soundings-real';
  await fs.mkdir(directory, { recursive: true });
  return directory;
}

function need(program: string, debianPackage: string): void {
  for (const directory of (process.env['PATH'] ?? '').split(path.delimiter)) {
    if (existsSync(path.join(directory, program))) return;
  }
  throw new Error(`"${program}" is needed to run a real SonarQube Server (Debian: apt-get install ${debianPackage}).`);
}

/** Runs Maven's dependency:copy for one artifact and gives the path of the file. */
async function mavenCopy(artifact: string, directory: string): Promise<string> {
  need('mvn', 'maven');
  await fs.mkdir(directory, { recursive: true });
  const [, name = '', version = '', type = 'jar'] = artifact.split(':');
  try {
    await run('mvn', ['-B', '-q', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`], {
      cwd: directory,
      maxBuffer: 1 << 26,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`Maven could not fetch ${artifact}: ${`${stdout}${stderr}`.trim().slice(-600)}`, { cause: error });
  }
  return path.join(directory, `${name}-${version}.${type}`);
}

/** A folder beside the final one, to be filled and then renamed, so that nobody ever sees half of it. */
async function scratch(target: string): Promise<string> {
  await fs.mkdir(path.dirname(target), { recursive: true });
  return fs.mkdtemp(`${target}.part-`);
}

async function moveInPlace(part: string, target: string): Promise<void> {
  try {
    await fs.rename(part, target);
  } catch (error) {
    if (!existsSync(target)) throw error; // another run was quicker: its copy is as good
  }
}

/** Downloads and unpacks a SonarQube Server unless it is there; gives its home directory. */
export async function installServer(cache: string, version: string, log: Log): Promise<string> {
  const home = path.join(cache, 'server', version);
  if (existsSync(home)) return home;
  need('unzip', 'unzip');
  const started = Date.now();
  log(`fetching SonarQube ${version} with Maven (300 to 950 MB)`);
  const part = await scratch(home);
  try {
    const zip = await mavenCopy(`org.sonarsource.sonarqube:sonar-application:${version}:zip`, path.join(part, 'zip'));
    // the runtimes that it offers to scanners (300 MB) are not used here
    await run('unzip', ['-q', zip, '-d', part, '-x', '*/jres/*', '*/bin/windows*'], { maxBuffer: 1 << 26 });
    const unpacked = path.join(part, `sonarqube-${version}`);
    await fs.mkdir(path.join(unpacked, 'jres'), { recursive: true });
    const user = await runUserIds();
    // the server creates folders in its own home
    if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, path.join(unpacked, 'extensions')]);
    await fs.chmod(unpacked, 0o755);
    await moveInPlace(unpacked, home);
  } finally {
    await fs.rm(part, { recursive: true, force: true });
  }
  log(`fetched and unpacked in ${seconds(started)}`);
  return home;
}

/** Downloads and unpacks the SonarScanner CLI unless it is there; gives its jar. */
export async function installScanner(cache: string, log: Log): Promise<string> {
  const home = path.join(cache, 'scanner', SCANNER_VERSION);
  const jar = path.join(home, 'lib', `sonar-scanner-cli-${SCANNER_VERSION}.jar`);
  if (existsSync(jar)) return jar;
  need('unzip', 'unzip');
  log(`fetching SonarScanner CLI ${SCANNER_VERSION} with Maven`);
  const part = await scratch(home);
  try {
    const artifact = `org.sonarsource.scanner.cli:sonar-scanner-cli:${SCANNER_VERSION}:zip`;
    const zip = await mavenCopy(artifact, path.join(part, 'zip'));
    await run('unzip', ['-q', zip, '-d', part]);
    await moveInPlace(path.join(part, `sonar-scanner-${SCANNER_VERSION}`), home);
  } finally {
    await fs.rm(part, { recursive: true, force: true });
  }
  return jar;
}

/** The Java versions that run a SonarQube, and the modules that a runtime without development tools may lack. */
function javaFor(version: string): { least: number; most: number; modules: string[] } {
  const major = Number(version.split('.')[0]);
  // Elasticsearch 9 refuses to start without these, so a JRE will not do
  if (major >= 26) return { least: 21, most: 25, modules: ['jdk.attach', 'jdk.jdi', 'jdk.jlink'] };
  // Elasticsearch 8 needs the Security Manager, which Java 24 no longer has
  return { least: 17, most: 21, modules: [] };
}

/** The major version of a java binary; undefined when it is none or lacks one of these modules. */
async function javaMajor(java: string, modules: readonly string[]): Promise<number | undefined> {
  try {
    const { stderr, stdout } = await run(java, ['-version']);
    const major = Number(/version "(\d+)/.exec(`${stderr}${stdout}`)?.[1]);
    const list = modules.length > 0 ? (await run(java, ['--list-modules'])).stdout : '';
    return major && modules.every((name) => list.includes(`${name}@`)) ? major : undefined;
  } catch {
    return undefined;
  }
}

async function installedJavas(): Promise<string[]> {
  const found: string[] = [];
  if (process.env['JAVA_HOME']) found.push(path.join(process.env['JAVA_HOME'], 'bin', 'java'));
  for (const directory of (process.env['PATH'] ?? '').split(path.delimiter)) found.push(path.join(directory, 'java'));
  for (const [parent, inside] of [
    ['/usr/lib/jvm', 'bin/java'],
    ['/Library/Java/JavaVirtualMachines', 'Contents/Home/bin/java'],
  ] as const) {
    for (const name of await fs.readdir(parent).catch(() => [])) found.push(path.join(parent, name, inside));
  }
  const real = await Promise.all(found.filter((java) => existsSync(java)).map((java) => fs.realpath(java)));
  return [...new Set(real)];
}

/** A Java that runs this SonarQube: the one of SOUNDINGS_REAL_JAVA, else the oldest suitable one that is installed. */
export async function findJava(version: string, log: Log): Promise<string> {
  const { least, most, modules } = javaFor(version);
  const wanted = `a ${modules.length > 0 ? 'full JDK' : 'Java'} of version ${least} to ${most}`;
  const chosen = process.env['SOUNDINGS_REAL_JAVA'];
  if (chosen) {
    const major = await javaMajor(chosen, modules);
    if (major !== undefined && major >= least && major <= most) return chosen;
    log(`SOUNDINGS_REAL_JAVA (${chosen}) does not suit SonarQube ${version}, which needs ${wanted}: looking further`);
  }
  let best: { java: string; major: number } | undefined;
  for (const java of await installedJavas()) {
    const major = await javaMajor(java, modules);
    if (major === undefined || major < least || major > most) continue;
    if (!best || major < best.major) best = { java, major };
  }
  if (best) return best.java;
  throw new Error(
    `SonarQube ${version} needs ${wanted}${modules.length > 0 ? ` (with the modules ${modules.join(', ')})` : ''}, and none was found ` +
      `in SOUNDINGS_REAL_JAVA, JAVA_HOME, PATH or /usr/lib/jvm. ${
        least > 17
          ? 'Debian 12 packages only 17, Debian 13 has openjdk-21-jdk-headless; elsewhere install Eclipse Temurin 21 or 25.'
          : 'Debian 12: apt-get install openjdk-17-jre-headless.'
      }`,
  );
}

/** How long ago that was, as "12.3 s". */
export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
