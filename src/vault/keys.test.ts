import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectorError } from '../protocol/errors.ts';
import { addKeyToFile, encodeKey, loadKeys, makeKeyFile, newKey } from './keys.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'soundings-keys-'));
  file = join(folder, 'key');
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
/** Everything that anybody could print of an error. */
const shown = (error: unknown) => {
  const { message, details, cause, stack } = error as ConnectorError;
  return JSON.stringify([message, details, cause, stack]);
};

describe('keys given', () => {
  test('as base64 with and without its end, or as hexadecimal digits; several', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (bytes) => {
        const key = Buffer.from(bytes);
        const forms = [encodeKey(key), encodeKey(key).slice(0, 43), key.toString('base64url'), key.toString('hex')];
        expect(await loadKeys({ inline: forms.join(', '), file })).toEqual(forms.map(() => key));
        expect(await loadKeys({ inline: ` ${forms.join('\n')}\n`, file })).toEqual(forms.map(() => key));
      }),
      { numRuns: 20 },
    );
  });

  test('inline before command before file; blanks are as good as nothing', async () => {
    const [one, two, three] = [newKey(), newKey(), newKey()];
    await writeFile(file, encodeKey(three), { mode: 0o600 });
    const command = `echo ${encodeKey(two)}`;
    expect(await loadKeys({ inline: encodeKey(one), command, file })).toEqual([one]);
    expect(await loadKeys({ inline: ' ', command, file })).toEqual([two]);
    expect(await loadKeys({ inline: '', command: '', file })).toEqual([three]);
    expect(await loadKeys({ file: join(folder, 'nothing', 'here') })).toBeNull();
  });

  const half = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRW';
  test.each([
    ['too short', half],
    ['too long', `${half}${half}`],
    ['a word', 'correct-horse-battery-staple'],
    ['hexadecimal, one short', 'a'.repeat(63)],
    ['the second of two', `${encodeKey(Buffer.alloc(32, 9))},${half}`],
    ['foreign characters', `${'*'.repeat(43)}=`],
  ])('what is not a key is refused and not shown: %s', async (_, text) => {
    for (const source of [{ inline: text }, { command: `echo '${text}'` }]) {
      const error: unknown = await loadKeys({ ...source, file }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'invalid_arguments', message: /openssl rand -base64 32/ });
      for (const word of text.split(',')) expect(shown(error)).not.toContain(word);
    }
  });
});

describe('a command', () => {
  const secret = encodeKey(Buffer.alloc(32, 5));

  test.each([
    ['fails', `echo ${secret}; exit 3`, /ended with status 3/],
    ['is not there', 'no-such-command-at-all 2>/dev/null', /status 127/],
    ['is killed', `echo ${secret}; kill -9 $$`, /ended with SIGKILL/],
    ['prints nothing', 'true', /There is no key in what SOUNDINGS_KEY_COMMAND prints/],
    ['prints without end', `while :; do echo ${secret}; done`, /prints far more/],
  ])('that %s is named without what it printed', async (_, command, message) => {
    const error: unknown = await loadKeys({ command, file }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid_arguments', message });
    expect(shown(error)).not.toContain(secret);
  });

  test('that does not end is ended, with what it started', async () => {
    const marker = join(folder, 'lives');
    const command = `(sleep 1; touch ${marker}) & sleep 60; echo ${secret}`;
    await expect(loadKeys({ command, file }, 200)).rejects.toMatchObject({ message: /did not end within 1 s/ });
    await new Promise((done) => setTimeout(done, 1300));
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a key file', () => {
  test('is made once, closed to others, in a folder of its own', async () => {
    const inside = join(folder, 'new', 'deep', 'key');
    const key = await makeKeyFile(inside);
    expect(await loadKeys({ file: inside })).toEqual([key]);
    expect(await modeOf(inside)).toBe('600');
    expect(await modeOf(join(folder, 'new', 'deep'))).toBe('700');
    expect(await makeKeyFile(inside)).toEqual(key);
    expect(await readdir(join(folder, 'new', 'deep'))).toEqual(['key']);
  });

  test('made by many at once holds one key, which all of them use', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => makeKeyFile(file)));
    expect(new Set(keys.map(encodeKey)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['key']);
  });

  test('takes a new first key and keeps the old ones and the comments', async () => {
    const [first, second] = [await makeKeyFile(file), newKey()];
    await addKeyToFile(file, second);
    expect(await loadKeys({ file })).toEqual([second, first]);
    expect(await readFile(file, 'utf8')).toContain('# The first key seals');
    expect(await modeOf(file)).toBe('600');
    expect(await readdir(folder)).toEqual(['key']);
  });

  test('behind a link is changed itself', async () => {
    const first = await makeKeyFile(file);
    const name = join(folder, 'link');
    await symlink(file, name);
    const second = newKey();
    await addKeyToFile(name, second);
    expect(await loadKeys({ file })).toEqual([second, first]);
  });

  test('changed by several at once loses no key', async () => {
    const first = await makeKeyFile(file);
    const keys = Array.from({ length: 8 }, newKey);
    const results = await Promise.allSettled(keys.map((key) => addKeyToFile(file, key)));
    const added = keys.filter((_, index) => results[index]?.status === 'fulfilled').map(encodeKey);
    expect(added.length).toBeGreaterThan(0);
    const held = ((await loadKeys({ file })) ?? []).map(encodeKey);
    expect(held.toSorted()).toEqual([...added, encodeKey(first)].toSorted());
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'conflict' });
  });

  test.each([0o640, 0o604, 0o644, 0o660])('that others can read is refused (%o)', async (mode) => {
    const key = await makeKeyFile(file);
    await chmod(file, mode);
    for (const attempt of [loadKeys({ file }), addKeyToFile(file, newKey()), makeKeyFile(file)]) {
      const error: unknown = await attempt.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'invalid_arguments', message: /chmod 600/ });
      expect(shown(error)).not.toContain(encodeKey(key));
    }
    expect(await readdir(folder)).toEqual(['key']);
  });

  test('without a key in it is never filled anew', async () => {
    await writeFile(file, '# nothing\n', { mode: 0o600 });
    await expect(loadKeys({ file })).rejects.toMatchObject({ message: /There is no key in the key file/ });
    await expect(makeKeyFile(file)).rejects.toMatchObject({ message: /There is no key in the key file/ });
    await expect(addKeyToFile(file, newKey())).rejects.toMatchObject({ message: /There is no key in the key file/ });
    expect(await readFile(file, 'utf8')).toBe('# nothing\n');
  });

  test('that cannot be made, read or found is named', async () => {
    await writeFile(file, 'x', { mode: 0o600 });
    const below = join(file, 'key');
    await expect(makeKeyFile(below)).rejects.toMatchObject({ code: 'invalid_arguments', message: /cannot be made/ });
    await expect(loadKeys({ file: below })).rejects.toMatchObject({ message: /cannot be read \(ENOTDIR\)/ });
    await chmod(folder, 0o700);
    await expect(loadKeys({ file: folder })).rejects.toMatchObject({ message: /./ });
    const missing = join(folder, 'missing');
    await expect(addKeyToFile(missing, newKey())).rejects.toMatchObject({ message: /There is no key file/ });
    expect(await readdir(folder)).toEqual(['key']);
  });
});
