/** Reads a paged list whole and proves it: same total on the first and the last page, and as many distinct rows. */
import type { Reply } from './client.ts';
import { handled } from './handled.ts';

/** One page of a list: the server's total over all pages, and the rows of this one. */
export interface ListPage<T> {
  readonly total: number;
  readonly records: readonly T[];
  readonly reply: Reply;
}

export interface ListOptions<T> {
  readonly pageSize: number;
  readonly fetch: (page: number) => Promise<ListPage<T>>;
  readonly emit: (page: ListPage<T>) => Promise<void>;
  readonly identity: (record: T) => string;
}

export interface Listing {
  readonly totalBefore: number;
  readonly totalAfter: number;
  readonly keys: ReadonlySet<string>;
  /** Rows that pages before the last should have held and did not. */
  readonly holes: number;
}

/** A list whose first page is asked for before anyone reads it. */
export interface Begun<T> {
  /** The first page, whoever reads it. */
  readonly first: Promise<T>;
  /** The first page once, then every page anew: a list that moved is not proved by what was kept of it. */
  readonly page: (page: number) => Promise<T>;
}

/** Asks for the first page now, so that several lists wait for the server side by side. */
export function begin<T>(fetch: (page: number) => Promise<T>): Begun<T> {
  const first = handled(fetch(1));
  let isKept = true;
  const page = (number: number): Promise<T> => {
    if (number !== 1 || !isKept) return fetch(number);
    isKept = false;
    return first;
  };
  return { first, page };
}

/** How often a list that moved while it was read is read again. */
const REREADS = 2;

/** Is the list as long as the server says, and did it stay so? */
export const isWhole = (listing: Listing): boolean =>
  listing.totalBefore === listing.totalAfter && listing.keys.size + listing.holes === listing.totalAfter;

/**
 * Pages by the total, never by a short page (a page may hold fewer rows than it should although it is not the last).
 * A list that moved is read again, twice at most; the last reading is returned, whole or not.
 */
export async function readListing<T>(options: ListOptions<T>): Promise<Listing> {
  for (let reread = 0; ; reread += 1) {
    const listing = await readOnce(options);
    if (isWhole(listing) || reread >= REREADS) return listing;
  }
}

async function readOnce<T>({ pageSize, fetch, emit, identity }: ListOptions<T>): Promise<Listing> {
  const keys = new Set<string>();
  let totalBefore = 0;
  let totalAfter = 0;
  let holes = 0;
  for (let page = 1; page === 1 || (page - 1) * pageSize < totalAfter; page += 1) {
    const answer = await fetch(page);
    if (page === 1) totalBefore = answer.total;
    totalAfter = answer.total;
    const expected = Math.max(0, Math.min(pageSize, answer.total - (page - 1) * pageSize));
    holes += Math.max(0, expected - answer.records.length);
    for (const record of answer.records) keys.add(identity(record));
    await emit(answer);
  }
  return { totalBefore, totalAfter, keys, holes };
}
