/**
 * The index of issues: orders, filters and facets, with the same results as the server's. Orders are cached per project
 * and for the whole data set; filtered lists are kept a while, because a client pages through them.
 */
import { categoryOf, directoryOf, issueStatusOf } from './dataset.ts';
import type { Dataset, Issue, Project } from './dataset.ts';
import { IMPACT_SEVERITIES, QUALITIES, RESOLUTIONS, SCOPES, SEVERITIES, TYPES } from './versions.ts';
import type { Features } from './versions.ts';

export type SortField =
  | 'CREATION_DATE'
  | 'UPDATE_DATE'
  | 'CLOSE_DATE'
  | 'SEVERITY'
  | 'STATUS'
  | 'FILE_LINE'
  | 'HOTSPOTS'
  | 'TYPE_SEVERITY'
  | 'IMPACT_RANK'
  | 'DEFAULT';

export interface Filter {
  /** The parameter it came from: a facet does not apply its own. */
  readonly name: string;
  /** What it was asked for, to recognise the same question. */
  readonly text: string;
  readonly test: (issue: Issue) => boolean;
}

export interface Query {
  /** The projects asked for; undefined: all. Unknown and forbidden ones are left out. */
  readonly projects: readonly Project[] | undefined;
  /** The projects the caller may browse; undefined: all. */
  readonly visible: readonly Project[] | undefined;
  readonly from: number | undefined;
  /** Exclusive. */
  readonly to: number | undefined;
  readonly filters: readonly Filter[];
  readonly sort: SortField;
  readonly ascending: boolean;
}

export interface Selection {
  readonly total: number;
  readonly effort: number;
  page(p: number, ps: number): Issue[];
  readonly rows: Rows;
}

/** A stretch of an order. */
export interface Rows {
  readonly issues: readonly Issue[];
  readonly from: number;
  readonly to: number;
}

interface Order {
  readonly issues: readonly Issue[];
  /** Effort of all issues before position i. */
  readonly effortBefore: Float64Array;
  readonly stamp: number;
}

type Compare = (a: Issue, b: Issue) => number;

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const byKey: Compare = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
const severityRank: Readonly<Record<string, number>> = { INFO: 0, MINOR: 1, MAJOR: 2, CRITICAL: 3, BLOCKER: 4 };
const impactRank: Readonly<Record<string, number>> = { INFO: 0, LOW: 1, MEDIUM: 2, HIGH: 3, BLOCKER: 4 };

/** Closed issues have no line, and what is missing comes first. */
function line(issue: Issue): number {
  return issue.status === 'CLOSED' ? -1 : (issue.line ?? -1);
}

const byFile: Compare = (a, b) =>
  compareText(a.project.uuid, b.project.uuid) || compareText(a.path ?? '', b.path ?? '') || line(a) - line(b);

function comparator(data: Dataset, sort: SortField): Compare {
  const rank = (issue: Issue): number =>
    Math.max(-1, ...data.impactsOf(issue).map((impact) => impactRank[impact.severity] ?? 0));
  switch (sort) {
    case 'CREATION_DATE':
      return (a, b) => a.created - b.created || byKey(a, b);
    case 'UPDATE_DATE':
      return (a, b) => a.updated - b.updated || byKey(a, b);
    case 'CLOSE_DATE':
      return (a, b) => (a.closed ?? -1) - (b.closed ?? -1) || byKey(a, b);
    case 'SEVERITY':
      return (a, b) => (severityRank[a.severity] ?? 0) - (severityRank[b.severity] ?? 0) || byKey(a, b);
    case 'STATUS':
      return (a, b) => compareText(a.status, b.status) || byKey(a, b);
    case 'FILE_LINE':
      return (a, b) => byFile(a, b) || (severityRank[b.severity] ?? 0) - (severityRank[a.severity] ?? 0) || byKey(a, b);
    case 'HOTSPOTS':
      return (a, b) => compareText(a.rule, b.rule) || byFile(a, b) || byKey(a, b);
    case 'TYPE_SEVERITY':
      return (a, b) =>
        compareText(a.type, b.type) || (severityRank[a.severity] ?? 0) - (severityRank[b.severity] ?? 0) || byKey(a, b);
    case 'IMPACT_RANK':
      return (a, b) => rank(a) - rank(b) || byKey(a, b);
    case 'DEFAULT':
      return (a, b) => b.created - a.created || byFile(a, b) || byKey(a, b);
  }
}

