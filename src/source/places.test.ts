import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placesFor } from './sonarqube.ts';

test('answers of the usual size are held twelve at a time, long ones in smaller numbers, one of any size', () => {
  expect(placesFor(600 * 1024)).toBe(12);
  expect(placesFor(8 * 1024 * 1024)).toBe(2);
  expect(placesFor(200 * 1024 * 1024)).toBe(1);
  fc.assert(
    fc.property(fc.nat(512 * 1024 * 1024), (bytes) => {
      const places = placesFor(bytes);
      expect(places).toBeGreaterThanOrEqual(1);
      expect(places).toBeLessThanOrEqual(12);
      if (places > 1) expect(places * bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    }),
  );
});
