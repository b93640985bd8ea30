/**
 * Every issue under a filter, by `issues/search` alone, in about ⌈rows / 500⌉ requests.
 *
 * Time is walked, not bisected: pages 1 to 20 in order of creation, then on from the second of the last row. Only a second
 * that itself holds more than a window needs more: its two ends give 20,000 rows, beyond that it is split by the values of
 * a dimension. A cover is enough, not a partition: rows are told apart by key, and the proof is that as many distinct keys
 * were read as the server counts — never a sum of facet counts, which are sticky and cut at 100 values.
 */
import {
  bothEnds,
  chooseDimension,
  expectedOn,
  formatSecond,
  inLists,
  isNameable,
  LIMITS,
  pack,
  pages,
  type Counted,
  type Dimension,
  type Limits,
} from './window2.ts';

/** Request parameters other than s, asc, p, ps and facets. */
export type Filter = Readonly<Record<string, string>>;

export interface Query {
  readonly filter: Filter;
  readonly sort: string;
  readonly ascending: boolean;
  readonly page: number;
  readonly pageSize: number;
  readonly facets?: readonly string[];
}

/** What the enumeration needs to know of a row. */
export interface SearchRow {
  readonly key: string;
  readonly project: string;
  /** Epoch seconds. */
  readonly created: number;
  /** Facet name → this row's value, empty when it has none. */
  readonly values: Readonly<Record<string, string>>;
}

export interface Answer<T extends SearchRow> {
  readonly total: number;
  readonly rows: readonly T[];
  readonly facets: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface EnumerateOptions<T extends SearchRow> {
  /** Asks the server; limits the requests in flight. */
  readonly fetch: (query: Query) => Promise<Answer<T>>;
  /** Takes rows that were not handed over before; resolves when there is room for more. */
  readonly emit: (rows: readonly T[]) => Promise<void>;
  /** Told that every row created before this second has been emitted. */
  readonly checkpoint?: (second: number) => Promise<void>;
  /** Start here instead of at the beginning of time. */
  readonly resumeFrom?: number;
  /** The projects of the filter, when it names several. */
  readonly projects?: readonly string[];
  /** Values of a dimension that are known from elsewhere; named ones are counted beyond the facet's 100. */
  readonly knownValues?: (dimension: string) => Promise<readonly string[]>;
  /** The server's clock in epoch seconds: a window must not start after it. */
  readonly now?: () => number;
  readonly limits?: Limits;
}

/** A part that could not be reached: what was asked for, how many rows are missing, and why. */
export interface Unreachable {
  readonly filter: Filter;
  readonly missing: number;
  readonly reason: string;
}

export interface Enumeration {
  readonly totalBefore: number;
  readonly totalAfter: number;
  /** Distinct keys read in this pass. */
  readonly seen: number;
  readonly keys: ReadonlySet<string>;
  readonly holes: number;
  readonly unreachable: readonly Unreachable[];
  readonly perProject: ReadonlyMap<string, { readonly total: number | null; readonly seen: number }>;
}

/** Facet names and the parameters that filter by them, in the order in which they are tried. */
const DIMENSIONS: Readonly<Record<string, string>> = {
  projects: 'componentKeys',
  severities: 'severities',
  types: 'types',
  statuses: 'statuses',
  scopes: 'scopes',
  rules: 'rules',
  assignees: 'assignees',
  files: 'files',
  directories: 'directories',
};
/** Orders that are independent of the key and show further ends: by rule then file, and by file then line. */
const OTHER_ORDERS = ['HOTSPOTS', 'FILE_LINE'];
/** A second that starts this close to now may lie in the server's future, where `createdAfter` is a 400. */
const CLOCK_SLACK = 120;
/** How often windows whose count changed while they were read are read again. */
const REREADS = 2;

/** Reads every row under the filter. Throws what `fetch` throws; a shortfall is returned, never thrown. */
export async function enumerate<T extends SearchRow>(
  filter: Filter,
  options: EnumerateOptions<T>,
): Promise<Enumeration> {
  return new Enumerator(filter, options).run();
}

/** A row of a dense second as it is remembered for splitting: its values, not the row. */
type Known = Pick<SearchRow, 'key' | 'values'>;

/** A window of the walk: rows created in [from, to) were read. */
interface Walked {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

class Enumerator<T extends SearchRow> {
  readonly #filter: Filter;
  readonly #options: EnumerateOptions<T>;
  readonly #limits: Limits;
  readonly #lastPage: number;
  /** Every key read → the second it was created in. */
  readonly #created = new Map<string, number>();
  readonly #seenByProject = new Map<string, number>();
  readonly #walked: Walked[] = [];
  #unreachable: Unreachable[] = [];
  #holes = 0;

