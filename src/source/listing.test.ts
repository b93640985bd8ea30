import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reply } from './client.ts';
import { isWhole, readListing, type Listing } from './listing.ts';

const reply: Reply = { bytes: 0, receivedAt: new Date(0), serverDate: null };
const SIZE = 5;

/** Reads a list that `change` may alter before each request; returns what was found and what was emitted. */
async function read(
  list: string[],
  change: (request: number) => void = () => undefined,
): Promise<{ listing: Listing; emitted: Set<string>; requests: number }> {
  const emitted = new Set<string>();
  let requests = 0;
  const listing = await readListing<string>({
    pageSize: SIZE,
    identity: (key) => key,
    fetch: (page) => {
      requests += 1;
      change(requests);
      return Promise.resolve({ total: list.length, records: list.slice((page - 1) * SIZE, page * SIZE), reply });
    },
    emit: ({ records }) => {
      for (const key of records) emitted.add(key);
      return Promise.resolve();
    },
  });
  return { listing, emitted, requests };
}

describe('a paged list', () => {
  test('of any length is read whole, in as many requests as it has pages', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.string(), { maxLength: 40 }), async (list) => {
        const { listing, emitted, requests } = await read(list);
        expect(isWhole(listing)).toBe(true);
        expect(emitted).toEqual(new Set(list));
        expect(requests).toBe(Math.max(1, Math.ceil(list.length / SIZE)));
      }),
    );
  });

  test('that moves while it is read is read again; whole is only said of one that stood still', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (n, at, adds) => {
          const list = Array.from({ length: n }, (_, i) => `k${i}`);
          const { listing, emitted } = await read(list, (request) => {
            if (request !== at) return;
            if (adds) list.unshift('new');
            else list.shift();
          });
          expect(isWhole(listing)).toBe(true);
          for (const key of list) expect(emitted).toContain(key);
        },
      ),
    );
  });

  test('that never stands still is read three times and not called whole', async () => {
    const list = Array.from({ length: 12 }, (_, i) => `k${i}`);
    const { listing, requests } = await read(list, () => void list.shift());
    expect(isWhole(listing)).toBe(false);
    expect(requests).toBeLessThanOrEqual(9);
  });

  test('with rows that are counted and not delivered: they are holes, and the pages after them are read', async () => {
    const list = Array.from({ length: 12 }, (_, i) => `k${i}`);
    const listing = await readListing<string>({
      pageSize: SIZE,
      identity: (key) => key,
      fetch: (page) =>
        Promise.resolve({
          total: 12,
          records: list.slice((page - 1) * SIZE, page * SIZE).filter((key) => key !== 'k2'),
          reply,
        }),
      emit: () => Promise.resolve(),
    });
    expect(listing).toMatchObject({ totalBefore: 12, totalAfter: 12, holes: 1 });
    expect(listing.keys.size).toBe(11);
    expect(isWhole(listing)).toBe(true);
  });
});