const STATUS_RANK: Readonly<Record<string, number>> = {
  CLOSED: 0,
  CONFIRMED: 1,
  IN_SANDBOX: 2,
  OPEN: 3,
  REOPENED: 4,
  RESOLVED: 5,
};

/** The number that a sort looks at first; what is equal there is ordered by key (DEFAULT: by file). */
const FIRST: Partial<Record<SortField, (issue: Issue) => number>> = {
  CREATION_DATE: (issue) => issue.created,
  UPDATE_DATE: (issue) => issue.updated,
  CLOSE_DATE: (issue) => issue.closed ?? -1,
  SEVERITY: (issue) => severityRank[issue.severity] ?? 0,
  STATUS: (issue) => STATUS_RANK[issue.status] ?? 0,
  DEFAULT: (issue) => -issue.created,
};

/** Sorts by a number first and looks at the rest only where that is equal: a million rows in well under a second. */
function sortByNumber(issues: readonly Issue[], first: (issue: Issue) => number, rest: Compare): Issue[] {
  const count = issues.length;
  const room = 2 ** Math.ceil(Math.log2(Math.max(2, count)));
  const marks = new Float64Array(count);
  for (let i = 0; i < count; i++) marks[i] = first(issues[i]!) * room + i;
  marks.sort();
  const sorted = new Array<Issue>(count);
  let start = 0;
  let present = NaN;
  for (let i = 0; i < count; i++) {
    const mark = marks[i]!;
    const at = Math.floor(mark / room);
    if (at !== present) {
      sortRun(sorted, start, i, rest);
      start = i;
      present = at;
    }
    sorted[i] = issues[mark - at * room]!;
  }
  sortRun(sorted, start, count, rest);
  return sorted;
}

function sortRun(issues: Issue[], from: number, to: number, compare: Compare): void {
  if (to - from < 2) return;
  const run = issues.slice(from, to);
  const sorted = (compare === byKey && run.length > 64 ? sortByHexKey(run) : undefined) ?? run.sort(compare);
  for (let i = 0; i < sorted.length; i++) issues[from + i] = sorted[i]!;
}

/** Keys that begin with eight hexadecimal digits, as numbers; undefined when there are others. */
function sortByHexKey(issues: readonly Issue[]): Issue[] | undefined {
  const count = issues.length;
  const room = 2 ** 21;
  if (count >= room) return undefined;
  const marks = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const { key } = issues[i]!;
    let prefix = 0;
    for (let at = 0; at < 8; at++) {
      const code = key.charCodeAt(at);
      if (code >= 48 && code <= 57) prefix = prefix * 16 + code - 48;
      else if (code >= 97 && code <= 102) prefix = prefix * 16 + code - 87;
      else return undefined;
    }
    marks[i] = prefix * room + i;
  }
  marks.sort();
  const sorted = new Array<Issue>(count);
  let start = 0;
  let present = -1;
  for (let i = 0; i < count; i++) {
    const prefix = Math.floor(marks[i]! / room);
    if (prefix !== present) {
      sortPiece(sorted, start, i);
      start = i;
      present = prefix;
    }
    sorted[i] = issues[marks[i]! - prefix * room]!;
  }
  sortPiece(sorted, start, count);
  return sorted;
}

