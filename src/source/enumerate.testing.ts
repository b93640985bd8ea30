/**
 * `issues/search` in memory, with the real server's orders, window, facets, filters and date rules (10.0 and 26.9), for
 * testing the enumeration. Requests are answered one after the other; a mutation may happen before each of them.
 */
import type { Answer, Dimension, Filter, Query, SearchRow } from './enumerate.ts';
import { DIMENSIONS, FACET_VALUES, LIMITS, parameterOf, parseDate, type Limits } from './window.ts';

export interface ModelIssue extends SearchRow {
  readonly values: Readonly<Record<Dimension, string>>;
  readonly line: number;
}

export interface ModelOptions {
  limits?: Partial<Limits>;
  /** Values a facet lists. */
  facetValues?: number;
  /** `directories=src` finds `src/deep` too: from 25.1 on. */
  directoryPrefix?: boolean;
  /** The server's clock in epoch seconds. */
  now?: number;
  /** Keys that the index names and the database has lost. */
  holes?: ReadonlySet<string>;
  /** Called before the n-th request (from 0) is answered. */
  mutate?: (model: SearchModel, n: number) => void;
}

/** The server's 400. */
export class BadRequest extends Error {}

/** The clock of the tests: 2026-11-22T15:40:16Z. */
export const NOW = 1_795_362_016;

export class SearchModel {
  readonly log: Query[] = [];
  readonly now: number;
  readonly limits: Limits;
  readonly #options: ModelOptions;
  readonly #issues: Map<string, ModelIssue>;
  /** Sorted results by filter and sort, until something changes. */
  readonly #results = new Map<string, ModelIssue[]>();

  constructor(issues: Iterable<ModelIssue>, options: ModelOptions = {}) {
    this.#issues = new Map([...issues].map((one) => [one.key, one]));
    this.#options = options;
    this.now = options.now ?? NOW;
    this.limits = { ...LIMITS, ...options.limits };
  }

  get issues(): ReadonlyMap<string, ModelIssue> {
    return this.#issues;
  }

  add(one: ModelIssue): void {
    this.#issues.set(one.key, one);
    this.#results.clear();
  }

  remove(key: string): void {
    this.#issues.delete(key);
    this.#results.clear();
  }

