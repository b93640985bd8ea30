import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../protocol/errors.ts';
import {
  canStartAt,
  chooseSplit,
  CLOCK_MARGIN,
  encodedBytes,
  formatSecond,
  lastPage,
  LIMITS,
  listBytes,
  narrow,
  openDimensions,
  pack,
  pageAfter,
  pagesBetween,
  parseDate,
  range,
  reach,
  rowsExpected,
  secondFilter,
  spanFilter,
  type Candidate,
  type Dimension,
} from './window.ts';

describe('dates', () => {
  test('are sent in the one form the server takes', () => {
    expect(formatSecond(1_795_362_016)).toBe('2026-11-22T15:40:16+0000');
  });

  test.each([
    ['2026-11-22T15:40:16+0000', 1_795_362_016],
    ['2026-11-22T17:40:16+0200', 1_795_362_016],
    ['2026-11-22T06:10:16-0930', 1_795_362_016],
    ['2026-11-22T15:40:16Z', 1_795_362_016],
    ['2026-11-22T15:40:16.789+00:00', 1_795_362_016],
    ['1969-12-31T23:59:59+0000', -1],
  ])('%s is read', (text, second) => {
    expect(parseDate(text)).toBe(second);
  });

  test.each(['', '2026-11-22', '2026-11-22T15:40:16', '2026-13-22T15:40:16+0000', 'yesterday'])(
    "'%s' is refused with its text",
    (text) => {
      expect(() => parseDate(text)).toThrow(ConnectorError);
      expect(() => parseDate(text)).toThrow(`'${text}'`);
    },
  );

  test('what is sent is what is read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (second) => {
        expect(parseDate(formatSecond(second))).toBe(second);
      }),
    );
  });

  test('spans are inclusive, exclusive and may be open', () => {
    expect(spanFilter({})).toEqual({});
    expect(spanFilter({ from: 0, until: 60 })).toEqual({
      createdAfter: '1970-01-01T00:00:00+0000',
      createdBefore: '1970-01-01T00:01:00+0000',
    });
  });

  test('a second in the future is named by createdAt, because createdAfter may not lie there', () => {
    expect(canStartAt(1000, 1000 + CLOCK_MARGIN)).toBe(true);
    expect(canStartAt(1001, 1000 + CLOCK_MARGIN)).toBe(false);
    expect(Object.keys(secondFilter(0, 1_000_000))).toEqual(['createdAfter', 'createdBefore']);
    expect(Object.keys(secondFilter(1_000_000, 1_000_000))).toEqual(['createdAt']);
  });
});

