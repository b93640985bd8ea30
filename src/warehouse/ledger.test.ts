import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, sawAll, tooMuchGone, type Evidence } from './ledger.ts';

const whole: Evidence = { totalBefore: 10, totalAfter: 10, seen: 10, holes: 0, present: 10 };

describe('judge', () => {
  test('complete is said only when every count agrees', () => {
    fc.assert(
      fc.property(
        fc.record({
          totalBefore: fc.nat(5),
          totalAfter: fc.nat(5),
          seen: fc.option(fc.nat(5)),
          holes: fc.nat(2),
          present: fc.nat(5),
        }),
        (e) => {
          const agrees =
            e.totalBefore === e.totalAfter &&
            (e.seen === null || e.seen + e.holes === e.totalAfter) &&
            e.present + e.holes === e.totalAfter;
          expect(judge(e).state === 'complete').toBe(agrees);
        },
      ),
    );
  });

  test.each<[string, Partial<Evidence>, string]>([
    ['the total moved', { totalAfter: 11 }, 'moving'],
    ['rows could not be read', { seen: 9 }, 'short'],
    ['rows are not here', { present: 9 }, 'short'],
    ['rows are here that the server does not count', { present: 11 }, 'short'],
    ['no total', { totalBefore: null, totalAfter: null, seen: null }, 'short'],
    ['closed to the token', { problem: { state: 'unreadable', reason: '403' } }, 'unreadable'],
    ['rows the server counts and does not have', { seen: 9, present: 9, holes: 1 }, 'complete'],
  ])('%s', (_, change, state) => {
    const verdict = judge({ ...whole, ...change });
    expect(verdict.state).toBe(state);
    expect(verdict.reason === null).toBe(state === 'complete');
  });
});

test('only a read that saw everything, twice counted, may tell what is gone', () => {
  const tally = { ...whole, stream: 'issues', project: 'p', readable: true, keys: new Set<string>() };
  expect(sawAll(tally)).toBe(true);
  expect(sawAll({ ...tally, totalBefore: 9 })).toBe(false);
  expect(sawAll({ ...tally, seen: null })).toBe(false);
  expect(sawAll({ ...tally, seen: 9 })).toBe(false);
  expect(sawAll({ ...tally, seen: 9, holes: 1 })).toBe(false);
  expect(sawAll({ ...tally, problem: { state: 'unreadable', reason: '403' } })).toBe(false);
});

test.each([
  ['issues', 50, 100, false],
  ['issues', 51, 100, true],
  ['issues', 51, 1000, false],
  ['issues', 201, 1000, true],
  ['projects', 2, 3, false],
  ['projects', 3, 20, true],
  ['projects', 3, 30, false],
  ['analyses', 900, 1000, false],
])('%s: %i of %i gone is suspicious: %s', (name, gone, present, expected) => {
  expect(tooMuchGone({ name }, gone, present)).toBe(expected);
});
