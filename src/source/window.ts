/**
 * The arithmetic of the 10,000 window of `issues/search`: dates, pages and value lists. Pure; `enumerate.ts` does the
 * asking. Facts were read from servers 10.0 to 26.9, see the numbers beside the constants.
 */
import { ConnectorError } from '../protocol/errors.ts';

/** A search answers only its first 10,000 results: `p × ps ≤ 10000`, otherwise 400, whatever the total. */
export const WINDOW = 10_000;
/** The largest page (`ps=501` is 400). It divides WINDOW; 300 would reach only 9,900. */
export const PAGE_SIZE = 500;
/** A facet lists its 100 biggest values, plus every value that the request's own filter names. */
export const FACET_VALUES = 100;
/**
 * Encoded bytes that the parameters of one request may take. The server takes 48 kB, but proxies in front of it often
 * end at 8 kB for the whole request line.
 */
export const URL_BYTES = 6_000;
/** What is left for a list of values however long the rest of the filter is (a batch of 100 projects takes 5 kB). */
const LEAST_LIST_BYTES = 1_500;

/** The server's limits; tests make them small to reach deep splits with few rows. */
export interface Limits {
  /** Results a query answers, from either end. */
  readonly window: number;
  /** Rows a page holds; should divide `window`. */
  readonly pageSize: number;
  /** Encoded bytes of one request's parameters. */
  readonly urlBytes: number;
}

export const LIMITS: Limits = { window: WINDOW, pageSize: PAGE_SIZE, urlBytes: URL_BYTES };

/** Request parameters other than s, asc, p, ps and facets; for example `{componentKeys: 'a,b'}`. */
export type Filter = Readonly<Record<string, string>>;

// ------------------------------------------------------------------ dates

/** An epoch second as the server wants dates: `2026-11-22T15:40:16+0000`. It refuses `Z`, milliseconds and `+00:00`. */
export function formatSecond(second: number): string {
  return `${new Date(second * 1000).toISOString().slice(0, 19)}+0000`;
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/;

/**
 * A date of the server in whole epoch seconds. The offset is that of the server's time zone, without a colon (`+0200`).
 * @throws ConnectorError when the text is not a date with time and offset
 */
export function parseDate(text: string): number {
  const milliseconds = DATE.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(milliseconds)) {
    throw new ConnectorError('unexpected', `The server sent '${text}' where a date and time was expected.`);
  }
  return Math.floor(milliseconds / 1000);
}

