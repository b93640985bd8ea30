/**
 * Reads every issue under a filter by `issues/search` alone, although one query answers only its first 10,000 results.
 *
 * - Rows are read in order of creation, ties broken by key. A query shows its first 10,000 and, with `asc=false`, its last
 *   10,000; up to 20,000 rows need no more than that.
 * - Above, time is walked: page 20 is read first, and the second of its last row begins the next window. Nothing is
 *   probed and next to nothing is read twice: 200,000 issues over years take 402 requests, 400 being the fewest.
 * - A second with more than 20,000 issues is split by the values of a property (rule, file, …) into lists that both ends
 *   can read. Both ends of the whole second are ends of every list too, so what they showed is not read again.
 * - What proves the pass is not a sum of counts but the rows: distinct keys = the server's total. Whatever moves while it
 *   is read shows in the totals that come with every answer, and the part concerned is read again, twice at most.
 */
import pLimit, { type LimitFunction } from 'p-limit';
import { handled } from './handled.ts';
import {
  canStartAt,
  CLOCK_MARGIN,
  chooseSplit,
  encodedBytes,
  isWithin,
  lastPage,
  LIMITS,
  listBytes,
  narrow,
  openDimensions,
  pack,
  pageAfter,
  pagesBetween,
  parameterOf,
  range,
  reach,
  rowsExpected,
  secondFilter,
  spanFilter,
  sumOf,
  type Candidate,
  type Dimension,
  type Filter,
  type Limits,
  type Span,
  type Split,
} from './window.ts';

export type { Dimension, Filter } from './window.ts';

/** One request to `issues/search`. */
export interface Query {
  readonly filter: Filter;
  readonly sort: string;
  readonly ascending: boolean;
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
  readonly facets?: readonly string[];
}

/** What the enumeration must know of an issue; rows may carry more, which is handed on untouched. */
export interface SearchRow {
  readonly key: string;
  /** Project key. */
  readonly project: string;
  /** Creation date in epoch seconds. */
  readonly created: number;
  /** The row's value of each property that the server can split by, '' for none; one that is left out is not used. */
  readonly values: Readonly<Partial<Record<Dimension, string>>>;
}

/** One answer of `issues/search`. */
export interface Answer<T extends SearchRow> {
  /** `paging.total`; exact above 10,000 too. */
  readonly total: number;
  readonly rows: readonly T[];
  /** Facet → value → rows. */
  readonly facets: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface EnumerateOptions<T extends SearchRow> {
  /** Sends one request. Many are asked for at once; how many run at once is decided here or by `places`. */
  fetch(query: Query): Promise<Answer<T>>;
  /** Takes rows that this pass has not handed over before; resolves when there is room for more. */
  emit(rows: readonly T[]): Promise<void>;
  /** Every issue created before this epoch second has been emitted and the emits have resolved. */
  checkpoint?(resumeFrom: number): Promise<void>;
  /** A checkpoint of an interrupted pass: only issues created from this epoch second on are read. */
  resumeFrom?: number;
  /** How many issues there are at least, as far as is known: so many pages are asked for together with the first. */
  expected?: number;
  /** The projects that the filter's `componentKeys` lists; with two and more, each one's total is asked for as well. */
  projects?: readonly string[];
  /** Values that may exist although no facet and no row read names them, for example the rules of other projects. */
  knownValues?(dimension: Dimension): Promise<readonly string[]>;
  /** The server's clock in epoch seconds; by default this machine's. */
  now?(): number;
  /** One for each answer in memory: asked for, or waiting for `emit`. Enumerations may share them; by default 12 of its own. */
  places?: LimitFunction;
  limits?: Partial<Limits>;
}

/** Issues that the server counts and that no query could show. */
export interface Unreachable {
  readonly filter: Filter;
  readonly missing: number;
  readonly reason: string;
}

export interface Enumeration {
  /** The server's total of the whole filter when the last round of reading began (usually: the first answer). */
  readonly totalBefore: number;
  /** The same on the last answer. */
  readonly totalAfter: number;
  /** Distinct keys this pass read and the server still has; after a resume not all there are. */
  readonly seen: number;
  /** Which these are. */
  readonly keys: ReadonlyMap<string, unknown>;
  /** Rows that the index counts and the database no longer has: never delivered, although their pages were read. */
  readonly holes: number;
  readonly unreachable: readonly Unreachable[];
  /** By project: the server's last total, where it was asked (several projects), and the distinct keys seen. */
  readonly perProject: ReadonlyMap<string, { readonly total: number | null; readonly seen: number }>;
  /** 1, or 2 or 3 when something moved and parts were read again. */
  readonly rounds: number;
  /**
   * Nothing moved during the last round, and keys, holes and unreachable rows add up to the server's total. Complete ⇔
   * settled and nothing unreachable. What no total shows is one issue coming for another one going: compare the
   * project's last analysis before and after.
   */
  readonly settled: boolean;
}

/**
 * Reads every issue under `filter`, which must hold no dates. The promise rejects with what `fetch`, `emit` or
 * `checkpoint` threw first, and not before every request that was under way has ended.
 */
export async function enumerate<T extends SearchRow>(filter: Filter, o: EnumerateOptions<T>): Promise<Enumeration> {
  const reader = new Reader(filter, o);
  try {
    return await new Pass(reader, o).run();
  } finally {
    await reader.close();
  }
}

const BY_CREATION = 'CREATION_DATE';

/** Answers in memory at once. */
export const AHEAD = 12;

/** Rounds of re-reading before a pass says that the list does not hold still. */
const MOST_ROUNDS = 3;

// ------------------------------------------------------------------ asking

/** Sends requests, hands new rows on and remembers which keys were seen where. */
class Reader<T extends SearchRow> {
  readonly filter: Filter;
  readonly limits: Limits;
  /** Project and second of every key seen; one shared object for rows that agree in both. */
  readonly seen = new Map<string, Origin>();
  /** Keys met since the set was put here: a re-read uses it to tell which rows are gone. */
  met: Set<string> | null = null;
  /** Totals by project as the server last gave them. */
  projectTotals: ReadonlyMap<string, number> | null = null;
  readonly now: () => number;
  readonly #options: EnumerateOptions<T>;
  /** By project and second. */
  readonly #origins = new Map<string, Map<number, Origin>>();
  readonly #limit: LimitFunction;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(filter: Filter, options: EnumerateOptions<T>) {
    this.filter = filter;
    this.limits = { ...LIMITS, ...options.limits };
    this.now = () => (options.now ? options.now() : Date.now() / 1000);
    this.#options = options;
    this.#limit = options.places ?? pLimit(AHEAD);
  }

