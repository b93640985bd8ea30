import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../protocol/errors.ts';
import { KeyRing, type Binding } from './key-ring.ts';
import { newKey } from './keys.ts';

const place: Binding = { connection: 3, credential: 14, field: 'token' };
const TOKEN = 'squ_0123456789abcdef';
/** Opens nothing, and says so in these words. */
const locked = (attempt: () => string, message: RegExp) => {
  let thrown: unknown;
  try {
    attempt();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConnectorError);
  expect(thrown).toMatchObject({ code: 'vault_locked', message });
};

const binding = fc.record({ connection: fc.nat(), credential: fc.nat(), field: fc.string() });

describe('what is sealed opens again', () => {
  const ring = KeyRing.of([newKey()]);

  test('any text, in any place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), binding, (plain, where) => {
        const sealed = ring.seal(plain, where);
        expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]{22,}$/);
        expect(ring.open(sealed, where)).toBe(plain);
      }),
    );
  });

  test('but looks different each time, and shows nothing of the text', () => {
    const sealed = Array.from({ length: 50 }, () => ring.seal(TOKEN, place));
    expect(new Set(sealed).size).toBe(50);
    expect(sealed.join('')).not.toContain(TOKEN);
  });

  test('and only where it belongs', () => {
    fc.assert(
      fc.property(binding, binding, (here, there) => {
        fc.pre(JSON.stringify(here) !== JSON.stringify(there));
        locked(() => ring.open(ring.seal(TOKEN, here), there), /altered, or copied from another row/);
      }),
    );
    for (const other of [{ connection: 4 }, { credential: 15 }, { field: 'client_key' }]) {
      locked(() => ring.open(ring.seal(TOKEN, place), { ...place, ...other }), /copied/);
    }
  });
});

describe('what was tampered with stays shut', () => {
  const ring = KeyRing.of([newKey()]);

  test('every single character counts', () => {
    const sealed = ring.seal(TOKEN, place);
    for (let at = 0; at < sealed.length; at += 1) {
      for (const other of ['A', 'B', '0', '1', '_', '.', '=', ' ', '']) {
        if (sealed[at] === other) continue;
        const altered = sealed.slice(0, at) + other + sealed.slice(at + 1);
        locked(() => ring.open(altered, place), /./);
      }
    }
  });

  test.each(['', 'v1', TOKEN, 'v1.00000000..', 'v2.00000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA', 'v1....'])(
    'what is not sealed at all is named, not shown: %j',
    (text) => {
      locked(() => ring.open(text, place), /does not have the form/);
      locked(() => KeyRing.keyIdOf(text), /^[^_]*$/);
    },
  );

  test('parts of two sealed texts do not go together', () => {
    const [one, two] = [ring.seal(TOKEN, place).split('.'), ring.seal(TOKEN, place).split('.')];
    locked(() => ring.open([one[0], one[1], one[2], two[3]].join('.'), place), /altered/);
  });
});

describe('keys change', () => {
  const [old, current, other] = [newKey(), newKey(), newKey()];
  const before = KeyRing.of([old]);
  const after = KeyRing.of([current, old]);

  test('the first seals, all open', () => {
    const sealed = before.seal(TOKEN, place);
    expect(after.open(sealed, place)).toBe(TOKEN);
    expect(KeyRing.keyIdOf(sealed)).toBe(before.currentId);
    expect(KeyRing.keyIdOf(after.seal(TOKEN, place))).toBe(after.currentId);
    expect(after.ids).toEqual([after.currentId, before.currentId]);
  });

  test('a key that is not here is named by its id', () => {
    const sealed = after.seal(TOKEN, place);
    locked(() => before.open(sealed, place), new RegExp(`key ${after.currentId}.*SOUNDINGS_KEY`));
    // another key under the same id would not open it either
    const forged = sealed.replace(after.currentId, KeyRing.of([other]).currentId);
    locked(() => KeyRing.of([other]).open(forged, place), /altered/);
  });

  test('ids are stable, and a key given twice counts once', () => {
    const key = Buffer.alloc(32, 7);
    expect(KeyRing.of([key]).currentId).toBe(KeyRing.of([Buffer.from(key)]).currentId);
    expect(KeyRing.of([key, old, key]).ids).toHaveLength(2);
    expect(key.toString('hex')).not.toContain(KeyRing.of([key]).currentId);
  });

  test('a key ring shows no key', () => {
    expect(JSON.stringify(after)).toBe(JSON.stringify({ currentId: after.currentId, ids: after.ids }));
  });

  test('a key of another length is a fault of the caller', () => {
    for (const length of [0, 16, 31, 33]) expect(() => KeyRing.of([Buffer.alloc(length)])).toThrow(/32 bytes/);
    expect(() => KeyRing.of([])).toThrow(/needs a key/);
  });
});