function sortPiece(issues: Issue[], from: number, to: number): void {
  if (to - from < 2) return;
  const piece = issues.slice(from, to).sort(byKey);
  for (let i = 0; i < piece.length; i++) issues[from + i] = piece[i]!;
}

interface Kept {
  readonly stamp: number;
  readonly rows: readonly Issue[];
  readonly effort: number;
}

/** How many rows the filtered lists may hold together. */
const KEPT_ROWS = 8_000_000;

export class IssueIndex {
  readonly #data: Dataset;
  readonly #orders = new WeakMap<Project | Dataset, Map<SortField, Order>>();
  readonly #merged = new Map<string, Order>();
  readonly #kept = new Map<string, Kept>();
  #keptRows = 0;

  constructor(data: Dataset) {
    this.#data = data;
  }

  /** Makes the orders that a reader of everything needs, so that no request has to. */
  warm(): void {
    for (const sort of ['CREATION_DATE', 'UPDATE_DATE'] as const) {
      this.#order(undefined, sort);
      for (const project of this.#data.projects) this.#order(project, sort);
    }
  }

  #order(project: Project | undefined, sort: SortField): Order {
    const scope = project ?? this.#data;
    let orders = this.#orders.get(scope);
    if (!orders) this.#orders.set(scope, (orders = new Map<SortField, Order>()));
    const stamp = this.#data.stamp(project, sort === 'CREATION_DATE' ? 'rows' : 'changes');
    const known = orders.get(sort);
    if (known?.stamp === stamp) return known;
    const issues = project ? project.issues : this.#data.projects.flatMap((one) => one.issues);
    const made = makeOrder(this.#data, issues, sort, stamp);
    orders.set(sort, made);
    return made;
  }

  #orderOf(projects: readonly Project[] | undefined, sort: SortField): Order {
    if (!projects) return this.#order(undefined, sort);
    if (projects.length === 1) return this.#order(projects[0], sort);
    const stamp = this.#data.stamp(undefined, 'changes');
    const name = `${sort} ${projects.map((project) => project.uuid).join(' ')}`;
    const known = this.#merged.get(name);
    if (known?.stamp === stamp) return known;
    const made = makeOrder(
      this.#data,
      projects.flatMap((project) => project.issues),
      sort,
      stamp,
    );
    if (this.#merged.size >= 32) this.#merged.clear();
    this.#merged.set(name, made);
    return made;
  }

  /** The projects that a query reads: asked for and visible; undefined is all of them. */
  static scope(query: Query, ignoreAsked = false): readonly Project[] | undefined {
    if (!query.projects || ignoreAsked) return query.visible;
    if (!query.visible) return query.projects;
    const visible = new Set(query.visible);
    return query.projects.filter((project) => visible.has(project));
  }

  select(query: Query): Selection {
    const { rows, effort } = this.#rows(query, undefined);
    const total = rows.to - rows.from;
    const tiesAscend = query.sort === 'IMPACT_RANK' && !query.ascending;
    return {
      total,
      effort,
      rows,
      page: (p, ps) => {
        const first = (p - 1) * ps;
        const last = Math.min(first + ps, total);
        if (first >= last) return [];
        if (query.ascending || query.sort === 'DEFAULT') return rows.issues.slice(rows.from + first, rows.from + last);
        const page = rows.issues.slice(rows.to - last, rows.to - first).reverse();
        return tiesAscend ? this.#impactsDescending(rows, first, last) : page;
      },
    };
  }

  #impactsDescending(rows: Rows, first: number, last: number): Issue[] {
    const compare = comparator(this.#data, 'IMPACT_RANK');
    const sorted = rows.issues.slice(rows.from, rows.to);
    const rank = (a: Issue, b: Issue): number => {
      const keys = byKey(a, b);
      const both = compare(a, b);
      const rankA = Math.max(-1, ...this.#data.impactsOf(a).map((impact) => impactRank[impact.severity] ?? 0));
      const rankB = Math.max(-1, ...this.#data.impactsOf(b).map((impact) => impactRank[impact.severity] ?? 0));
      return rankA === rankB ? keys : -both;
    };
    return sorted.sort(rank).slice(first, last);
  }

  /** Rows of the query without the filter of that name. */
  rowsFor(query: Query, without: string | undefined): Rows {
    return this.#rows(query, without).rows;
  }

  #rows(query: Query, without: string | undefined): { rows: Rows; effort: number } {
    const scope = IssueIndex.scope(query, without === 'projects');
    const order = this.#orderOf(scope, query.sort);
    let from = 0;
    let to = order.issues.length;
    const filters = query.filters.filter((filter) => filter.name !== without);
    if (query.sort === 'CREATION_DATE') {
      if (query.from !== undefined) from = firstAtOrAfter(order.issues, query.from);
      if (query.to !== undefined) to = Math.max(from, firstAtOrAfter(order.issues, query.to));
    } else if (query.from !== undefined || query.to !== undefined) {
      const low = query.from ?? -Infinity;
      const high = query.to ?? Infinity;
      filters.push({
        name: 'created',
        text: `${low}-${high}`,
        test: (issue) => issue.created >= low && issue.created < high,
      });
    }
    if (filters.length === 0) {
      const effort = (order.effortBefore[to] ?? 0) - (order.effortBefore[from] ?? 0);
      return { rows: { issues: order.issues, from, to }, effort };
    }
    const name = JSON.stringify([
      query.sort,
      scope ? scope.map((project) => project.uuid) : null,
      query.sort === 'CREATION_DATE' ? [query.from, query.to] : null,
      filters.map((filter) => [filter.name, filter.text]),
    ]);
    const kept = this.#keep(name, () => {
      const rows: Issue[] = [];
      let effort = 0;
      for (let i = from; i < to; i++) {
        const issue = order.issues[i]!;
        if (passes(filters, issue)) {
          rows.push(issue);
          effort += issue.effort;
        }
      }
      return { rows, effort };
    });
    return { rows: { issues: kept.rows, from: 0, to: kept.rows.length }, effort: kept.effort };
  }

