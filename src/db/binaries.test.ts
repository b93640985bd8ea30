import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { copyFor, findBinaries } from './binaries.ts';
import { mayEnter, serverUser, type SystemUser } from './system-user.ts';

const NOBODY: SystemUser = { name: 'nobody', uid: 65534, gid: 65534 };

let folder: string;
let native: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'soundings-binaries-'));
  native = join(folder, 'closed', 'native');
  for (const part of ['bin', 'lib', 'share']) await mkdir(join(native, part), { recursive: true, mode: 0o700 });
  await writeFile(join(native, 'bin', 'postgres'), 'program', { mode: 0o700 });
  await writeFile(join(native, 'lib', 'libpq.so.5.18'), 'library', { mode: 0o600 });
  await writeFile(join(native, 'lib', 'libpq.a'), 'for compilers');
  await symlink('libpq.so.5.18', join(native, 'lib', 'libpq.so.5'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'open'));
  await chmod(join(folder, 'open'), 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const copy = (): Promise<string> =>
  copyFor(NOBODY, { native, version: '18.9' }, [join(folder, 'closed'), join(folder, 'open')]);

it('programs under a closed folder are copied once to one that may be entered, links as links', async () => {
  await chmod(join(folder, 'closed'), 0o700);
  const [first, second] = await Promise.all([copy(), copy()]);
  expect(first).toBe(second);
  expect(first.startsWith(join(folder, 'open', 'soundings-postgresql-18.9-'))).toBe(true);
  expect(await mayEnter(join(first, 'bin', 'postgres'), NOBODY)).toBe(true);
  expect((await lstat(join(first, 'lib', 'libpq.so.5.18'))).mode & 0o777).toBe(0o644);
  expect(await readlink(join(first, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  expect(await readdir(join(first, 'lib'))).not.toContain('libpq.a');
  expect(await readdir(join(folder, 'open')), 'nothing half made stays').toHaveLength(1);
});

it('a folder that others could have made is not trusted', async () => {
  const target = await copy();
  await writeFile(join(target, 'bin', 'postgres'), 'swapped');
  await chmod(target, 0o777);
  await chmod(join(folder, 'closed'), 0o700);
  await expect(copy()).rejects.toThrow(/“nobody” may not enter, and could not be copied/);
});

it('the package of this platform is found, with its version', async () => {
  const found = await findBinaries(undefined);
  expect(found.version.startsWith(`${found.major}.`)).toBe(true);
  expect((await readFile(found.postgres)).subarray(1, 4).toString()).toBe('ELF');
});

it.runIf(process.getuid?.() === 0)(
  'root hands the server to postgres, else to nobody, else says what to do',
  async () => {
    const passwd = join(folder, 'passwd');
    await writeFile(passwd, 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65533::/:\npostgres:x:101:104::/:\n');
    expect(await serverUser(join(folder, 'none'), passwd)).toEqual({ name: 'postgres', uid: 101, gid: 104 });
    await writeFile(passwd, 'nobody:x:65534:65533::/:\n');
    expect(await serverUser(join(folder, 'none'), passwd)).toEqual({ name: 'nobody', uid: 65534, gid: 65533 });
    await writeFile(passwd, 'root:x:0:0::/:/bin/sh\n');
    await expect(serverUser(join(folder, 'none'), passwd)).rejects.toThrow(/add one, run this as a normal user/);
  },
);
