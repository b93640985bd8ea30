import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LedgerState, Look, ProjectRef } from '../protocol/sync.ts';
import { planPass, selects } from './plan.ts';

const project = (key: string, fingerprint = '1'): ProjectRef => ({ key, fingerprint, notes: {} });
const look = (...touched: string[]): Look => ({ touched: new Set(touched), whole: true, total: 0 });
const NOW = new Date('2026-01-10T00:00:00Z');
const known = (
  fingerprint: string,
  state: LedgerState,
  { shape = 's', full = fingerprint, hoursAgo = 1, present = 5000 } = {},
) => {
  const then = new Date(NOW.getTime() - hoursAgo * 3_600_000);
  return {
    cursors: new Map([['p', { fingerprint, full, shape }]]),
    checked: new Map([['p', { state, checkedAt: then, fullReadAt: then, present }]]),
  };
};
const nothingKnown = { cursors: new Map(), checked: new Map() };
type Case = [
  projects: ProjectRef[],
  known: Parameters<typeof planPass>[1],
  look: Look,
  audit?: 'recent' | 'full-if-changed',
  full?: boolean,
];

describe('plan', () => {
  test.each<[string, Case, 'full' | 'recent' | 'nothing']>([
    ['a new project', [[project('p')], nothingKnown, look()], 'full'],
    ['an unchanged one', [[project('p')], known('1', 'complete'), look()], 'nothing'],
    ['a changed one', [[project('p', '2')], known('1', 'complete'), look()], 'recent'],
    [
      'a changed one that one answer shows whole',
      [[project('p', '2')], known('1', 'complete', { present: 500 }), look()],
      'full',
    ],
    ['one that people touched', [[project('p')], known('1', 'complete'), look('p')], 'recent'],
    [
      'a look that did not reach its end',
      [[project('p')], known('1', 'complete'), { ...look(), whole: false }],
      'recent',
    ],
    ['one that fell short', [[project('p')], known('1', 'short'), look()], 'full'],
    ['one that was moving', [[project('p')], known('1', 'moving'), look()], 'full'],
    ['one that is suspect', [[project('p')], known('1', 'suspect'), look()], 'full'],
    ['one that was closed to the token', [[project('p')], known('1', 'unreadable'), look()], 'full'],
    ['everything asked for', [[project('p')], known('1', 'complete'), look(), 'recent', true], 'full'],
    [
      'one whose rows would come out differently now',
      [[project('p')], known('1', 'complete', { shape: 'old' }), look()],
      'full',
    ],
    [
      'a day later, where no date tells',
      [[project('p')], known('1', 'complete', { hoursAgo: 24 }), look(), 'recent'],
      'recent',
    ],
    ['a day later, unchanged', [[project('p')], known('1', 'complete', { hoursAgo: 24 }), look()], 'nothing'],
    [
      'a day later, changed since it was read whole',
      [[project('p')], known('1', 'complete', { full: '0', hoursAgo: 24 }), look()],
      'full',
    ],
    [
      'an hour later, changed since it was read whole',
      [[project('p')], known('1', 'complete', { full: '0' }), look()],
      'nothing',
    ],
  ])('%s', (_, input, expected) => {
    const [projects, memory, seen, audit = 'full-if-changed', everything = false] = input;
    const wishes = { full: everything, auditHours: 24, now: NOW };
    const { full, recent } = planPass(projects, memory, seen, { shape: 's', audit, wholeUpTo: 500 }, wishes);
    expect([full.length, recent.length]).toEqual([expected === 'full' ? 1 : 0, expected === 'recent' ? 1 : 0]);
  });
});

describe('selects', () => {
  test('wildcards are the only special characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (key) => {
        const pattern = key.replaceAll(/[*?]/g, '?');
        expect(selects([pattern], [])(key)).toBe(true);
        expect(selects([], [pattern])(key)).toBe(false);
      }),
    );
  });

  test.each([
    ['team:*', 'team:api', true],
    ['team:*', 'other:api', false],
    ['a.c', 'abc', false],
    ['a?c', 'abc', true],
  ])('%s takes %s: %s', (pattern, key, expected) => {
    expect(selects([pattern], [])(key)).toBe(expected);
  });

  test('excluding is stronger than including, and no pattern takes everything', () => {
    expect(selects([], [])('any')).toBe(true);
    expect(selects(['a*'], ['ab*'])('abc')).toBe(false);
  });
});
