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
