import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LedgerState, Look, ProjectRef } from '../protocol/sync.ts';
import { planPass, selects } from './plan.ts';

const project = (key: string, fingerprint = '1'): ProjectRef => ({ key, fingerprint, notes: {} });
const look = (...touched: string[]): Look => ({ touched: new Set(touched), whole: true, total: 0 });
const known = (fingerprint: string, state: LedgerState) => ({
  cursors: new Map([['p', { fingerprint }]]),
  states: new Map([['p', state]]),
});

describe('plan', () => {
  test.each<[string, Parameters<typeof planPass>, 'full' | 'recent' | 'nothing']>([
    ['a new project', [[project('p')], { cursors: new Map(), states: new Map() }, look(), false], 'full'],
    ['an unchanged one', [[project('p')], known('1', 'complete'), look(), false], 'nothing'],
    ['a changed one', [[project('p', '2')], known('1', 'complete'), look(), false], 'recent'],
    ['one that people touched', [[project('p')], known('1', 'complete'), look('p'), false], 'recent'],
    [
      'a look that did not reach its end',
      [[project('p')], known('1', 'complete'), { ...look(), whole: false }, false],
      'recent',
    ],
    ['one that fell short', [[project('p')], known('1', 'short'), look(), false], 'full'],
    ['one that was moving', [[project('p')], known('1', 'moving'), look(), false], 'full'],
    ['one that is suspect', [[project('p')], known('1', 'suspect'), look(), false], 'full'],
    ['one that was closed to the token', [[project('p')], known('1', 'unreadable'), look(), false], 'full'],
    ['everything asked for', [[project('p')], known('1', 'complete'), look(), true], 'full'],
  ])('%s', (_, input, expected) => {
    const { full, recent } = planPass(...input);
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