/** From `from` on (inclusive) and before `until` (exclusive), both epoch seconds; an absent end is open. */
export interface Span {
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

/** A span as parameters: `createdAfter` is inclusive and `createdBefore` exclusive, as long as both have a time. */
export function spanFilter({ from, until }: Span): Filter {
  return {
    ...(from !== undefined && { createdAfter: formatSecond(from) }),
    ...(until !== undefined && { createdBefore: formatSecond(until) }),
  };
}

/** Does a second lie in the span? */
export function isWithin({ from, until }: Span, second: number): boolean {
  return (from === undefined || second >= from) && (until === undefined || second < until);
}

/**
 * Seconds by which a date must lie behind the server's clock before `createdAfter` names it. A later one answers 400
 * "Start bound cannot be in the future", and the clock we know was read a little earlier or elsewhere.
 */
export const CLOCK_MARGIN = 60;

/** May `createdAfter` name this second? Issues of an analysis dated ahead lie in the future. */
export function canStartAt(second: number, now: number): boolean {
  return second <= now - CLOCK_MARGIN;
}

/** Exactly one second: as a span where the server allows, by `createdAt` where it lies in the future. */
export function secondFilter(second: number, now: number): Filter {
  return canStartAt(second, now)
    ? spanFilter({ from: second, until: second + 1 })
    : { createdAt: formatSecond(second) };
}

// ------------------------------------------------------------------ pages

/** Pages of one query that the server answers. */
export function lastPage({ window, pageSize }: Limits): number {
  return Math.floor(window / pageSize);
}

/** Rows that both ends of one sorted query show together: `asc=false` reverses every sort field, the closing key too. */
export function reach(limits: Limits): number {
  return 2 * lastPage(limits) * limits.pageSize;
}

/** Rows that page `page` of `total` must hold; fewer is a hole: the index names a row that the database has lost. */
export function rowsExpected(total: number, page: number, pageSize: number): number {
  return Math.max(0, Math.min(pageSize, total - (page - 1) * pageSize));
}

/**
 * The first page to read when the query's first `known` rows were read before, by another query. It begins on a known
 * row, so that whoever reads it can tell whether rows went missing in between.
 */
export function pageAfter(known: number, limits: Limits): number {
  return Math.min(Math.floor(Math.max(0, known - 1) / limits.pageSize) + 1, lastPage(limits));
}

/** Rows of a sorted query: how many there are, and how many at either end are known already. */
export interface Ends {
  readonly total: number;
  readonly prefix: number;
  readonly suffix: number;
}

export interface Pages {
  /** Pages of the ascending query, then of the descending one. */
  readonly ascending: readonly number[];
  readonly descending: readonly number[];
}

/**
 * The fewest pages that read what lies between two known ends; when `total` is more than both ends can show, all pages
 * of both. Either the early end goes first as far as it must and the late end takes the rest, or the other way round:
 * page borders decide which of them is a page shorter.
 */
export function pagesBetween({ total, prefix, suffix }: Ends, limits: Limits): Pages {
  const { pageSize } = limits;
  const last = lastPage(limits);
  const skip = (known: number) => Math.min(last, Math.floor(known / pageSize));
  const early = skip(prefix);
  const late = skip(suffix);
  if (prefix + suffix >= total) return { ascending: [], descending: [] };

  // how far one end goes when the other one leaves it `rows`, and never less far than it has been already
  const pages = (rows: number, already: number) => Math.max(already, Math.min(last, Math.ceil(rows / pageSize)));
  const rest = (by: number, known: number) => total - Math.max(known, by * pageSize);
  const upTo = pages(total - suffix, early);
  const downAfter = upTo * pageSize >= total - suffix ? late : pages(rest(upTo, prefix), late);
  const downTo = pages(total - prefix, late);
  const upAfter = downTo * pageSize >= total - prefix ? early : pages(rest(downTo, suffix), early);

  const [up, down] = upTo + downAfter <= upAfter + downTo ? [upTo, downAfter] : [upAfter, downTo];
  return { ascending: range(early + 1, up), descending: range(late + 1, down) };
}

/** The whole numbers from `first` to `last`, both included; none when `last` is smaller. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

// ------------------------------------------------------------------ values to split by

/**
 * Properties that every issue has one value of and that `issues/search` both counts (facet of the same name) and filters
 * by. Tags, impacts and standards are no such: an issue has several. Authors cannot be listed, languages lack "none".
 */
export const DIMENSIONS = [
  'projects',
  'severities',
  'types',
  'statuses',
  'resolutions',
  'scopes',
  'assignees',
  'rules',
  'files',
  'directories',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** The parameter that filters by a dimension. `projects` itself is internal; `componentKeys` works from 10.0 to 26.9. */
export function parameterOf(dimension: Dimension): string {
  return dimension === 'projects' ? 'componentKeys' : dimension;
}

/** The filter for "no value", where there is one; it cannot stand in a list with others. */
const WITHOUT: Partial<Record<Dimension, Filter>> = {
  assignees: { assigned: 'false' },
  resolutions: { resolved: 'false' },
};

/**
 * Narrows a filter to the issues that have one of these values; null when the server has no way to say so: lists are
 * split at every comma, escaped or not, and trimmed; "none" exists for a few dimensions only, by itself.
 */
export function narrow(filter: Filter, dimension: Dimension, values: readonly string[]): Filter | null {
  if (values.some((value) => value.includes(',') || value !== value.trim())) return null;
  if (!values.includes('')) return { ...filter, [parameterOf(dimension)]: values.join(',') };
  const without = WITHOUT[dimension];
  return values.length === 1 && without !== undefined ? { ...filter, ...without } : null;
}

/**
 * Dimensions that can still split a filter: those it does not use yet. `files` and `directories` are counted only
 * within projects: 400 "Facet(s) 'files' require to also filter by project".
 */
export function openDimensions(filter: Filter, used: ReadonlySet<Dimension>): Dimension[] {
  return DIMENSIONS.filter((dimension) => {
    if (used.has(dimension)) return false;
    if (dimension === 'projects') return true;
    const needsProject = dimension === 'files' || dimension === 'directories';
    if (needsProject && !('componentKeys' in filter)) return false;
    return [dimension, ...Object.keys(WITHOUT[dimension] ?? {})].every((parameter) => !(parameter in filter));
  });
}

/** Bytes of a text in a URL; a comma between two values takes three (`%2C`). */
export function encodedBytes(text: string): number {
  return encodeURIComponent(text).length;
}

/** Bytes of a URL that are left for a list of values of this dimension. */
export function listBytes(filter: Filter, dimension: Dimension, limits: Limits): number {
  const parameter = parameterOf(dimension);
  const used = Object.entries(filter)
    .filter(([name]) => name !== parameter)
    .reduce((sum, [name, value]) => sum + encodedBytes(name) + encodedBytes(value) + 2, 0);
  return Math.max(limits.urlBytes - used, Math.min(limits.urlBytes, LEAST_LIST_BYTES));
}

/** A value and the rows that have it. */
export interface Share {
  readonly value: string;
  readonly rows: number;
}

/**
 * Packs values into lists of at most `rows` rows and `bytes` encoded bytes, biggest first into the first list with
 * room: close to the fewest lists, and each list costs up to a page more. A value too big for any list gets its own.
 */
export function pack(shares: readonly Share[], room: { readonly rows: number; readonly bytes: number }): Share[][] {
  const lists: { shares: Share[]; rows: number; bytes: number }[] = [];
  for (const share of shares.toSorted((a, b) => b.rows - a.rows)) {
    const bytes = encodedBytes(share.value) + 3;
    // "none" is a parameter of its own and shares its request with no other value
    const fits = (list: (typeof lists)[number]) =>
      share.value !== '' &&
      list.shares[0]?.value !== '' &&
      list.rows + share.rows <= room.rows &&
      list.bytes + bytes <= room.bytes;
    const list = lists.find(fits);
    if (list === undefined) {
      lists.push({ shares: [share], rows: share.rows, bytes });
    } else {
      list.shares.push(share);
      list.rows += share.rows;
      list.bytes += bytes;
    }
  }
  return lists.map((list) => list.shares);
}

/** What is known of one dimension of a slice that is to be split. */
export interface Candidate {
  readonly dimension: Dimension;
  /** Rows by value, as the server counted them; values it did not name are missing. */
  readonly counts: ReadonlyMap<string, number>;
  /** Of these, the rows we hold. */
  readonly held: ReadonlyMap<string, number>;
  /** Values that were read before. */
  readonly done: ReadonlySet<string>;
}

/** How to go on with a slice: lists that both ends can read, or values that must be split in turn. */
export interface Split {
  readonly dimension: Dimension;
  readonly lists: readonly (readonly Share[])[];
  readonly tooBig: readonly Share[];
  /** Rows of the slice that these lists would bring. */
  readonly gain: number;
}

/**
 * The best way to reach the rows of a slice (of `rows` rows) that are still missing, or null when no counted value holds
 * any. The dimension whose lists bring most, where a list is worth a page less, because reading it wastes about as much.
 * When no list brings anything, the dimension whose biggest value is smallest.
 */
export function chooseSplit(
  candidates: readonly Candidate[],
  filter: Filter,
  rows: number,
  limits: Limits,
): Split | null {
  const splits = candidates
    .map((candidate) => splitBy(candidate, filter, rows, limits))
    .filter(({ gain, tooBig }) => gain > 0 || tooBig.length > 0);
  const worth = ({ gain, lists, tooBig }: Split) =>
    gain > 0 ? gain - lists.length * limits.pageSize : -Math.max(...tooBig.map((share) => share.rows));
  return splits.reduce<Split | null>((best, one) => (best === null || worth(one) > worth(best) ? one : best), null);
}

function splitBy({ dimension, counts, held, done }: Candidate, filter: Filter, rows: number, limits: Limits): Split {
  const most = reach(limits);
  const lacking = [...counts]
    .map(([value, counted]) => ({ value, rows: counted }))
    .filter((share) => !done.has(share.value) && share.rows > (held.get(share.value) ?? 0))
    .filter(({ value }) => narrow(filter, dimension, [value]) !== null);
  const fitting = lacking.filter((share) => share.rows <= most);
  return {
    dimension,
    lists: pack(fitting, { rows: most, bytes: listBytes(filter, dimension, limits) }),
    // a value that all rows have splits nothing
    tooBig: lacking.filter((share) => share.rows > most && share.rows < rows),
    gain: fitting.reduce((sum, share) => sum + share.rows - (held.get(share.value) ?? 0), 0),
  };
}

/** The sum of a facet's counts. */
export function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const rows of counts.values()) sum += rows;
  return sum;
}
