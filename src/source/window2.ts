/**
 * The arithmetic of SonarQube's 10,000 window, pure: seconds, pages, packs of values. `enumerate.ts` does the asking.
 *
 * `p × ps ≤ 10000` is checked before the query runs (10.0 to 26.9); `paging.total` is exact above it. Every sort ends with
 * the key, and `asc=false` reverses all of it, so that two ends of one order reach 20,000 rows without overlap.
 */

/** Results that one query can reach from one end. */
export const WINDOW = 10_000;
/** Rows on a page; the most the server allows, and a divisor of the window. */
export const PAGE_SIZE = 500;

/** Epoch seconds of a date as SonarQube writes it: `2026-11-22T15:40:16+0000`, in the offset of its own time zone. */
export function parseDate(text: string): number {
  const milliseconds = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (Number.isNaN(milliseconds)) throw new RangeError(`not a date: ${text}`);
  return Math.floor(milliseconds / 1000);
}

/** A second as SonarQube takes it in `createdAfter` and `createdBefore`: no milliseconds, no Z, no colon in the offset. */
export function formatSecond(second: number): string {
  return new Date(second * 1000).toISOString().replace(/\.\d{3}Z$/, '+0000');
}

/** How many rows one query reaches and how many fit a page; smaller in tests, so that deep splits are cheap to try. */
export interface Limits {
  readonly window: number;
  readonly pageSize: number;
}

export const LIMITS: Limits = { window: WINDOW, pageSize: PAGE_SIZE };

/** Pages `from` to `to`, both included. */
export function pages(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** The last page that holds row number `row` (from 1), not beyond the window. */
export const pageOf = (row: number, { window, pageSize }: Limits): number =>
  Math.ceil(Math.min(row, window) / pageSize);

/** Rows a page should hold when the server counts `total`. */
export function expectedOn(page: number, total: number, { pageSize }: Limits): number {
  return Math.max(0, Math.min(pageSize, total - (page - 1) * pageSize));
}

/**
 * Which pages cover `total` rows from both ends of one order, when the first `head` and the last `tail` rows are known.
 * Null when the middle lies beyond both windows.
 */
export function bothEnds(
  total: number,
  head: number,
  tail: number,
  limits: Limits,
): { ascending: number[]; descending: number[] } | null {
  if (total > 2 * limits.window) return null;
  const { window, pageSize } = limits;
  const until = total - tail;
  if (head >= until) return { ascending: [], descending: [] };
  const ascending =
    head < window ? pages(Math.floor(head / pageSize) + 1, Math.ceil(Math.min(until, window) / pageSize)) : [];
  const descending =
    until > window
      ? pages(Math.floor(tail / pageSize) + 1, Math.ceil((total - Math.max(head, window)) / pageSize))
      : [];
  return { ascending, descending };
}

/** A value of a dimension and how many rows have it. */
export interface Counted {
  readonly value: string;
  readonly count: number;
}

/** Values that go into one request together. */
export interface Pack {
  readonly values: readonly string[];
  readonly count: number;
}

/** Longest comma list in a URL, in encoded characters: proxies often cut at 8 kB. */
export const LONGEST_LIST = 5000;

/** List parameters split at commas and know no escape: a value with one cannot be named. */
export const isNameable = (value: string): boolean => value !== '' && !value.includes(',');

/** Packs values into lists of at most `most` rows and a URL's length; a value above `most` stands alone. Largest first. */
export function pack(counted: readonly Counted[], most: number, longest = LONGEST_LIST): Pack[] {
  const packs: { values: string[]; count: number; length: number }[] = [];
  for (const { value, count } of [...counted].sort((a, b) => b.count - a.count)) {
    const length = encodeURIComponent(value).length + 3;
    const room = packs.find((one) => one.count + count <= most && one.length + length <= longest);
    if (room) {
      room.values.push(value);
      room.count += count;
      room.length += length;
    } else packs.push({ values: [value], count, length });
  }
  return packs.map(({ values, count }) => ({ values, count }));
}

/** Values in lists that fit a URL. */
export function inLists(values: readonly string[], longest = LONGEST_LIST): string[][] {
  return pack(
    values.map((value) => ({ value, count: 0 })),
    0,
    longest,
  ).map((one) => [...one.values]);
}

/** What is known of one dimension under a filter that counts `total` rows. */
export interface Dimension {
  readonly name: string;
  readonly counted: readonly Counted[];
}

/** Rows that a dimension's nameable values reach. */
export const reach = ({ counted }: Dimension): number =>
  counted.reduce((sum, { value, count }) => (isNameable(value) ? sum + count : sum), 0);

/**
 * The dimension to split by: one that reaches every row in slices that both ends can read, in the fewest requests; else
 * one that reaches every row; else the one that reaches most. Null when no dimension has two values to tell apart.
 */
export function chooseDimension(dimensions: readonly Dimension[], total: number, { window }: Limits): Dimension | null {
  const useful = dimensions.filter(({ counted }) => {
    const nameable = counted.filter(({ value, count }) => isNameable(value) && count > 0);
    return nameable.length > 0 && nameable.every(({ count }) => count < total);
  });
  const rank = (dimension: Dimension): [number, number, number] => {
    const whole = reach(dimension) >= total;
    const largest = Math.max(...dimension.counted.map(({ count }) => count));
    const readable = largest <= 2 * window;
    return [whole && readable ? 0 : whole ? 1 : 2, whole ? 0 : -reach(dimension), dimension.counted.length];
  };
  const ranked = useful.map((dimension) => ({ dimension, rank: rank(dimension) }));
  ranked.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || a.rank[2] - b.rank[2]);
  return ranked[0]?.dimension ?? null;
}