  /** Facets for a request over the whole filter, where there are several projects to tell apart. */
  get projectFacets(): readonly string[] {
    return (this.#options.projects?.length ?? 0) > 1 ? ['projects'] : [];
  }

  /** One answer, its new rows emitted. */
  read(query: Query): Promise<Answer<T>> {
    return this.#ask(query, async ({ rows }) => {
      const fresh = rows.filter((row) => this.#isNew(row));
      if (fresh.length > 0) await this.#options.emit(fresh);
    });
  }

  /** The server's total under a filter, by a request for a single row, which is not looked at. */
  count(filter: Filter, facets: readonly string[] = []): Promise<Answer<T>> {
    const page = { sort: BY_CREATION, ascending: true, page: 1, pageSize: 1 };
    return this.#ask({ filter, ...page, ...(facets.length > 0 && { facets }) }, () => Promise.resolve());
  }

  /** A place is held for one answer, and nothing that holds one waits for another. */
  #ask(query: Query, use: (answer: Answer<T>) => Promise<void>): Promise<Answer<T>> {
    const ask = async (): Promise<Answer<T>> => {
      const answer = await this.#options.fetch(query);
      await use(answer);
      return answer;
    };
    const asking = this.#limit(async () => {
      if (this.#closed) throw new Error('The enumeration has ended.');
      const running = ask();
      this.#running.add(running);
      try {
        return await running;
      } finally {
        this.#running.delete(running);
      }
    });
    return handled(asking); // when the enumeration has ended, nobody waits for what has not got its place
  }

  noteProjects(answer: Answer<T>): void {
    this.projectTotals = answer.facets.get('projects') ?? this.projectTotals;
  }

  /** Sends nothing more and waits for what is under way; not for its turn among others, for what is not. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  #isNew(row: T): boolean {
    this.met?.add(row.key);
    if (this.seen.has(row.key)) return false;
    this.seen.set(row.key, this.#originOf(row));
    return true;
  }

  #originOf({ project, created }: T): Origin {
    let ofProject = this.#origins.get(project);
    if (ofProject === undefined) this.#origins.set(project, (ofProject = new Map<number, Origin>()));
    let origin = ofProject.get(created);
    if (origin === undefined) ofProject.set(created, (origin = { project, created }));
    return origin;
  }
}

interface Origin {
  readonly project: string;
  readonly created: number;
}

type Take<T> = (rows: readonly T[], ascending: boolean) => void;

/** One sorted query, read page by page from either end. */
class Listing<T extends SearchRow> {
  /** The total on the first answer that came, and on the latest one. */
  totalBefore: number | undefined;
  total = 0;
  /** Answers disagreed about the total: rows came or went, and a removal may have moved others out of a page. */
  moved = false;
  /** Rows missing from pages that should have held them. */
  short = 0;
  /** First and last second seen. */
  earliest = Infinity;
  latest = -Infinity;
  readonly #reader: Reader<T>;
  readonly #filter: Filter;
  readonly #sort: string;
  readonly #read = new Set<string>();

  constructor(reader: Reader<T>, filter: Filter, sort = BY_CREATION) {
    this.#reader = reader;
    this.#filter = filter;
    this.#sort = sort;
  }

