/** The pace of requests: how it follows a server that is as quick as its load allows. */
import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

const flat = (pace: Pace, count: number, ms = 40): void => {
  for (let n = 0; n < count; n += 1) pace.note({ kind: 'issues', ms, ok: true });
};

test('it starts low, doubles while latency is flat, and stops at the ceiling', () => {
  const pace = new Pace({ most: 8 });
  expect(pace.target).toBe(3);
  flat(pace, 3);
  expect(pace.target).toBe(6);
  flat(pace, 6);
  expect(pace.target).toBe(8);
  flat(pace, 100);
  expect(pace.target).toBe(8);
});

test('it backs off when answers slow down, to one request at the least, and grows again one by one', () => {
  const pace = new Pace({ most: 8, start: 8 });
  flat(pace, 20);
  flat(pace, 100, 800);
  expect(pace.target).toBe(1);
  flat(pace, 20);
  expect(pace.target).toBeGreaterThan(3);
  expect(pace.target).toBeLessThanOrEqual(8);
});

test('429, 5xx and silence halve it; requests that fail together count once', () => {
  const pace = new Pace({ most: 16, start: 16 });
  const fail = (): void => pace.note({ kind: 'issues', ms: 5, ok: false });
  for (let n = 0; n < 16; n += 1) fail();
  expect(pace.target).toBe(8);
  fail();
  expect(pace.target).toBe(4);
});

test('a large answer that takes long is not a slow server', () => {
  const pace = new Pace({ most: 8 });
  for (let n = 0; n < 100; n += 1) {
    pace.note({ kind: 'issues 9', ms: 400, ok: true });
    pace.note({ kind: 'issues 2', ms: 20, ok: true });
  }
  expect(pace.target).toBe(8);
});

test('a lower ceiling counts at once, and no more requests than the target are in flight', async () => {
  const pace = new Pace({ most: 8, start: 8 });
  pace.most = 3;
  let inFlight = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 30 }, () =>
      pace.run(async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
      }),
    ),
  );
  expect(most).toBe(3);
});

test('a server that takes two at once is not asked much more: latency that grows with load bounds it', () => {
  const pace = new Pace({ most: 64 });
  for (let n = 0; n < 2000; n += 1) pace.note({ kind: 'issues', ms: 50 * Math.max(1, pace.target / 2), ok: true });
  expect(pace.target).toBeGreaterThanOrEqual(2);
  expect(pace.target).toBeLessThanOrEqual(8);
});
