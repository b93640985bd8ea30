/** What stands before the program: a start of its own for what moves rows, and modules that are compiled once. */
import { chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/index.ts';
import { BUILT, newFolder, removeFolder, run, start } from './program.ts';

let folder: string;
let sim: Simulator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'soundings-bin-'));
  sim = await startSimulator();
});
afterAll(async () => {
  await sim.close();
  await rm(folder, { recursive: true });
});

/** An empty variable is as good as none: the tests' own cache would stand in the way of the program's. */
const env = (home: string) => ({ HOME: home, NODE_COMPILE_CACHE: '' });
const help = (home: string) => run(['--help'], { program: BUILT, env: env(home) });
const everything = (home: string): Promise<string[]> => readdir(home, { recursive: true });

test('compiled modules are kept in the folder of whoever runs it', async () => {
  const home = join(folder, 'own');
  await mkdir(home);
  for (const round of ['first', 'second']) {
    expect(await help(home), round).toMatchObject({ code: 0, stderr: '' });
    expect((await everything(home)).filter((name) => name.startsWith('.cache/soundings/compiled/'))).not.toEqual([]);
  }
});

test('nothing is kept where somebody else could write, or where there is nothing', async () => {
  const foreign = join(folder, 'foreign');
  await mkdir(foreign);
  // who is not root cannot give a folder away, but has none of root's
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(foreign, 65534, 65534);
  expect(await help(isRoot ? foreign : '/tmp')).toMatchObject({ code: 0, stderr: '' });
  expect(await everything(foreign)).toEqual([]);
  expect(await help(join(folder, 'none'))).toMatchObject({ code: 0, stderr: '' });
  expect(await readdir(folder)).not.toContain('none');
});

test('a sync begins again in its own place with a small heap, and stops on Ctrl-C', async () => {
  sim.latency = 1000;
  const dataDir = await newFolder();
  try {
    const sync = start(['sync', '--url', sim.url, '--data-dir', dataDir], {
      program: BUILT,
      token: sim.tokens.admin,
      env: env(folder),
    });
    await expect.poll(() => sim.log.length, { timeout: 60_000 }).toBeGreaterThan(0);
    const words = (await readFile(`/proc/${sync.child.pid}/cmdline`, 'utf8')).split('\0');
    expect(words).toContain('--heap-growing-percent=80');
    expect(await readFile(`/proc/${sync.child.pid}/environ`, 'utf8')).toContain('MALLOC_ARENA_MAX=2');
    sync.child.kill('SIGINT');
    const { code, stderr } = await sync.ended;
    expect(stderr).toContain('Stopping after what is being written');
    expect(code).toBe(130);
  } finally {
    await removeFolder(dataDir);
  }
});