  async fetch(query: Query): Promise<Answer<ModelIssue>> {
    await Promise.resolve();
    this.#options.mutate?.(this, this.log.length);
    this.log.push(query);
    const { filter, page, pageSize, facets = [] } = query;
    if (pageSize < 1 || pageSize > this.limits.pageSize) throw new BadRequest(`page size ${pageSize}`);
    if (page * pageSize > this.limits.window) {
      throw new BadRequest(
        `Can return only the first ${this.limits.window} results. ${page * pageSize}th result asked.`,
      );
    }
    const sorted = this.#sorted(filter, query.sort);
    const from = (page - 1) * pageSize;
    const rows = query.ascending
      ? sorted.slice(from, from + pageSize)
      : sorted.slice(Math.max(0, sorted.length - from - pageSize), Math.max(0, sorted.length - from)).reverse();
    return {
      total: sorted.length,
      rows: rows.filter(({ key }) => this.#options.holes?.has(key) !== true),
      facets: new Map(facets.map((name) => [name, this.#facet(name as Dimension, filter)])),
    };
  }

  #sorted(filter: Filter, sort: string): ModelIssue[] {
    const id = JSON.stringify([filter, sort]);
    let result = this.#results.get(id);
    if (result === undefined) {
      const order = ORDERS[sort];
      if (order === undefined) throw new BadRequest(`Value of parameter 's' (${sort})`);
      const isWhole = Object.keys(filter).length === 0;
      // filtering keeps the order, so that the whole is sorted once
      result = isWhole
        ? [...this.#issues.values()].sort(order)
        : this.#sorted({}, sort).filter(this.#predicate(filter));
      this.#results.set(id, result);
    }
    return result;
  }

  /** The biggest values, not heeding the facet's own filter, and every value that the filter names. */
  #facet(dimension: Dimension, filter: Filter): Map<string, number> {
    if (!DIMENSIONS.includes(dimension)) throw new BadRequest(`Value of parameter 'facets' (${dimension})`);
    if ((dimension === 'files' || dimension === 'directories') && filter['componentKeys'] === undefined) {
      throw new BadRequest(`Facet(s) '${dimension}' require to also filter by project`);
    }
    const own = parameterOf(dimension);
    const others = Object.fromEntries(Object.entries(filter).filter(([name]) => name !== own));
    const counts = new Map<string, number>();
    for (const one of this.#sorted(others, 'CREATION_DATE')) {
      const value = one.values[dimension];
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const biggest = [...counts]
      .filter(([value]) => value !== '' || dimension === 'assignees' || dimension === 'resolutions')
      .toSorted((a, b) => b[1] - a[1] || compare(a[0], b[0]))
      .slice(0, this.#options.facetValues ?? FACET_VALUES);
    return new Map([...biggest, ...list(filter[own]).flatMap((name) => [[name, counts.get(name) ?? 0] as const])]);
  }

  #predicate(filter: Filter): (one: ModelIssue) => boolean {
    const tests: ((one: ModelIssue) => boolean)[] = [];
    for (const dimension of DIMENSIONS) {
      const values = list(filter[parameterOf(dimension)]);
      if (values.length === 0) continue;
      const wanted = new Set(values);
      const prefixes = dimension === 'directories' && this.#options.directoryPrefix === true;
      tests.push(({ values: { [dimension]: value } }) =>
        prefixes ? values.some((prefix) => value.startsWith(prefix)) : wanted.has(value),
      );
    }
    if (filter['assigned'] === 'false') tests.push(({ values }) => values.assignees === '');
    if (filter['resolved'] === 'false') tests.push(({ values }) => values.resolutions === '');
    const date = (name: string) => (filter[name] === undefined ? undefined : strictDate(filter[name]));
    const [after, before, at] = [date('createdAfter'), date('createdBefore'), date('createdAt')];
    if (after !== undefined && after > this.now) throw new BadRequest('Start bound cannot be in the future');
    if (after !== undefined && before !== undefined && after >= before) {
      throw new BadRequest('Start bound cannot be larger or equal to end bound');
    }
    if (after !== undefined) tests.push(({ created }) => created >= after);
    if (before !== undefined) tests.push(({ created }) => created < before);
    if (at !== undefined) tests.push(({ created }) => created === at);
    return (one) => tests.every((test) => test(one));
  }
}

/** Lists are split at every comma and trimmed; an empty list is no filter. */
function list(parameter: string | undefined): string[] {
  return (parameter ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

function strictDate(text: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/.test(text)) {
    throw new BadRequest(`Date '${text}' cannot be parsed as either a date or date+time`);
  }
  return parseDate(text);
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Field = (one: ModelIssue) => string | number;
const by =
  (...fields: Field[]) =>
  (a: ModelIssue, b: ModelIssue) => {
    for (const field of fields) {
      const order = compare(field(a), field(b));
      if (order !== 0) return order;
    }
    return 0;
  };
const key: Field = (one) => one.key;
const value =
  (dimension: Dimension): Field =>
  (one) =>
    one.values[dimension];
const line: Field = (one) => one.line;

/** Every explicit sort ends with the key, and `asc=false` reverses all of it. */
const ORDERS: Record<string, (a: ModelIssue, b: ModelIssue) => number> = {
  CREATION_DATE: by((one) => one.created, key),
  HOTSPOTS: by(value('rules'), value('files'), line, key),
  FILE_LINE: by(value('files'), line, value('severities'), key),
};

/** Issues with random looking keys, the n-th made by `make(n)`; what it leaves out is the same for all of them. */
export function issues(
  count: number,
  make: (n: number) => Partial<Record<Dimension, string>> & { created?: number; project?: string; key?: string },
): ModelIssue[] {
  return Array.from({ length: count }, (_, n) => {
    const { created, project = 'p', key: given, ...values } = make(n);
    return {
      // a multiplicative hash: keys in no order that has to do with n, and no two alike
      key: given ?? `${((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-${n}`,
      project,
      created: created ?? NOW - 86_400,
      line: (n * 7919) % 1000,
      values: {
        projects: project,
        severities: 'MAJOR',
        types: 'CODE_SMELL',
        statuses: 'OPEN',
        resolutions: '',
        scopes: 'MAIN',
        assignees: '',
        rules: 'java:S1',
        files: 'src/A.java',
        directories: 'src',
        ...values,
      },
    };
  });
}