  constructor(filter: Filter, options: EnumerateOptions<T>) {
    this.#filter = filter;
    this.#options = options;
    this.#limits = options.limits ?? LIMITS;
    this.#lastPage = this.#limits.window / this.#limits.pageSize;
  }

  async run(): Promise<Enumeration> {
    const { projects = [], resumeFrom } = this.#options;
    const facets = projects.length > 1 ? ['projects'] : [];
    const first = await this.#page(this.#from(resumeFrom), 1, true, facets);
    const totals = first.facets.get('projects');
    const lastTotal = await this.#walk(resumeFrom, first);
    const oneWindow = this.#walked.length === 1 && resumeFrom === undefined;
    let totalAfter = oneWindow ? lastTotal : await this.#count(this.#filter);
    for (let reread = 0; reread < REREADS && this.#isShort(totalAfter); reread += 1) totalAfter = await this.#reread();
    return {
      totalBefore: resumeFrom === undefined ? first.total : totalAfter,
      totalAfter,
      seen: this.#created.size,
      keys: new Set(this.#created.keys()),
      holes: this.#holes,
      unreachable: this.#unreachable,
      perProject: new Map(
        projects.map((key) => [
          key,
          {
            total: totals ? (totals.get(key) ?? 0) : projects.length === 1 ? totalAfter : null,
            seen: this.#seenByProject.get(key) ?? 0,
          },
        ]),
      ),
    };
  }

  // ------------------------------------------------------------------ the walk

  /** Walks from a second to the end of time; returns the total of the last answer. */
  async #walk(start: number | undefined, firstAnswer: Answer<T>): Promise<number> {
    let from = start;
    let firstPage = 1;
    let first = firstAnswer;
    // rows of the second that the window starts at, as the window before ended with them
    let carried: readonly T[] = [];
    for (;;) {
      const { window } = this.#limits;
      const filter = this.#from(from);
      if (first.total <= window) {
        const rest = await this.#pages(
          filter,
          pages(firstPage + 1, Math.ceil(first.total / this.#limits.pageSize)),
          true,
        );
        const total = rest.at(-1)?.total ?? first.total;
        // rows that were added while the pages were read may have made one more
        const more = pages(
          Math.ceil(first.total / this.#limits.pageSize) + 1,
          Math.ceil(Math.min(total, window) / this.#limits.pageSize),
        );
        await this.#pages(
          filter,
          more.filter((page) => page > firstPage),
          true,
        );
        this.#walked.push({ from, to: undefined });
        return total;
      }
      const last = firstPage === this.#lastPage ? first : await this.#page(filter, this.#lastPage, true);
      const end = last.rows.at(-1)?.created ?? from ?? 0;
      const middle = this.#pages(filter, pages(firstPage + 1, this.#lastPage - 1), true);
      if (end === from) {
        const rows = [carried, first.rows, ...(await middle).map((answer) => answer.rows), last.rows].flat();
        await this.#readSecond(end, rows);
        this.#walked.push({ from, to: end + 1 });
        await this.#options.checkpoint?.(end + 1);
        from = end + 1;
        firstPage = 1;
        carried = [];
      } else {
        const answers = [first, ...(await this.#overlapping(middle, last, end)), last];
        carried = answers.flatMap((answer) => answer.rows.filter((row) => row.created === end));
        this.#walked.push({ from, to: end });
        await middle;
        await this.#options.checkpoint?.(end);
        from = end;
        // the first rows of the next window are known: its pages that hold nothing else are not asked for
        firstPage = Math.min(Math.floor(carried.length / this.#limits.pageSize) + 1, this.#lastPage);
      }
      if (this.#isFuture(from)) return this.#readFuture(from);
      first = await this.#page(this.#from(from), firstPage, true);
    }
  }

  /** The middle pages, where they may hold rows of the last second too; else nothing, and nobody waits for them. */
  async #overlapping(middle: Promise<Answer<T>[]>, last: Answer<T>, end: number): Promise<Answer<T>[]> {
    return last.rows[0]?.created === end ? middle : [];
  }

  /** Rows dated in the server's future, where no window may start: from the far end, back to the given second. */
  async #readFuture(from: number): Promise<number> {
    let total = 0;
    for (let page = 1; page <= this.#lastPage; page += 1) {
      const answer = await this.#page(this.#filter, page, false);
      total = answer.total;
      const reached = answer.rows.some((row) => row.created < from) || page * this.#limits.pageSize >= total;
      if (reached) break;
    }
    this.#walked.push({ from, to: undefined });
    return total;
  }

  #isFuture(second: number): boolean {
    const now = this.#options.now?.() ?? Date.now() / 1000;
    return second > now - CLOCK_SLACK;
  }

  // ------------------------------------------------------------------ one second that holds more than a window

  /** `head` is its ascending end, in order, which the walk has just read. */
  async #readSecond(second: number, head: readonly T[]): Promise<void> {
    const filter = this.#isFuture(second)
      ? { ...this.#filter, createdAt: formatSecond(second) }
      : { ...this.#filter, createdAfter: formatSecond(second), createdBefore: formatSecond(second + 1) };
    const dense = new DenseSecond(second, this.#options.knownValues ?? (() => Promise.resolve([])));
    for (const row of new Map(head.map((one) => [one.key, one])).values())
      dense.ascending.push({ key: row.key, values: row.values });
    const first = await this.#page(filter, 1, false, [], dense.descending);
    const n = first.total;
    const limits = this.#limits;
    if (n <= 2 * limits.window) {
      await this.#pages(filter, pages(2, Math.ceil((n - limits.window) / limits.pageSize)), false, dense.descending);
      return;
    }
    await this.#pages(filter, pages(2, this.#lastPage), false, dense.descending);
    await this.#split(filter, n, dense, dense.ascending, dense.descending, []);
    const missing = n - this.#seenIn(second);
    if (missing > 0) {
      this.#unreachable.push({
        filter,
        missing,
        reason: `${missing} of the ${n} issues created at ${formatSecond(second)} are alike in every field that issues/search can filter by`,
      });
    }
  }

  /** Splits a slice whose both ends are read by the values of one dimension, and those again where they are too large. */
  async #split(
    filter: Filter,
    total: number,
    dense: DenseSecond,
    ascending: readonly Known[],
    descending: readonly Known[],
    used: readonly string[],
  ): Promise<void> {
    const triedOrders: string[] = [];
    const triedValues = new Set<string>();
    for (;;) {
      const before = this.#created.size;
      const dimensions = await this.#dimensions(filter, dense, used);
      const dimension = chooseDimension(dimensions, total, this.#limits);
      if (dimension) {
        const fresh = dimension.counted.filter(
          ({ value, count }) => isNameable(value) && count > 0 && !triedValues.has(`${dimension.name} ${value}`),
        );
        for (const { value } of fresh) triedValues.add(`${dimension.name} ${value}`);
        for (const { values, count } of pack(fresh, 2 * this.#limits.window)) {
          const matches = (row: Known): boolean => values.includes(row.values[dimension.name] ?? '');
          // newer servers take directories by prefix: what is known of the exact value says nothing about the slice's ends
          const exact = dimension.name !== 'directories';
          const head = exact ? ascending.filter(matches) : [];
          const tail = exact ? descending.filter(matches) : [];
          const slice = { ...filter, [DIMENSIONS[dimension.name] ?? dimension.name]: values.join(',') };
          await this.#readSlice(slice, count, dense, head, tail, [...used, dimension.name]);
        }
      }
      if (this.#matching(dense, filter, total)) return;
      const order = OTHER_ORDERS.find((one) => !triedOrders.includes(one));
      if (order) {
        triedOrders.push(order);
        for (const direction of [true, false])
          await this.#pages(filter, pages(1, this.#lastPage), direction, dense.named, order);
      } else if (this.#created.size === before) {
        return; // nothing new is learnt any more
      }
    }
  }

  /** Reads a slice from both ends, skipping what its parent's ends have shown; splits it when it is too large even so. */
  async #readSlice(
    filter: Filter,
    total: number,
    dense: DenseSecond,
    head: readonly Known[],
    tail: readonly Known[],
    used: readonly string[],
  ): Promise<void> {
    const ends = bothEnds(total, head.length, tail.length, this.#limits);
    const ascending = [...head];
    const descending = [...tail];
    const { pageSize } = this.#limits;
    const ascendingPages = ends?.ascending ?? pages(Math.floor(head.length / pageSize) + 1, this.#lastPage);
    const descendingPages = ends?.descending ?? pages(Math.floor(tail.length / pageSize) + 1, this.#lastPage);
    await Promise.all([
      this.#pages(filter, ascendingPages, true, ascending),
      this.#pages(filter, descendingPages, false, descending),
    ]);
    for (const row of [...ascending, ...descending]) dense.remember(row);
    if (!ends) await this.#split(filter, total, dense, ascending, descending, used);
  }

  /** Are all rows of this slice known by now? Only the whole second can be told for certain. */
  #matching(dense: DenseSecond, filter: Filter, total: number): boolean {
    const names = Object.entries(DIMENSIONS).filter(
      ([, parameter]) => filter[parameter] !== undefined && filter[parameter] !== this.#filter[parameter],
    );
    if (names.length === 0) return this.#seenIn(dense.second) >= total;
    const rows = dense
      .rows()
      .filter((row) =>
        names.every(([name, parameter]) => (filter[parameter] ?? '').split(',').includes(row.values[name] ?? '')),
      );
    return rows.length >= total;
  }

  /** Counts the values of every dimension: the facet's 100 largest, and those that are known by name. */
  async #dimensions(filter: Filter, dense: DenseSecond, used: readonly string[]): Promise<Dimension[]> {
    const several = (this.#options.projects?.length ?? 1) > 1;
    const names = Object.keys(DIMENSIONS).filter((name) => !used.includes(name) && (name !== 'projects' || several));
    // files and directories can only be counted within one project
    const askable =
      several && !used.includes('projects')
        ? names.filter((name) => name !== 'files' && name !== 'directories')
        : names;
    const { facets } = await this.#ask(filter, 1, true, 1, askable);
    const dimensions: Dimension[] = [];
    for (const name of askable) {
      const counts = new Map(facets.get(name));
      const known = [...(await dense.valuesOf(name))].filter((value) => isNameable(value) && !counts.has(value));
      for (const list of inLists(known)) {
        const named = await this.#ask({ ...filter, [DIMENSIONS[name] ?? name]: list.join(',') }, 1, true, 1, [name]);
        for (const value of list) counts.set(value, named.facets.get(name)?.get(value) ?? 0);
      }
      const counted: Counted[] = [...counts].map(([value, count]) => ({ value, count }));
      dimensions.push({ name, counted });
    }
    return dimensions;
  }

  // ------------------------------------------------------------------ proof

  #isShort(total: number): boolean {
    const missing = this.#unreachable.reduce((sum, part) => sum + part.missing, 0);
    return this.#options.resumeFrom === undefined && this.#created.size + this.#holes + missing !== total;
  }

  /** Reads the windows again whose count differs from what was read in them; returns the total after that. */
  async #reread(): Promise<number> {
    for (const { from, to } of this.#walked.splice(0)) {
      const filter = to === undefined ? this.#from(from) : { ...this.#from(from), createdBefore: formatSecond(to) };
      const counted =
        this.#walked.length === 0 && from === undefined && to === undefined ? Number.NaN : await this.#count(filter);
      if (counted === this.#seenBetween(from, to)) {
        this.#walked.push({ from, to });
        continue;
      }
      if (from === undefined && to === undefined) {
        this.#holes = 0;
        this.#created.clear();
        this.#seenByProject.clear();
      }
      if (counted <= this.#limits.window || Number.isNaN(counted)) {
        const first = await this.#page(filter, 1, true);
        await this.#pages(
          filter,
          pages(2, Math.ceil(Math.min(first.total, this.#limits.window) / this.#limits.pageSize)),
          true,
        );
      } else if (from !== undefined && to === from + 1) {
        this.#unreachable = this.#unreachable.filter((part) => part.filter['createdAfter'] !== formatSecond(from));
        const answers = await this.#pages(filter, pages(1, this.#lastPage), true);
        await this.#readSecond(
          from,
          answers.flatMap((answer) => answer.rows),
        );
      }
      this.#walked.push({ from, to });
    }
    return this.#count(this.#filter);
  }

  #seenIn(second: number): number {
    return this.#seenBetween(second, second + 1);
  }

  #seenBetween(from: number | undefined, to: number | undefined): number {
    let seen = 0;
    for (const created of this.#created.values())
      if (created >= (from ?? -Infinity) && created < (to ?? Infinity)) seen += 1;
    return seen;
  }

  // ------------------------------------------------------------------ asking

  #from(second: number | undefined): Filter {
    return second === undefined ? this.#filter : { ...this.#filter, createdAfter: formatSecond(second) };
  }

  async #count(filter: Filter): Promise<number> {
    return (await this.#ask(filter, 1, true, 1, [])).total;
  }

  async #ask(
    filter: Filter,
    page: number,
    ascending: boolean,
    pageSize: number,
    facets: readonly string[],
    sort = 'CREATION_DATE',
  ): Promise<Answer<T>> {
    return this.#options.fetch({ filter, sort, ascending, page, pageSize, ...(facets.length > 0 && { facets }) });
  }

  /** Asks for one page, emits what is new on it, and remembers it where a dense second is being read. */
  async #page(
    filter: Filter,
    page: number,
    ascending: boolean,
    facets: readonly string[] = [],
    memory?: Known[],
    sort?: string,
  ): Promise<Answer<T>> {
    const answer = await this.#ask(filter, page, ascending, this.#limits.pageSize, facets, sort);
    this.#holes += Math.max(0, expectedOn(page, answer.total, this.#limits) - answer.rows.length);
    const fresh = answer.rows.filter((row) => !this.#created.has(row.key));
    for (const row of fresh) {
      this.#created.set(row.key, row.created);
      this.#seenByProject.set(row.project, (this.#seenByProject.get(row.project) ?? 0) + 1);
    }
    for (const { key, values } of memory ? answer.rows : []) memory?.push({ key, values });
    if (fresh.length > 0) await this.#options.emit(fresh);
    return answer;
  }

  async #pages(
    filter: Filter,
    wanted: readonly number[],
    ascending: boolean,
    memory?: Known[],
    sort?: string,
  ): Promise<Answer<T>[]> {
    return Promise.all(wanted.map((page) => this.#page(filter, page, ascending, [], memory, sort)));
  }
}

/** What is known about the rows of one second that must be split. */
class DenseSecond {
  readonly second: number;
  readonly ascending: Known[] = [];
  readonly descending: Known[] = [];
  /** Rows met in other orders: they name values, but are no end of the order that slices are read in. */
  readonly named: Known[] = [];
  readonly #others = new Map<string, Known>();
  readonly #knownValues: (dimension: string) => Promise<readonly string[]>;

  constructor(second: number, knownValues: (dimension: string) => Promise<readonly string[]>) {
    this.second = second;
    this.#knownValues = knownValues;
  }

  remember(row: Known): void {
    this.#others.set(row.key, row);
  }

  rows(): Known[] {
    return [
      ...new Map(
        [...this.ascending, ...this.descending, ...this.named, ...this.#others.values()].map((row) => [row.key, row]),
      ).values(),
    ];
  }

  async valuesOf(dimension: string): Promise<ReadonlySet<string>> {
    return new Set([...this.rows().map((row) => row.values[dimension] ?? ''), ...(await this.#knownValues(dimension))]);
  }
}