  #keep(name: string, make: () => { rows: Issue[]; effort: number }): Kept {
    const stamp = this.#data.stamp(undefined, 'changes');
    const known = this.#kept.get(name);
    if (known?.stamp === stamp) return known;
    if (known) {
      this.#keptRows -= known.rows.length;
      this.#kept.delete(name);
    }
    const made = { stamp, ...make() };
    this.#kept.set(name, made);
    this.#keptRows += made.rows.length;
    for (const [oldest, entry] of this.#kept) {
      if (this.#kept.size <= 512 && this.#keptRows <= KEPT_ROWS) break;
      if (oldest === name) break;
      this.#keptRows -= entry.rows.length;
      this.#kept.delete(oldest);
    }
    return made;
  }
}

function passes(filters: readonly Filter[], issue: Issue): boolean {
  for (const filter of filters) if (!filter.test(issue)) return false;
  return true;
}

function makeOrder(data: Dataset, issues: readonly Issue[], sort: SortField, stamp: number): Order {
  const first = FIRST[sort];
  const compare = comparator(data, sort);
  const sorted =
    first && issues.length < 4_000_000
      ? sortByNumber(issues, first, sort === 'DEFAULT' ? compare : byKey)
      : issues.toSorted(compare);
  const effortBefore = new Float64Array(sorted.length + 1);
  let effort = 0;
  for (let i = 0; i < sorted.length; i++) effortBefore[i + 1] = effort += sorted[i]!.effort;
  return { issues: sorted, effortBefore, stamp };
}

