import { describe, expect, test } from 'vitest';
import { ago, bytes, counted, duration, percent } from './words.ts';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');

describe('words', () => {
  test.each([
    ['2026-11-24T11:59:58.000Z', 'just now'],
    ['2026-11-24T11:57:00.000Z', '3 minutes ago'],
    ['2026-11-23T12:00:00.000Z', 'yesterday'],
    ['2026-11-24T14:30:00.000Z', 'in 2 hours'],
    ['2026-11-24T12:00:20.000Z', 'in a moment'],
    ['2024-01-01T00:00:00.000Z', '2 years ago'],
  ])('%s is %s', (at, words) => {
    expect(ago(at, NOW)).toBe(words);
  });

  test.each([
    [0, '0 s'],
    [4.4, '4 s'],
    [125, '2 min 5 s'],
    [3_600, '1 h'],
    [90_061, '1 d 1 h'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });

  test('a share is 100 % only when everything is there, and 0 % only when nothing is', () => {
    expect([percent(0, 10), percent(1, 100_000), percent(99_999, 100_000), percent(5, 5), percent(6, 5)]).toEqual([
      0, 1, 99, 100, 100,
    ]);
    expect(percent(0, 0)).toBe(0);
  });

  test('sizes and counts', () => {
    expect([bytes(999), bytes(1_200), bytes(145_000_000)]).toEqual(['999 B', '1.2 kB', '145 MB']);
    expect([counted(1, 'project'), counted(50_000, 'project')]).toEqual(['1 project', '50,000 projects']);
  });
});