describe('pages', () => {
  test('the real server answers 20 pages of 500, and 20,000 rows from both ends', () => {
    expect(lastPage(LIMITS)).toBe(20);
    expect(reach(LIMITS)).toBe(20_000);
  });

  test('a page says how many rows it must hold', () => {
    expect(rowsExpected(1_200, 2, 500)).toBe(500);
    expect(rowsExpected(1_200, 3, 500)).toBe(200);
    expect(rowsExpected(1_200, 4, 500)).toBe(0);
  });

  test.each([
    [0, 1],
    [1, 1],
    [500, 1],
    [501, 2],
    [9_999, 20],
    [10_000, 20],
  ])('after %i known rows comes page %i, which begins on a known row', (known, page) => {
    expect(pageAfter(known, LIMITS)).toBe(page);
  });

  test.each([
    ['nothing', { total: 0, prefix: 0, suffix: 0 }, 0, 0],
    ['one page', { total: 500, prefix: 0, suffix: 0 }, 1, 0],
    ['12,000 from both ends', { total: 12_000, prefix: 0, suffix: 0 }, 20, 4],
    ['more than both ends show', { total: 60_000, prefix: 0, suffix: 0 }, 20, 20],
    ['everything known', { total: 900, prefix: 500, suffix: 400 }, 0, 0],
    ['a list of a crowded second', { total: 12_500, prefix: 5_000, suffix: 5_000 }, 5, 0],
    ['a gap that only one end meets without waste', { total: 12_400, prefix: 5_001, suffix: 5_499 }, 4, 0],
    ['beyond the early end', { total: 60_000, prefix: 55_000, suffix: 0 }, 0, 10],
  ])('%s', (_, ends, ascending, descending) => {
    const pages = pagesBetween(ends, LIMITS);
    expect([pages.ascending.length, pages.descending.length]).toEqual([ascending, descending]);
  });

  test('whatever is known, the pages leave no gap where both ends reach, and waste at most two pages', () => {
    const limits = { ...LIMITS, window: 40, pageSize: 4 };
    fc.assert(
      fc.property(fc.nat(80), fc.nat(80), fc.nat(80), (total, before, after) => {
        const prefix = Math.min(before, total);
        const suffix = Math.min(after, total);
        const { ascending, descending } = pagesBetween({ total, prefix, suffix }, limits);
        const read = new Set([
          ...ascending.flatMap((page) => range((page - 1) * 4, page * 4 - 1)),
          ...descending.flatMap((page) => range(total - page * 4, total - 1 - (page - 1) * 4)),
        ]);
        const gap = range(prefix, total - suffix - 1);
        expect(gap.filter((position) => !read.has(position))).toEqual([]);
        expect(ascending.length + descending.length).toBeLessThanOrEqual(Math.ceil(gap.length / 4) + 2);
        expect(Math.max(0, ...ascending, ...descending)).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe('values', () => {
  test('are sent as a list, "none" by its own parameter, and what the server would take apart not at all', () => {
    const filter = { componentKeys: 'p' };
    expect(narrow(filter, 'rules', ['a:1', 'a:2'])).toEqual({ componentKeys: 'p', rules: 'a:1,a:2' });
    expect(narrow({ componentKeys: 'p,q' }, 'projects', ['q'])).toEqual({ componentKeys: 'q' });
    expect(narrow(filter, 'assignees', [''])).toEqual({ componentKeys: 'p', assigned: 'false' });
    expect(narrow(filter, 'resolutions', [''])).toEqual({ componentKeys: 'p', resolved: 'false' });
    expect(narrow(filter, 'assignees', ['', 'ada'])).toBeNull();
    expect(narrow(filter, 'files', [''])).toBeNull();
    expect(narrow(filter, 'files', ['src/a,b.ts'])).toBeNull();
    expect(narrow(filter, 'files', [' a.ts'])).toBeNull();
    expect(narrow(filter, 'files', ['src/a b"+ü.ts'])).toEqual({ componentKeys: 'p', files: 'src/a b"+ü.ts' });
  });

  test('dimensions in use are closed, and files need a project', () => {
    expect(openDimensions({}, new Set())).not.toContain('files');
    expect(openDimensions({ componentKeys: 'p' }, new Set())).toContain('files');
    const open = openDimensions({ componentKeys: 'p', rules: 'a:1', assigned: 'false' }, new Set<Dimension>(['types']));
    expect(open).toEqual(['projects', 'severities', 'statuses', 'resolutions', 'scopes', 'files', 'directories']);
  });

  test('a list shares the URL with the rest of the filter', () => {
    expect(encodedBytes('a,ü')).toBe(10);
    expect(listBytes({}, 'rules', LIMITS)).toBe(6_000);
    expect(listBytes({ componentKeys: 'x'.repeat(1_000) }, 'rules', LIMITS)).toBe(6_000 - 1_000 - 15);
    expect(listBytes({ componentKeys: 'x'.repeat(6_000) }, 'rules', LIMITS)).toBe(1_500);
    expect(listBytes({ componentKeys: 'x'.repeat(6_000) }, 'projects', LIMITS)).toBe(6_000);
  });

  test('every value is packed once, within rows and bytes, and "none" alone', () => {
    const share = fc.record({ value: fc.string({ maxLength: 12, unit: 'grapheme' }), rows: fc.nat(30) });
    fc.assert(
      fc.property(fc.uniqueArray(share, { selector: (one) => one.value }), (shares) => {
        const lists = pack(shares, { rows: 40, bytes: 60 });
        expect(lists.flat().toSorted(byValue)).toEqual(shares.toSorted(byValue));
        for (const list of lists) {
          if (list.length === 1) continue;
          expect(list.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(40);
          expect(encodedBytes(list.map(({ value }) => value).join(','))).toBeLessThanOrEqual(60);
          expect(list.map(({ value }) => value)).not.toContain('');
        }
      }),
    );
  });

  const byValue = (a: { value: string }, b: { value: string }) => (a.value < b.value ? -1 : 1);
});

describe('the choice of a split', () => {
  const candidate = (
    dimension: Dimension,
    counts: Record<string, number>,
    held: Record<string, number> = {},
  ): Candidate => ({
    dimension,
    counts: new Map(Object.entries(counts)),
    held: new Map(Object.entries(held)),
    done: new Set(),
  });
  const choose = (...candidates: Candidate[]) => chooseSplit(candidates, {}, 50_000, LIMITS);

  test('what brings all with the fewest lists wins', () => {
    const many = Object.fromEntries(range(1, 100).map((i) => [`a:${'x'.repeat(200)}${i}`, 500]));
    const split = choose(
      candidate('rules', many),
      candidate('severities', { MAJOR: 18_000, MINOR: 17_000, INFO: 15_000 }),
    );
    expect(split).toMatchObject({ dimension: 'severities', gain: 50_000, tooBig: [] });
    expect(split?.lists).toHaveLength(3);
  });

  test('values whose rows are all held are left out', () => {
    const split = choose(candidate('rules', { 'a:1': 10_000, 'a:2': 9_000 }, { 'a:1': 10_000, 'a:2': 8_000 }));
    expect(split).toMatchObject({ gain: 1_000, lists: [[{ value: 'a:2', rows: 9_000 }]] });
  });

  test('a value that is too big is split only when no list brings anything, the smallest one first', () => {
    expect(choose(candidate('types', { BUG: 49_000, SMELL: 1_000 }))?.gain).toBe(1_000);
    const split = choose(
      candidate('types', { BUG: 49_000, SMELL: 1_000 }, { SMELL: 1_000 }),
      candidate('rules', { 'a:1': 25_000, 'a:2': 25_000 }),
    );
    expect(split).toMatchObject({ dimension: 'rules', gain: 0, lists: [] });
    expect(split?.tooBig).toHaveLength(2);
  });

  test('a dimension with one value for all, or with none that can be named, splits nothing', () => {
    expect(choose(candidate('types', { BUG: 50_000 }), candidate('files', { 'a,b.ts': 10 }))).toBeNull();
  });
});