  async page(ascending: boolean, page: number, facets: readonly string[] = []): Promise<Answer<T>> {
    const { pageSize } = this.#reader.limits;
    this.#read.add(`${ascending} ${page}`);
    const query = { filter: this.#filter, sort: this.#sort, ascending, page, pageSize };
    const answer = await this.#reader.read({ ...query, ...(facets.length > 0 && { facets }) });
    this.totalBefore ??= answer.total;
    this.total = answer.total;
    if (this.total !== this.totalBefore) this.moved = true;
    this.short += Math.max(0, rowsExpected(answer.total, page, pageSize) - answer.rows.length);
    for (const { created } of answer.rows) {
      this.earliest = Math.min(this.earliest, created);
      this.latest = Math.max(this.latest, created);
    }
    return answer;
  }

  async pages(ascending: boolean, pages: readonly number[], take?: Take<T>): Promise<void> {
    await Promise.all(
      pages
        .filter((page) => !this.#read.has(`${ascending} ${page}`))
        .map(async (page) => take?.((await this.page(ascending, page)).rows, ascending)),
    );
  }

  /**
   * Reads all rows between a known prefix and a known suffix, or both ends as far as they go. A page that comes back
   * short ends nothing: the total decides, and when it grows the pages it adds are read too.
   * @returns the facets, when the total is more than both ends reach
   */
  async between(
    known: { prefix: number; suffix: number; estimate?: number },
    take?: Take<T>,
    facets: readonly string[] = [],
  ): Promise<Answer<T>['facets'] | null> {
    const { limits } = this.#reader;
    let counted: Answer<T>['facets'] | null = null;
    let hasAsked = facets.length === 0;
    for (let expected = known.estimate ?? this.total; ; expected = this.total) {
      const { ascending, descending } = pagesBetween({ ...known, total: expected }, limits);
      const todo = [
        ...ascending.map((page) => [true, page] as const),
        ...descending.map((page) => [false, page] as const),
      ];
      const fresh = todo.filter(([early, page]) => !this.#read.has(`${early} ${page}`));
      if (fresh.length === 0) return counted;
      const asks = !hasAsked && expected > reach(limits);
      hasAsked ||= asks;
      await Promise.all(
        fresh.map(async ([early, page], i) => {
          // a page that is read anyway carries the facets: only such a request is slower on the server
          const answer = await this.page(early, page, asks && i === 0 ? facets : []);
          if (asks && i === 0) counted = answer.facets;
          take?.(answer.rows, early);
        }),
      );
    }
  }

  /** The page before this one was skipped as known: is the row it begins with known, or did rows move in between? */
  follows(answer: Answer<T>, page: number, known: ReadonlyMap<string, unknown>): void {
    const first = answer.rows[0];
    if (page > 1 && first !== undefined && !known.has(first.key)) this.moved = true;
  }
}

// ------------------------------------------------------------------ walking through time

/** A span of creation dates and how its reading went. Spans of a pass follow each other without gaps. */
interface Part<T extends SearchRow> extends Span {
  readonly listings: Listing<T>[];
  readonly seconds: SecondResult[];
  /** How many holes there are, once the part has been counted by itself. */
  readonly holes?: number;
  /** Every row of a whole window was a hole, so that its end has no date to go on from. */
  readonly lost?: Unreachable;
}

const isMoved = <T extends SearchRow>(part: Part<T>) =>
  part.listings.some(({ moved }) => moved) || part.seconds.some(({ moved }) => moved);

/** The most holes that the pages of a part can account for; one that lies where two windows overlap counts twice. */
const mostHoles = <T extends SearchRow>(part: Part<T>) =>
  part.holes ?? sum(part.listings.map(({ short }) => short)) + sum(part.seconds.map(({ holes }) => holes));

const unreachableOf = <T extends SearchRow>(part: Part<T>) =>
  [...part.seconds.map(({ unreachable }) => unreachable), part.lost].filter((one) => one !== undefined);

class Pass<T extends SearchRow> {
  readonly #reader: Reader<T>;
  readonly #options: EnumerateOptions<T>;

  constructor(reader: Reader<T>, options: EnumerateOptions<T>) {
    this.#reader = reader;
    this.#options = options;
  }

  async run(): Promise<Enumeration> {
    const { filter, projectFacets, now } = this.#reader;
    const { resumeFrom } = this.#options;
    const span: Span = resumeFrom === undefined ? {} : { from: Math.min(resumeFrom, Math.floor(now()) - CLOCK_MARGIN) };
    const whole = resumeFrom === undefined ? null : await this.#reader.count(filter, projectFacets);
    if (whole) this.#reader.noteProjects(whole);

    let parts = await this.#walk(span, true);
    let before = parts[0]?.listings[0]?.totalBefore ?? 0;
    let after = await this.#totalAfter(span, parts);
    let rounds = 1;
    while (!this.#account(parts, before, after).settled && rounds < MOST_ROUNDS) {
      rounds += 1;
      parts = await this.#again(parts);
      before = after;
      after = await this.#totalAfter(span, parts);
    }

    const { holes, unreachable, settled } = this.#account(parts, before, after);
    return {
      totalBefore: whole?.total ?? before,
      totalAfter: whole ? (await this.#reader.count(filter)).total : after,
      seen: this.#reader.seen.size,
      keys: this.#reader.seen,
      holes,
      unreachable,
      perProject: this.#perProject(),
      rounds,
      settled,
    };
  }

  /** Do keys, holes and unreachable rows add up to the total, with nothing having moved? */
  #account(parts: readonly Part<T>[], before: number, after: number) {
    const unreachable = parts.flatMap(unreachableOf);
    const unseen = after - this.#reader.seen.size - sum(unreachable.map(({ missing }) => missing));
    const holes = Math.max(0, Math.min(unseen, sum(parts.map(mostHoles))));
    return { unreachable, holes, settled: before === after && holes === unseen && !parts.some(isMoved) };
  }

  /** The total under the span now. One listing that covers it all has just told; otherwise it costs one request. */
  async #totalAfter(span: Span, parts: readonly Part<T>[]): Promise<number> {
    const [part] = parts;
    const [listing] = part?.listings ?? [];
    if (parts.length === 1 && part?.listings.length === 1 && part.seconds.length === 0 && listing) return listing.total;
    const answer = await this.#reader.count(
      { ...this.#reader.filter, ...spanFilter(span) },
      span.from === undefined ? this.#reader.projectFacets : [],
    );
    if (span.from === undefined) this.#reader.noteProjects(answer);
    return answer.total;
  }

  #listing(span: Span): Listing<T> {
    return new Listing(this.#reader, { ...this.#reader.filter, ...spanFilter(span) });
  }

  /**
   * Reads a span, oldest first. While the pages inside a window arrive, the next window's first and twentieth page are
   * asked for; at most two windows are under way, so that little is read twice after an interruption.
   */
  async #walk({ from: start, until }: Span, keepsCheckpoints: boolean): Promise<Part<T>[]> {
    const { limits, now } = this.#reader;
    const last = lastPage(limits);
    const parts: Part<T>[] = [];
    let from = start;
    // rows of the second `from` that the window before has read
    let known = new Map<string, T['values']>();
    // a crowded second just read, and the rows that its window then has left for the next one
    let crowd: { listing: Listing<T>; rest: number } | null = null;
    // the window before, while its pages are still coming
    let behind = Promise.resolve();
    // pages that surely come are not asked for after the first, but with it; not the last, whose end decides what follows
    const expected =
      keepsCheckpoints && start === undefined ? Math.ceil((this.#options.expected ?? 0) / limits.pageSize) : 0;
    let early = range(2, Math.min(expected, last - 1));
    for (;;) {
      const listing = this.#listing({ from, until });
      const page = pageAfter(known.size, limits);
      const facets = from === undefined && until === undefined ? this.#reader.projectFacets : [];
      const heading = listing.page(true, page, facets);
      const ends: { key: string; created: number; values: T['values'] }[] = [];
      const coming = handled(
        listing.pages(true, early, (rows) => {
          // if the window ends in the second of these rows, they are needed; the page itself must not be held for it
          for (const { key, created, values } of rows.filter((row) => row.created === rows.at(-1)?.created)) {
            ends.push({ key, created, values });
          }
        }),
      );
      early = [];
      const head = await heading;
      if (facets.length > 0) this.#reader.noteProjects(head);
      listing.follows(head, page, known);
      if (crowd && head.total !== crowd.rest) crowd.listing.moved = true;
      crowd = null;
      const tail = listing.total > reach(limits) && page < last ? await listing.page(true, last) : head;
      if (listing.total <= reach(limits)) {
        // one row less than is known: the pages then begin with a known row, see `follows`
        const between = { prefix: Math.max(0, known.size - 1), suffix: 0 };
        await Promise.all([listing.between(between), coming]);
        await listing.between(between); // the total may have grown with what came last
        await behind;
        return [...parts, { from, until, listings: [listing], seconds: [] }];
      }

      await coming;
      let inner = range(page + 1, last - 1);
      if (tail.rows.length === 0) {
        await listing.pages(true, inner);
        inner = [];
      }
      const edge = tail.rows.at(-1)?.created ?? listing.latest;
      if (edge === -Infinity) {
        await behind;
        const missing = listing.total;
        const reason = `the first ${limits.window} issues that the index names are no longer in the database`;
        const lost = { filter: { ...this.#reader.filter, ...spanFilter({ from, until }) }, missing, reason };
        return [...parts, { from, until, listings: [listing], seconds: [], lost }];
      }
      const atEdge = edge === from ? known : new Map<string, T['values']>();
      const take = (rows: readonly Pick<T, 'key' | 'created' | 'values'>[]): void => {
        for (const row of rows) if (row.created === edge) atEdge.set(row.key, row.values);
      };
      take(head.rows);
      take(ends);
      take(tail.rows);
      const filling = handled(listing.pages(true, inner, take));

      const isDense = edge === (from ?? listing.earliest);
      if (isDense || !canStartAt(edge, now())) {
        await filling;
        await behind;
        const seconds = isDense ? [await this.#second(edge, { prefix: atEdge, short: listing.short })] : [];
        const part = { from, until, listings: [listing], seconds };
        const covered = seconds[0]?.total ?? last * limits.pageSize;
        const next = edge + 1;
        if (covered >= listing.total || (isDense && next === until)) {
          // the second is all there is left, so that both must have the same total
          if (covered !== listing.total) listing.moved = true;
          return [...parts, part];
        }
        if (!isDense || !canStartAt(next, now())) {
          // what comes later lies in the future, where no window can begin: it is read from its late end
          await this.#walkBack(part, covered);
          return [...parts, part];
        }
        parts.push({ ...part, until: next });
        if (keepsCheckpoints) await this.#options.checkpoint?.(next);
        from = next;
        known = new Map();
        crowd = { listing, rest: listing.total - covered };
        continue;
      }

      const before = behind;
      behind = handled(
        Promise.all([before, filling]).then(() => (keepsCheckpoints ? this.#options.checkpoint?.(edge) : undefined)),
      );
      await before;
      // rows of the second may fill more than the last page: only then it is not known how many there are
      if (tail.rows[0]?.created === edge) await filling;
      parts.push({ from, until: edge, listings: [listing], seconds: [] });
      from = edge;
      known = atEdge;
    }
  }

  /**
   * Reads a part from its late end down to its first `covered` rows, which are known. `createdBefore` may lie in the
   * future, so the same walk works there in the other direction.
   */
  async #walkBack(part: Part<T>, covered: number): Promise<void> {
    const { limits } = this.#reader;
    const last = lastPage(limits);
    const [whole] = part.listings;
    let until = part.until;
    let known = new Map<string, T['values']>();
    for (;;) {
      const continued = until === part.until && whole !== undefined;
      const listing = continued ? whole : this.#listing({ from: part.from, until });
      if (!continued) part.listings.push(listing);
      const page = pageAfter(known.size, limits);
      const head = await listing.page(false, page);
      listing.follows(head, page, known);
      if (listing.total - covered <= last * limits.pageSize) {
        await listing.between({ prefix: covered, suffix: Math.max(0, known.size - 1) });
        break;
      }
      const window = new Map([...known].map(([id, values]) => [id, { created: (until ?? 0) - 1, values }]));
      const take: Take<T> = (rows) => {
        for (const { key, created, values } of rows) window.set(key, { created, values });
      };
      take(head.rows, false);
      await listing.pages(false, range(page + 1, last), take);
      const seconds = [...window.values()].map(({ created }) => created);
      const edge = seconds.reduce((a, b) => Math.min(a, b), Infinity);
      const ceiling = seconds.reduce((a, b) => Math.max(a, b), -Infinity);
      if (edge === Infinity) {
        // nothing but holes: there is no date to go on from, and what lies behind them stays unread
        listing.moved = true;
        return;
      }
      const atEdge = new Map(
        [...window].filter(([, row]) => row.created === edge).map(([id, row]) => [id, row.values]),
      );
      if (edge === ceiling) part.seconds.push(await this.#second(edge, { suffix: atEdge, short: listing.short }));
      until = edge === ceiling ? edge : edge + 1;
      known = edge === ceiling ? new Map<string, T['values']>() : atEdge;
      if (part.from !== undefined && until <= part.from) break;
    }
    // the windows of this walk have different totals; asking the first one again shows whether anything moved
    if (whole && part.listings.length + part.seconds.length > 1) {
      const { total: now } = await this.#reader.count({ ...this.#reader.filter, ...spanFilter(part) });
      if (now !== whole.totalBefore) whole.moved = true;
    }
  }

  async #second(
    created: number,
    known: { prefix?: ReadonlyMap<string, T['values']>; suffix?: ReadonlyMap<string, T['values']>; short: number },
  ): Promise<SecondResult> {
    return new Second(this.#reader, this.#options, created).read(known);
  }

  /** Reads the parts again that moved, or that no longer count what was read. */
  async #again(parts: readonly Part<T>[]): Promise<Part<T>[]> {
    const checked = parts.length === 1 ? [null] : await this.#check(parts);
    const result: Part<T>[] = [];
    for (const [i, part] of parts.entries()) {
      const calm = checked[i];
      result.push(...(calm ? [calm] : await this.#readAgain(part)));
    }
    return result;
  }

  /** Rows of a part that a calm second reading did not meet are gone, and their keys are forgotten. */
  async #readAgain(part: Part<T>): Promise<Part<T>[]> {
    const met = new Set<string>();
    this.#reader.met = met;
    const anew = await this.#walk(part, false);
    this.#reader.met = null;
    if (anew.some(isMoved)) return anew;
    for (const [key, { created }] of this.#reader.seen) {
      if (isWithin(part, created) && !met.has(key)) this.#reader.seen.delete(key);
    }
    // by itself a part shares no page with its neighbours: its short pages count its holes exactly
    return anew.length === 1 ? anew.map((one) => ({ ...one, holes: mostHoles(one) })) : anew;
  }

  /**
   * Counts every part by itself, one request each. A part is calm when it did not move and its count is that of its keys
   * and of what is known not to be reached; holes must have been counted exactly, or else they could hide lost rows.
   */
  async #check(parts: readonly Part<T>[]): Promise<(Part<T> | null)[]> {
    const held = parts.map(() => 0);
    for (const { created } of this.#reader.seen.values()) {
      const i = parts.findLastIndex((part) => isWithin(part, created));
      held[i] = (held[i] ?? 0) + 1;
    }
    return Promise.all(
      parts.map(async (part, i) => {
        const before = parts[i - 1];
        // a part skips rows of its first second that the part before has read: if that one moved, there may be gaps
        if (isMoved(part) || (before && isMoved(before))) return null;
        const { total: now } = await this.#reader.count({ ...this.#reader.filter, ...spanFilter(part) });
        const lacking = now - (held[i] ?? 0) - sum(unreachableOf(part).map(({ missing }) => missing));
        // a hole in the second where two windows meet may have been on a page of the earlier one
        const holes = part.holes ?? (mostHoles(part) + (before ? mostHoles(before) : 0) === 0 ? 0 : null);
        return lacking === holes ? { ...part, holes } : null;
      }),
    );
  }

  #perProject(): Enumeration['perProject'] {
    const totals = this.#reader.projectTotals;
    const seen = new Map((this.#options.projects ?? []).map((project) => [project, 0]));
    for (const { project } of this.#reader.seen.values()) seen.set(project, (seen.get(project) ?? 0) + 1);
    // a project that the filter names is always counted, however small: one that is not there has no issues
    return new Map(
      [...seen].map(([project, n]) => [project, { total: totals && (totals.get(project) ?? 0), seen: n }]),
    );
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

// ------------------------------------------------------------------ more than 20,000 issues in one second

/** How the reading of one second ended. */
interface SecondResult {
  readonly total: number;
  readonly holes: number;
  readonly unreachable?: Unreachable;
  readonly moved: boolean;
}

/** What is remembered of a row of a crowded second. */
interface Held {
  readonly key: string;
  readonly values: SearchRow['values'];
}

/** Issues of the second that share some values, and those of them known to stand first or last by key. */
interface Slice {
  readonly filter: Filter;
  readonly used: ReadonlySet<Dimension>;
  readonly includes: (row: Held) => boolean;
  /** The first rows by key, without gaps; grows as ascending pages are read. */
  readonly prefix: Set<Held>;
  readonly suffix: Set<Held>;
  readonly estimate: number;
}

/** Was every position of a slice on a page that was read? Then rows not received are holes, otherwise just unknown. */
interface Coverage {
  readonly covered: boolean;
  readonly holes: number;
  /** Rows missing from pages of the slice. */
  readonly short: number;
}

interface ListCoverage extends Coverage {
  readonly dimension: Dimension;
  readonly values: readonly string[];
}

/** All issues of one second, however many. Holds the properties of each of them (about 100 bytes) while it is read. */
class Second<T extends SearchRow> {
  readonly #reader: Reader<T>;
  readonly #options: EnumerateOptions<T>;
  readonly #filter: Filter;
  readonly #rows = new Map<string, Held>();
  readonly #values = new Map<string, SearchRow['values']>();
  readonly #reasons = new Set<string>();
  #moved = false;

  constructor(reader: Reader<T>, options: EnumerateOptions<T>, created: number) {
    this.#reader = reader;
    this.#options = options;
    this.#filter = { ...reader.filter, ...secondFilter(created, reader.now()) };
  }

  async read(known: {
    prefix?: ReadonlyMap<string, T['values']>;
    suffix?: ReadonlyMap<string, T['values']>;
    /** Rows missing from the pages that gave the known rows. */
    short: number;
  }): Promise<SecondResult> {
    const prefix = new Set([...(known.prefix ?? [])].map(([key, values]) => this.#hold(key, values)));
    const suffix = new Set([...(known.suffix ?? [])].map(([key, values]) => this.#hold(key, values)));
    const listing = new Listing(this.#reader, this.#filter);
    const root: Slice = {
      filter: this.#filter,
      used: new Set(),
      includes: () => true,
      prefix,
      suffix,
      // one row more than is known: a page of it tells the total
      estimate: Math.min(prefix.size + suffix.size, reach(this.#reader.limits) - 1) + 1,
    };
    const { covered, short, ...result } = await this.#cover(root, listing);
    const lacking = listing.total - this.#rows.size;
    const holes = Math.min(Math.max(0, lacking), covered ? short + known.short : result.holes);
    if (listing.total > reach(this.#reader.limits)) {
      // lists and facets have totals of their own; the whole second's shows whether anything moved meanwhile
      const { total: now } = await this.#reader.count(this.#filter);
      if (now !== listing.totalBefore) this.#moved = true;
    }
    const missing = lacking - holes;
    return {
      total: listing.total,
      holes,
      moved: this.#moved || missing < 0,
      ...(missing > 0 && {
        unreachable: { filter: this.#filter, missing, reason: [...this.#reasons].join('; ') || 'rows moved' },
      }),
    };
  }

  #hold(key: string, values: SearchRow['values']): Held {
    const existing = this.#rows.get(key);
    if (existing) return existing;
    const id = JSON.stringify(values);
    let shared = this.#values.get(id);
    if (shared === undefined) this.#values.set(id, (shared = values));
    const row = { key, values: shared };
    this.#rows.set(key, row);
    return row;
  }

  /** Reads a slice: what lies between its known ends, and when that is more than both ends reach, by splitting it. */
  async #cover(slice: Slice, listing = new Listing(this.#reader, slice.filter)): Promise<Coverage> {
    const { prefix, suffix, estimate } = slice;
    const open = this.#openDimensions(slice);
    const take: Take<T> = (rows, ascending) => {
      for (const row of rows) (ascending ? prefix : suffix).add(this.#hold(row.key, row.values));
    };
    const facets = await listing.between({ prefix: prefix.size, suffix: suffix.size, estimate }, take, open);
    try {
      if (listing.total > reach(this.#reader.limits)) return await this.#split(slice, listing, open, facets);
      const holes = Math.min(listing.short, Math.max(0, listing.total - this.#held(slice)));
      return { covered: true, holes, short: listing.short };
    } finally {
      this.#moved ||= listing.moved;
    }
  }

  #openDimensions(slice: Slice): Dimension[] {
    const example: Held | undefined = this.#rows.values().next().value;
    const several = this.#options.projects === undefined || this.#options.projects.length > 1;
    return openDimensions(slice.filter, slice.used).filter(
      (dimension) => example?.values[dimension] !== undefined && (dimension !== 'projects' || several),
    );
  }

  #held(slice: Slice): number {
    let held = 0;
    for (const row of this.#rows.values()) if (slice.includes(row)) held += 1;
    return held;
  }

  #heldBy(slice: Slice, dimension: Dimension): Map<string, number> {
    const held = new Map<string, number>();
    for (const row of this.#rows.values()) {
      const value = row.values[dimension] ?? '';
      if (slice.includes(row)) held.set(value, (held.get(value) ?? 0) + 1);
    }
    return held;
  }

  /** Splits a slice by one dimension after the other until all its rows are known or nothing new is learnt. */
  async #split(
    slice: Slice,
    listing: Listing<T>,
    dimensions: readonly Dimension[],
    facets: Answer<T>['facets'] | null,
  ): Promise<Coverage> {
    const counted = facets ?? (await this.#reader.count(slice.filter, dimensions)).facets;
    const counts = new Counts(dimensions, counted, this.#options.projects);
    const coverages: ListCoverage[] = [];
    const orders = (counts.of('rules').size <= 1 ? ['FILE_LINE'] : ['HOTSPOTS', 'FILE_LINE']).flatMap((sort) => {
      const order = new Listing(this.#reader, slice.filter, sort);
      return [() => this.#end(order, true), () => this.#end(order, false)];
    });
    const cuts = new Set<string>();

    let covered = false;
    while (!covered && this.#held(slice) < listing.total) {
      const split = await this.#plan(slice, listing.total, counts);
      if (split) {
        coverages.push(...(await this.#follow(slice, split, counts)));
        covered = dimensions.some((dimension) => this.#isCovered(slice, listing.total, dimension, counts, coverages));
        continue;
      }
      const cut = dimensions.includes('directories') ? this.#nextCut(slice, counts, cuts) : undefined;
      const order = cut === undefined ? orders.shift() : undefined;
      if (cut !== undefined) await this.#coverDirectory(slice, cut);
      else if (order) await order();
      else break;
    }

    const short = listing.short + sum(coverages.map((one) => one.short));
    const lacking = Math.max(0, listing.total - this.#held(slice));
    if (covered) return { covered, short, holes: Math.min(lacking, short) };
    if (lacking > 0) this.#reasons.add(this.#reason(slice, counts));
    const holes = dimensions.map((dimension) =>
      dimension === 'directories'
        ? 0
        : sum(coverages.filter((one) => one.dimension === dimension).map((one) => one.holes)),
    );
    return { covered, short, holes: Math.max(0, ...holes) };
  }

  /**
   * Were all rows of the slice on pages that were read, by the values of this dimension? Not by `directories`: since 25.1
   * it finds what lies deeper as well, so its lists overlap and prove nothing.
   */
  #isCovered(
    slice: Slice,
    rows: number,
    dimension: Dimension,
    counts: Counts,
    coverages: readonly ListCoverage[],
  ): boolean {
    const lists = coverages.filter((one) => one.dimension === dimension && one.covered);
    if (dimension === 'directories' || lists.length === 0) return false;
    const read = new Set(lists.flatMap(({ values }) => values));
    const held = this.#heldBy(slice, dimension);
    const known = [...counts.of(dimension)].filter(([value, n]) => read.has(value) || (held.get(value) ?? 0) >= n);
    return sum(known.map(([, n]) => n)) === rows;
  }

  /** The next split, after as few requests as possible for the counts of values that no facet listed. */
  async #plan(slice: Slice, rows: number, counts: Counts): Promise<Split | null> {
    const lacking = rows - this.#held(slice);
    const choose = () =>
      chooseSplit(
        counts.dimensions.map((dimension): Candidate => ({
          dimension,
          counts: counts.of(dimension),
          held: this.#heldBy(slice, dimension),
          done: counts.done(dimension),
        })),
        slice.filter,
        rows,
        this.#reader.limits,
      );
    const sources = [
      (dimension: Dimension) => Promise.resolve([...this.#heldBy(slice, dimension).keys()]),
      async (dimension: Dimension) => (await this.#options.knownValues?.(dimension)) ?? [],
    ];
    for (const source of sources) {
      const named: { dimension: Dimension; names: string[]; bytes: number }[] = [];
      for (const dimension of counts.dimensions) {
        const best = choose();
        if (best && best.gain >= lacking) return best;
        if (sumOf(counts.of(dimension)) >= rows) continue;
        const names = counts.unknown(slice.filter, dimension, await source(dimension));
        named.push({ dimension, names, bytes: sum(names.map((name) => encodedBytes(name) + 3)) });
      }
      // the fewest bytes, which are the fewest requests, first
      for (const { dimension, names } of named.toSorted((a, b) => a.bytes - b.bytes)) {
        const best = choose();
        if (best && best.gain >= lacking) return best;
        await this.#count(slice, dimension, names, counts);
      }
    }
    return choose();
  }

  /** Asks how many rows each of these values has: a facet always lists the values that its own filter names. */
  async #count(slice: Slice, dimension: Dimension, names: readonly string[], counts: Counts): Promise<void> {
    const room = { rows: Infinity, bytes: listBytes(slice.filter, dimension, this.#reader.limits) };
    const lists = pack(
      names.map((value) => ({ value, rows: 0 })),
      room,
    );
    await Promise.all(
      lists.map(async (list) => {
        const values = list.map(({ value }) => value);
        const { facets } = await this.#reader.count({ ...slice.filter, [parameterOf(dimension)]: values.join(',') }, [
          dimension,
        ]);
        counts.add(dimension, facets.get(dimension), values);
      }),
    );
  }

  async #follow(slice: Slice, split: Split, counts: Counts): Promise<ListCoverage[]> {
    const { dimension } = split;
    // values too big for a list are split in turn only when no list brings anything: they may well have become known
    const groups = split.gain > 0 ? split.lists : split.tooBig.map((share) => [share]);
    const read = async (group: Split['lists'][number]) => {
      const values = group.map(({ value }) => value);
      counts.markDone(dimension, values);
      const filter = narrow(slice.filter, dimension, values) ?? slice.filter;
      const wanted = new Set(values);
      const includes = (row: Held) => wanted.has(row.values[dimension] ?? '') && slice.includes(row);
      const coverage = await this.#cover({
        filter,
        used: new Set([...slice.used, dimension]),
        includes,
        prefix: new Set([...slice.prefix].filter(includes)),
        suffix: new Set([...slice.suffix].filter(includes)),
        estimate: sum(group.map(({ rows }) => rows)),
      });
      return { ...coverage, dimension, values };
    };
    return Promise.all(groups.map(read));
  }

  /**
   * A directory with a comma cannot be named, but from 25.1 on `directories` finds every path that begins with its
   * value, so the part before the comma will do. (10.x compares whole paths and finds nothing.)
   */
  #nextCut(slice: Slice, counts: Counts, tried: Set<string>): string | undefined {
    const held = this.#heldBy(slice, 'directories');
    const names = new Set([...counts.of('directories').keys(), ...held.keys()]);
    for (const name of [...names].toSorted()) {
      const cut = name.includes(',') ? name.slice(0, name.indexOf(',')) : '';
      if (cut === '' || cut !== cut.trim() || [...tried].some((other) => cut.startsWith(other))) continue;
      if ((counts.of('directories').get(name) ?? Infinity) <= (held.get(name) ?? 0)) continue;
      tried.add(cut);
      return cut;
    }
    return undefined;
  }

  async #coverDirectory(slice: Slice, cut: string): Promise<void> {
    await this.#cover({
      filter: { ...slice.filter, directories: cut },
      used: new Set([...slice.used, 'directories' as const]),
      includes: (row) => (row.values.directories ?? '').startsWith(cut) && slice.includes(row),
      // whether the server compares whole paths is not known, so no rows can be said to stand first
      prefix: new Set(),
      suffix: new Set(),
      estimate: this.#reader.limits.pageSize,
    });
  }

  /** One end of another order: it shows other rows, and names files and rules that no facet lists. */
  async #end(order: Listing<T>, ascending: boolean): Promise<void> {
    const last = lastPage(this.#reader.limits);
    await order.pages(ascending, range(1, last), (rows) => {
      for (const row of rows) this.#hold(row.key, row.values);
    });
    this.#moved ||= order.moved;
  }

  #reason(slice: Slice, counts: Counts): string {
    const most = reach(this.#reader.limits);
    const lacks = (dimension: Dimension, test: (value: string) => boolean) => {
      const held = this.#heldBy(slice, dimension);
      return [...counts.of(dimension)].some(([value, n]) => test(value) && n > (held.get(value) ?? 0));
    };
    if (counts.dimensions.every((dimension) => counts.of(dimension).size <= 1)) {
      return `more than ${most} issues of one second are alike in every property that can be filtered by`;
    }
    if (counts.dimensions.some((dimension) => lacks(dimension, (value) => narrow({}, dimension, [value]) === null))) {
      return 'names that hold a comma cannot be filtered by';
    }
    return `more than ${most} issues of one second, with values beyond the 100 that a facet lists and that nothing names`;
  }
}

/** Rows by value for the dimensions of a slice, as far as the server has told. */
class Counts {
  readonly dimensions: readonly Dimension[];
  readonly #counts = new Map<Dimension, Map<string, number>>();
  readonly #done = new Map<Dimension, Set<string>>();
  readonly #projects: ReadonlySet<string> | null;

  constructor(
    dimensions: readonly Dimension[],
    facets: ReadonlyMap<string, ReadonlyMap<string, number>>,
    projects: readonly string[] | undefined,
  ) {
    this.dimensions = dimensions;
    this.#projects = projects ? new Set(projects) : null;
    for (const dimension of dimensions) this.add(dimension, facets.get(dimension), []);
  }

  of(dimension: Dimension): ReadonlyMap<string, number> {
    return this.#counts.get(dimension) ?? new Map<string, number>();
  }

  done(dimension: Dimension): ReadonlySet<string> {
    return this.#done.get(dimension) ?? new Set<string>();
  }

  markDone(dimension: Dimension, values: readonly string[]): void {
    this.#done.set(dimension, new Set([...this.done(dimension), ...values]));
  }

  /** Takes a facet; values that were asked for and that it does not list have no rows. */
  add(dimension: Dimension, facet: ReadonlyMap<string, number> | undefined, asked: readonly string[]): void {
    const counts = new Map([...this.of(dimension), ...asked.map((value) => [value, 0] as const), ...(facet ?? [])]);
    // a facet does not heed its own filter: `projects` lists projects beyond those that are asked for
    if (dimension === 'projects' && this.#projects) {
      for (const value of counts.keys()) if (!this.#projects.has(value)) counts.delete(value);
    }
    this.#counts.set(dimension, counts);
  }

  /** Which of these values were never counted and can be asked for. */
  unknown(filter: Filter, dimension: Dimension, values: readonly string[]): string[] {
    return [...new Set(values)].filter(
      (value) => value !== '' && !this.of(dimension).has(value) && narrow(filter, dimension, [value]) !== null,
    );
  }
}