function firstAtOrAfter(issues: readonly Issue[], date: number): number {
  let low = 0;
  let high = issues.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (issues[middle]!.created < date) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface Bucket {
  readonly val: string;
  readonly count: number;
}

export interface FacetContext {
  readonly data: Dataset;
  readonly features: Features;
  readonly login: string;
  readonly now: number;
  readonly day: (date: number) => string;
  readonly shift: number;
  /** The values that each filter names, by parameter. */
  readonly named: Readonly<Record<string, readonly string[] | undefined>>;
}

type ValuesOf = (issue: Issue) => string | readonly string[] | undefined;

interface FacetKind {
  readonly values: ValuesOf;
  /** A closed list: every value is there, with 0 too. */
  readonly always?: readonly string[];
  /** Values that a filter names are there with 0 too. */
  readonly namedAlways?: boolean;
  readonly fixedOrder?: boolean;
}

function facetKind(name: string, context: FacetContext): FacetKind | undefined {
  const { data, features } = context;
  switch (name) {
    case 'projects':
      return { values: (issue) => issue.project.key, namedAlways: true };
    case 'files':
      return { values: (issue) => issue.path, namedAlways: true };
    case 'directories':
      return { values: (issue) => (issue.path === undefined ? undefined : directoryOf(issue.path)) };
    case 'rules':
      return { values: (issue) => issue.rule, namedAlways: true };
    case 'assignees':
      return { values: (issue) => issue.assignee ?? '', always: [''], namedAlways: true };
    case 'assigned_to_me':
      return {
        values: (issue) => (issue.assignee === context.login ? context.login : undefined),
        always: [context.login],
      };
    case 'severities':
      return { values: (issue) => issue.severity, always: SEVERITIES };
    case 'statuses':
      return { values: (issue) => issue.status, always: features.lists.statuses };
    case 'resolutions':
      return { values: (issue) => issue.resolution ?? '', always: ['', ...RESOLUTIONS] };
    case 'types':
      return { values: (issue) => issue.type, always: TYPES };
    case 'scopes':
      return { values: (issue) => issue.scope, always: SCOPES };
    case 'languages':
      return { values: (issue) => data.rule(issue.rule).language || undefined, namedAlways: true };
    case 'tags':
      return { values: (issue) => issue.tags, namedAlways: true };
    case 'author':
      return { values: (issue) => issue.author || undefined };
    case 'codeVariants':
      return { values: (issue) => issue.more?.codeVariants };
    case 'issueStatuses':
      return { values: issueStatusOf, always: features.lists.issueStatuses.slice(0, 5) };
    case 'impactSeverities':
      return {
        values: (issue) => [
          ...new Set(data.impactsOf(issue).map((impact) => shownSeverity(impact.severity, features))),
        ],
        always: IMPACT_SEVERITIES,
        fixedOrder: true,
      };
    case 'impactSoftwareQualities':
      return {
        values: (issue) => data.impactsOf(issue).map((impact) => impact.softwareQuality),
        always: QUALITIES,
        fixedOrder: true,
      };
    case 'cleanCodeAttributeCategories':
      return { values: (issue) => categoryOf(attributeOf(data, issue)), always: [] };
    case 'prioritizedRule':
      return { values: (issue) => String(issue.more?.prioritizedRule ?? false) };
    default:
      return undefined;
  }
}

export function attributeOf(data: Dataset, issue: Issue): string {
  return issue.more?.cleanCodeAttribute ?? data.rule(issue.rule).cleanCodeAttribute;
}

/** Before 10.8 there were three severities of impacts. */
export function shownSeverity(severity: string, features: Features): string {
  if (features.fiveImpactSeverities) return severity;
  return severity === 'INFO' ? 'LOW' : severity === 'BLOCKER' ? 'HIGH' : severity;
}

/** The hundred biggest values without the facet's own filter, and every value that this filter names. */
export function facet(index: IssueIndex, query: Query, name: string, context: FacetContext): Bucket[] {
  if (name === 'createdAt') return createdAt(index, query, context);
  const kind = facetKind(name, context);
  if (!kind) return [];
  const counts =
    name === 'projects'
      ? countProjects(index, query, context.data)
      : countValues(index.rowsFor(query, name), kind.values);
  const named = context.named[name] ?? [];
  let buckets = [...counts].map(([val, count]) => ({ val, count }));
  buckets.sort((a, b) => b.count - a.count || compareText(a.val, b.val));
  const rest = new Map(buckets.slice(100).map((bucket) => [bucket.val, bucket.count]));
  buckets = buckets.slice(0, 100);
  const shown = new Set(buckets.map((bucket) => bucket.val));
  const more = [...(kind.always ?? []), ...named];
  for (const val of more) {
    if (shown.has(val)) continue;
    const count = rest.get(val) ?? counts.get(val) ?? 0;
    if (count === 0 && !kind.namedAlways && !kind.always?.includes(val)) continue;
    shown.add(val);
    buckets.push({ val, count });
  }
  if (kind.fixedOrder && kind.always) {
    // as the server lists them, the highest first
    const position = kind.always.toReversed();
    buckets.sort((a, b) => position.indexOf(a.val) - position.indexOf(b.val));
  }
  return buckets;
}

function countValues(rows: Rows, values: ValuesOf): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = rows.from; i < rows.to; i++) {
    const value = values(rows.issues[i]!);
    if (value === undefined) continue;
    if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
    else for (const one of value) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

function countProjects(index: IssueIndex, query: Query, data: Dataset): Map<string, number> {
  if (query.filters.length > 0 || query.from !== undefined || query.to !== undefined) {
    return countValues(index.rowsFor(query, 'projects'), (issue) => issue.project.key);
  }
  const counts = new Map<string, number>();
  for (const project of IssueIndex.scope(query, true) ?? data.projects) {
    if (project.issues.length > 0) counts.set(project.key, project.issues.length);
  }
  return counts;
}

function createdAt(index: IssueIndex, query: Query, context: FacetContext): Bucket[] {
  const rows = index.rowsFor(query, undefined);
  const { day, shift } = context;
  let oldest = query.from;
  for (let i = rows.from; i < rows.to && query.from === undefined; i++) {
    const { created } = rows.issues[i]!;
    if (oldest === undefined || created < oldest) oldest = created;
  }
  if (oldest === undefined) return [];
  const end = query.to ?? context.now;
  const span = end - oldest;
  const DAY = 86_400;
  const step =
    span < 20 * DAY ? 'day' : span < 20 * 7 * DAY ? 'week' : span < 20 * 30 * DAY ? 'month' : ('year' as const);
  const start = (date: number): number => bucketStart(date + shift, step) - shift;
  const counts = new Map<string, number>();
  let last = Math.max(oldest, end - 1);
  for (let i = rows.from; i < rows.to; i++) last = Math.max(last, rows.issues[i]!.created);
  for (let at = start(oldest); at <= last; at = bucketStart(nextBucket(at + shift, step), step) - shift) {
    counts.set(day(at), 0);
  }
  for (let i = rows.from; i < rows.to; i++) {
    const val = day(start(rows.issues[i]!.created));
    counts.set(val, (counts.get(val) ?? 0) + 1);
  }
  return [...counts].map(([val, count]) => ({ val, count }));
}

type Step = 'day' | 'week' | 'month' | 'year';

function bucketStart(date: number, step: Step): number {
  const at = new Date(date * 1000);
  const year = at.getUTCFullYear();
  if (step === 'year') return Date.UTC(year, 0, 1) / 1000;
  if (step === 'month') return Date.UTC(year, at.getUTCMonth(), 1) / 1000;
  const back = step === 'week' ? (at.getUTCDay() + 6) % 7 : 0;
  return Date.UTC(year, at.getUTCMonth(), at.getUTCDate() - back) / 1000;
}

function nextBucket(date: number, step: Step): number {
  const days = { day: 1, week: 7, month: 32, year: 367 }[step];
  return date + days * 86_400;
}
