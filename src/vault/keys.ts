/** Where keys come from and how they are kept. No error here holds a key, nor what a command printed. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, open, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConnectorError } from '../protocol/errors.ts';
import { KEY_BYTES } from './key-ring.ts';

/** The places a key may be in, first come first used. */
export interface KeySource {
  /** SOUNDINGS_KEY: keys, the current one first, separated by commas or blanks. */
  readonly inline?: string;
  /** SOUNDINGS_KEY_COMMAND: a shell command that prints the keys, for a secret store. */
  readonly command?: string;
  readonly file: string;
}

const COMMAND_LIMIT_MS = 30_000;
const MAX_OUTPUT = 64 * 1024;
const HEADING =
  '# The first key seals the secrets in the database, every key here opens them. Without them they are lost: keep a copy.';

export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

export function encodeKey(key: Buffer): string {
  return key.toString('base64');
}

/** The keys, the current one first; null when nothing else was given and there is no key file yet. */
export async function loadKeys(source: KeySource, limitMs = COMMAND_LIMIT_MS): Promise<Buffer[] | null> {
  const { inline, command, file } = source;
  if (inline?.trim()) return parseKeys(inline, 'SOUNDINGS_KEY');
  if (command?.trim()) return parseKeys(await outputOf(command, limitMs), 'what SOUNDINGS_KEY_COMMAND prints');
  const text = await readKeyFile(file);
  return text === null ? null : parseKeys(text, `the key file ${file}`);
}

/** The keys that are in the key file by now: another process may have added one. None when it cannot be read. */
export function rereadKeyFile(file: string): Buffer[] {
  try {
    return parseKeys(readFileSync(file, 'utf8'), `the key file ${file}`);
  } catch {
    return [];
  }
}

/** Makes a key file unless there is one; returns the key that is in it. Of two that start at once, both use one key. */
export async function makeKeyFile(file: string): Promise<Buffer> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await writeAll(handle, `${HEADING}\n${encodeKey(newKey())}\n`);
      await link(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(file);
  } catch (error) {
    // a link, unlike a rename, fails when the file is there already
    if (codeOf(error) !== 'EEXIST') {
      throw new ConnectorError(
        'invalid_arguments',
        `The key file ${file} cannot be made (${codeOf(error)}); make its folder writable, or give a key by SOUNDINGS_KEY.`,
      );
    }
  }
  const [key] = (await loadKeys({ file })) ?? [];
  if (!key) throw new ConnectorError('conflict', `The key file ${file} was removed while it was made; try again.`);
  return key;
}

/** Makes a key the current one of a key file and keeps the ones before it. */
export async function addKeyToFile(file: string, key: Buffer): Promise<void> {
  const target = await realpath(file).catch(() => file);
  // holds others off from before the reading until the renaming, which removes it: no key that somebody adds is lost
  const next = `${target}.new`;
  const handle = await open(next, 'wx', 0o600).catch((error: unknown) => {
    throw codeOf(error) === 'EEXIST'
      ? new ConnectorError(
          'conflict',
          `Another process is changing the key file ${file}, or was stopped while it did; if none is running, remove ${next} and try again.`,
        )
      : notChanged(file, error);
  });
  try {
    const before = await readKeyFile(target);
    if (before === null) {
      throw new ConnectorError('invalid_arguments', `There is no key file ${file} to which a key could be added.`);
    }
    parseKeys(before, `the key file ${file}`);
    await keepOwner(handle, target);
    await writeAll(handle, `${encodeKey(key)}\n${before}`);
    await rename(next, target);
    await syncFolder(target);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(next, { force: true });
    throw error instanceof ConnectorError ? error : notChanged(file, error);
  }
}

function notChanged(file: string, error: unknown): ConnectorError {
  return new ConnectorError(
    'invalid_arguments',
    `The key file ${file} cannot be changed (${codeOf(error)}); it is as it was. Make it and its folder writable.`,
  );
}

/** Everything in the file, null without one; refuses one that other users of the machine can read. */
async function readKeyFile(file: string): Promise<string | null> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw unreadable(file, error);
  }
  try {
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ConnectorError(
        'invalid_arguments',
        `The key file ${file} is open to other users of this machine (mode ${(mode & 0o777).toString(8)}); run "chmod 600 ${file}".`,
      );
    }
    return await handle.readFile('utf8');
  } catch (error) {
    throw error instanceof ConnectorError ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, error: unknown): ConnectorError {
  return new ConnectorError(
    'invalid_arguments',
    `The key file ${file} cannot be read (${codeOf(error)}); give this program's user the right to read it, or another path.`,
  );
}

function parseKeys(text: string, where: string): Buffer[] {
  const words = text
    .replace(/#.*$/gm, '')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  if (words.length === 0) {
    throw new ConnectorError(
      'invalid_arguments',
      `There is no key in ${where}; a key is made by "openssl rand -base64 32".`,
    );
  }
  return words.map((word, index) => {
    if (/^[0-9a-f]{64}$/i.test(word)) return Buffer.from(word, 'hex');
    const key = /^[\w+/-]{43}=?$/.test(word) ? Buffer.from(word, 'base64') : null;
    if (key?.length === KEY_BYTES) return key;
    throw new ConnectorError(
      'invalid_arguments',
      `Key ${index + 1} in ${where} is not one (${word.length} characters); a key is 44 characters of base64 or 64 hexadecimal digits, made by "openssl rand -base64 32".`,
    );
  });
}

/** What a command prints; what it says on its standard error goes to ours, for the operator. */
function outputOf(command: string, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    let output = '';
    const end = (problem: string) => {
      clearTimeout(timer);
      child.stdout.destroy();
      reject(new ConnectorError('invalid_arguments', `SOUNDINGS_KEY_COMMAND ${problem}; run it by hand to see why.`));
    };
    const stop = (problem: string) => {
      end(problem);
      try {
        // the whole group: a shell leaves what it started behind
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // it ended by itself meanwhile
      }
    };
    const timer = setTimeout(() => stop(`did not end within ${Math.ceil(limitMs / 1000)} s`), limitMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > MAX_OUTPUT) stop('prints far more than keys');
    });
    child.once('error', (error) => end(`cannot be started (${codeOf(error)})`));
    child.once('close', (status, signal) => {
      if (status !== 0) end(`ended with ${signal ?? `status ${status ?? 'unknown'}`}`);
      clearTimeout(timer);
      resolve(output);
    });
  });
}

/** A file made by root for the user of a service must stay that user's. */
async function keepOwner(handle: FileHandle, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const before = await open(file, 'r');
  try {
    const { uid, gid } = await before.stat();
    await handle.chown(uid, gid);
  } finally {
    await before.close();
  }
}

async function writeAll(handle: FileHandle, text: string): Promise<void> {
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new name in a folder survives a power failure only once the folder is written too; Windows has no such call. */
async function syncFolder(file: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : 'unknown';
}
