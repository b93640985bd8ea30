import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inLists } from './lists.ts';

test('every key once and in order, each list within a URL and within its number', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 400 })), fc.integer({ min: 1, max: 100 }), (keys, most) => {
      const lists = inLists(keys, (key) => key, most);
      expect(lists.flat()).toEqual(keys);
      for (const list of lists) {
        expect(list.length).toBeGreaterThan(0);
        expect(list.length).toBeLessThanOrEqual(most);
        if (list.length > 1) expect(encodeURIComponent(list.join(',')).length).toBeLessThanOrEqual(6000);
      }
    }),
  );
});

test('a list is closed when it holds enough, and takes nothing that would make it hold too much', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1 }), (weights) => {
      const lists = inLists(weights, String, 100, { of: (weight) => weight, isFull: (held) => held >= 10, most: 25 });
      const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
      expect(lists.flat()).toEqual(weights);
      for (const [i, list] of lists.entries()) {
        if (list.length > 1) expect(sum(list)).toBeLessThanOrEqual(25);
        if (list.length > 1) expect(sum(list.slice(0, -1))).toBeLessThan(10);
        const next = lists[i + 1];
        if (next && list.length < 100) expect(sum(list) >= 10 || sum(list) + next[0]! > 25).toBe(true);
      }
    }),
  );
});
