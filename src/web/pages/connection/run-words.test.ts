import { describe, expect, test } from 'vitest';
import { EXIT_CODES } from '../../../protocol/errors.ts';
import { NO_PROGRESS } from '../../../protocol/progress.ts';
import {
  ratesOf,
  remedyOf,
  sampled,
  sampleOf,
  secondsLeft,
  secondsOf,
  streamsOf,
  written,
  type Sample,
} from './run-words.ts';

const AT = Date.parse('2026-11-24T12:00:00.000Z');
const at = (seconds: number): string => new Date(AT + seconds * 1000).toISOString();

test('how long it took, or takes', () => {
  expect(secondsOf({ started_at: null, ended_at: null }, AT)).toBeNull();
  expect(secondsOf({ started_at: at(-5), ended_at: null }, AT)).toBe(5);
  expect(secondsOf({ started_at: at(-5), ended_at: at(-2) }, AT)).toBe(3);
  // this browser's clock may be behind the server's
  expect(secondsOf({ started_at: at(5), ended_at: null }, AT)).toBe(0);
});

describe('rates', () => {
  const sample = (seconds: number, rows: number, requests: number): Sample => ({
    at: AT + seconds * 1000,
    rows,
    requests,
  });

  test('are those of the last seconds, not of the whole run', () => {
    let samples: readonly Sample[] = [];
    for (const one of [sample(0, 0, 0), sample(10, 10, 1), sample(25, 5_010, 26), sample(30, 10_010, 51)])
      samples = sampled(samples, one);
    expect(samples).toHaveLength(3);
    expect(ratesOf(samples)).toEqual({ rows: 500, requests: 2.5 });
  });

  test('are not known from one sample, nor from two of the same moment', () => {
    expect(ratesOf([])).toBeNull();
    expect(ratesOf([sample(0, 5, 5)])).toBeNull();
    expect(ratesOf(sampled([sample(0, 0, 0)], sample(0, 9, 9)))).toBeNull();
  });

  test('begin anew when the run does', () => {
    expect(sampled([sample(0, 500, 50)], sample(5, 0, 0))).toEqual([sample(5, 0, 0)]);
  });

  test('count the rows of every stream', () => {
    const stream = { expected: null, read: 3, added: 1, changed: 1, gone: 1 };
    const progress = { ...NO_PROGRESS, requests: 7, streams: { issues: stream, hotspots: stream } };
    expect(sampleOf(progress, AT)).toEqual(sample(0, 6, 7));
    expect(written(progress)).toEqual({ added: 2, changed: 2, gone: 2 });
  });
});

test.each([
  [{ done: 10, total: 40 }, 20, 60],
  [{ done: 40, total: 40 }, 20, 0],
  [{ done: 1, total: 2 }, 20, null],
  [{ done: 2, total: 2 }, 20, 0],
  [{ done: 0, total: 0 }, 20, null],
  [{ done: 10, total: null }, 20, null],
  [{ done: 10, total: 40 }, null, null],
  [{ done: 41, total: 40 }, 20, null],
])('%j after %s s: %s s more', (projects, seconds, expected) => {
  expect(secondsLeft({ projects, phase: 'reading' }, seconds)).toBe(expected);
});

test('every code has something that helps', () => {
  for (const code of Object.keys(EXIT_CODES)) expect(remedyOf(code)).toMatch(/\.$/);
});

test('streams stand in the order in which they are read, those of a newer server last', () => {
  const stream = { expected: null, read: 0, added: 0, changed: 0, gone: 0 };
  const streams = { issues: stream, metrics: stream, unheard: stream, projects: stream };
  expect(streamsOf({ streams }).map(([name]) => name)).toEqual(['projects', 'metrics', 'issues', 'unheard']);
});
