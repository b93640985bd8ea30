/** SonarQube Server as a source: which streams there are, and which requests bring which of them. */
import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { ConnectorError } from '../protocol/errors.ts';
import type { Stream } from '../protocol/stream.ts';
import type { Cursor, Emit, Look, PassTraits, ProjectRef, Source, Tally, Task } from '../protocol/sync.ts';
import { ask, noTally, page, projectProblem } from './ask.ts';
import type { Reply, SonarClient } from './client.ts';
import { AHEAD, enumerate, type Answer, type Filter, type Query } from './enumerate.ts';
import { handled } from './handled.ts';
import type { Begun, ListPage } from './listing.ts';
import { inLists } from './lists.ts';
import { readUpdated } from './updated.ts';
import { analyses } from './streams/analyses.ts';
import { hotspots, readHotspots } from './streams/hotspots.ts';
import { emitIssues, issues, searchIssues, type IssueRow } from './streams/issues.ts';
import { measures, readMeasures, type Measure } from './streams/measures.ts';
import {
  analysisIdentity,
  answer as historyAnswer,
  measuresHistory,
  readHistory,
  type History,
  type Point,
} from './streams/measures_history.ts';
import { beginMetrics, metrics, readMetrics, type Metric } from './streams/metrics.ts';
import { ALL_PROJECTS, beginProjects, projects, type BegunProjects, type Listing } from './streams/projects.ts';
import { PAGE_SIZE, parseDate, WINDOW } from './window.ts';

/** Every stream, in order of their references. One file = one table. */
export const STREAMS: readonly Stream[] = [projects, metrics, analyses, measures, measuresHistory, issues, hotspots];

/** Projects in one `componentKeys` list: small projects share requests. */
const GROUP = 100;
/**
 * Unresolved issues in one list. Lists that end early let the first issues be read while the measures of later projects
 * are: a list costs half a page more on average. One that a single window does not show is filled further, since up to
 * 20,000 issues both ends of its order cost nothing else.
 */
const ENOUGH_IN_LIST = 8_000;
const MOST_IN_LIST = 18_000;
/** A project with more unresolved issues than this is walked on its own, with a cursor of its own. */
const LARGE = 20_000;
/** Bytes of answers in memory at once; a page of 500 issues mostly has half a megabyte. */
const BYTES_AHEAD = 16 * 1024 * 1024;
/** The server's index lags behind its database, and this machine's requests behind each other. */
const OVERLAP_S = 15 * 60;
/** Analyses that arrive while a project is read make its measures and its history disagree; then both are read again. */
const REREADS = 2;

export interface SourceOptions {
  /** Which projects there are; all that the server has unless told. */
  readonly listing?: Listing;
  readonly context?: Cursor;
}

/** What a run begins with, each first page asked for: none of them needs another. */
interface Opening {
  readonly projects: BegunProjects;
  readonly metrics: Begun<ListPage<Metric>>;
  readonly newest: Promise<Answer<IssueRow>>;
}

interface Notes {
  /** Null: never analysed; undefined: the listing does not tell. */
  readonly lastAnalysisDate?: string | null;
}

export class SonarSource implements Source {
  readonly streams = STREAMS;
  readonly passes = ['details', 'issues'] as const;
  readonly #client: SonarClient;
  readonly #listing: Listing;
  #opening: Opening | null = null;
  #metricKeys: readonly string[] = [];
  #startedAt = new Date();
  /** Projects found closed to the token in this run: `issues/search` would answer 200 with no rows for them. */
  readonly #unreadable = new Map<string, NonNullable<Tally['problem']>>();
  /** Epoch second up to which the instance-wide look reached. */
  #lookedBackTo = Infinity;
  /** Unresolved issues by project, from the metric `violations`: how large its issue pass will be at least. */
  readonly #violations = new Map<string, number>();
  /** Memory stays flat however many lists are read beside each other. */
  readonly #places = pLimit(AHEAD);

  /** `context`: of the source that began the run, to go on with it. */
  constructor(client: SonarClient, { listing = ALL_PROJECTS, context }: SourceOptions = {}) {
    this.#client = client;
    this.#listing = listing;
    if (context) {
      this.#metricKeys = context['metrics'] as string[];
      this.#startedAt = new Date(context['startedAt'] as string);
      this.#lookedBackTo = context['lookedBackTo'] as number;
      this.#places.concurrency = (context['places'] as number | undefined) ?? AHEAD; // not known to a run that began before an update
    }
  }

  /**
   * Makes sure that there is a server which lists its projects. The answer is not thrown away: `list` and `look` go on from
   * what is asked for here.
   */
  async greet(): Promise<void> {
    await this.#open().projects.answered;
  }

  /** The lists and the newest changes wait for the server side by side, not one after the other. */
  #open(): Opening {
    this.#opening ??= {
      projects: beginProjects(this.#client, this.#listing),
      metrics: beginMetrics(this.#client),
      newest: handled(this.#newest({}, 1)),
    };
    return this.#opening;
  }

  async list(emit: Emit): Promise<readonly ProjectRef[]> {
    const { projects, metrics } = this.#open();
    // its failure comes after what the list of projects has to say
    const reading = handled(readMetrics(metrics, emit));
    const found = await projects.read(emit);
    this.#metricKeys = await reading;
    this.#startedAt = this.#client.firstAnswerAt ?? new Date();
    return found;
  }

  watermark(): Cursor {
    return { at: this.#startedAt.toISOString() };
  }

  group(pass: string, refs: readonly ProjectRef[]): readonly (readonly ProjectRef[])[] {
    if (pass === 'details') return refs.map((ref) => [ref]);
    return inLists(refs, (ref) => ref.key, GROUP, {
      of: (ref) => this.#violations.get(ref.key) ?? 0,
      isFull: (held) => held >= ENOUGH_IN_LIST && held <= WINDOW,
      most: MOST_IN_LIST,
    });
  }

  batches(refs: readonly ProjectRef[]): readonly (readonly ProjectRef[])[] {
    return inLists(refs, (ref) => ref.key, GROUP);
  }

  async read(task: Task, emit: Emit): Promise<void> {
    if (task.pass === 'details') for (const ref of task.projects) await this.#readDetails(ref, task, emit);
    else await this.#readIssues(task, emit);
  }

  traits(pass: string): PassTraits {
    const tables = pass === 'details' ? [measures, analyses, measuresHistory, hotspots] : [issues];
    const columns = tables.flatMap((stream) => Object.keys(stream.columns));
    const names = pass === 'details' ? [...columns, ...this.#metricKeys.toSorted()] : columns;
    return {
      // a metric or a column that is new reaches the rows that are stored only when they are read again
      shape: createHash('sha256').update(names.join(' ')).digest('base64url').slice(0, 12),
      // no date tells of a reviewed hotspot; of a moved line tells that there was an analysis
      audit: pass === 'details' ? 'recent' : 'full-if-changed',
      wholeUpTo: pass === 'details' ? -1 : PAGE_SIZE,
    };
  }

  streamsOf(pass: string): readonly string[] {
    return pass === 'details' ? ['measures', 'measures_history', 'hotspots'] : ['issues'];
  }

  // ------------------------------------------------------------------ measures, history, hotspots of one project

  async #readDetails(ref: ProjectRef, task: Task, emit: Emit): Promise<void> {
    const known = (task.cursors.get(ref.key)?.['newest'] as string | null | undefined) ?? null;
    let newest = known;
    try {
      newest = await this.#readMeasuresAndHistory(ref, task.mode === 'recent' ? known : null, emit);
      const hotspotsTally = await readHotspots(this.#client, ref.key, emit);
      await emit({ type: 'tally', tally: { ...hotspotsTally, stream: 'hotspots', project: ref.key } });
    } catch (error) {
      const found = projectProblem(error);
      if (!found) throw error;
      const { lastAnalysisDate } = ref.notes as unknown as Notes;
      // 25.12 and before answer 404 for a project that exists and was never analysed
      if (found.status === 404 && lastAnalysisDate === null) await this.#emitNeverAnalysed(ref, emit);
      else await this.#emitUnreadable(ref, found.problem, emit);
    }
    await this.#emitDone('details', ref, task, emit, { newest });
  }

  /** Returns the date of the newest analysis. `from` is the newest one already stored, null to read them all. */
  async #readMeasuresAndHistory(ref: ProjectRef, from: string | null, emit: Emit): Promise<string | null> {
    let expected = (ref.notes as unknown as Notes).lastAnalysisDate ?? null;
    for (let reread = 0; ; reread += 1) {
      const current = await readMeasures(this.#client, ref.key, this.#metricKeys);
      const history = await readHistory(this.#client, ref.key, this.#metricKeys, from, emit);
      const settled = sameAnalysis(expected, history.newest);
      if (!settled && reread < REREADS) {
        expected = history.newest; // an analysis came in between, or the listing's date is a branch's: measure again
        continue;
      }
      await this.#emitMeasures(ref, current, settled ? history : null, emit);
      await emit({ type: 'size', stream: 'measures_history', rows: history.totalAfter });
      await emit({
        type: 'tally',
        tally: {
          stream: 'measures_history',
          project: ref.key,
          totalBefore: history.totalBefore,
          totalAfter: history.totalAfter,
          seen: history.keys.size,
          holes: history.holes,
          keys: history.keys,
          readable: true,
          ...(from !== null && { from: new Date(from) }),
          marks: {
            metrics_synced_to: history.newest,
            metrics_synced_at: current.reply.receivedAt,
            api_accessible: true,
          },
        },
      });
      return history.newest;
    }
  }

  /** Current measures, and as points those on new code, which the server keeps no history of. */
  async #emitMeasures(
    ref: ProjectRef,
    { records, reply }: { records: Measure[]; reply: Reply },
    history: History | null,
    emit: Emit,
  ): Promise<void> {
    await emit(page('measures', records, reply));
    const date = history?.newest;
    if (history && date) {
      const points: Point[] = records
        .filter((one) => one.period !== undefined && one.value !== undefined && !history.valuesAtNewest.has(one.metric))
        .map((one) => ({ ...one, date }));
      await emit(page('measures_history', points, reply));
    }
    const keys = new Set(records.map((one) => one.metric));
    this.#violations.set(ref.key, Number(records.find((one) => one.metric === 'violations')?.value ?? 0));
    await emit({
      type: 'tally',
      tally: {
        stream: 'measures',
        project: ref.key,
        totalBefore: keys.size,
        totalAfter: keys.size,
        seen: keys.size,
        holes: 0,
        keys,
        readable: true, // the history, which needs Browse, was read before this is said
      },
    });
  }

  async #emitNeverAnalysed(ref: ProjectRef, emit: Emit): Promise<void> {
    for (const stream of ['measures', 'measures_history', 'hotspots']) {
      await emit({
        type: 'tally',
        tally: { stream, project: ref.key, totalBefore: 0, totalAfter: 0, seen: 0, holes: 0, readable: false },
      });
    }
  }

  async #emitUnreadable(ref: ProjectRef, problem: NonNullable<Tally['problem']>, emit: Emit): Promise<void> {
    this.#unreadable.set(ref.key, problem);
    for (const stream of ['measures', 'measures_history', 'hotspots']) {
      const marks = stream === 'measures' ? { marks: { api_accessible: false } } : {};
      await emit({ type: 'tally', tally: { ...noTally(stream, ref.key, problem), ...marks } });
    }
  }

  // ------------------------------------------------------------------ issues

  async #readIssues(task: Task, emit: Emit): Promise<void> {
    const readable: ProjectRef[] = [];
    for (const ref of task.projects) {
      const problem = this.#unreadable.get(ref.key);
      if (!problem) readable.push(ref);
      else {
        await emit({ type: 'tally', tally: noTally('issues', ref.key, problem) });
        await this.#emitDone('issues', ref, task, emit);
      }
    }
    if (task.mode === 'recent') return this.#readRecent(readable, task, emit);
    const large = readable.filter((ref) => this.#isLarge(ref, task));
    const small = readable.filter((ref) => !this.#isLarge(ref, task));
    for (const ref of large) await this.#walk([ref], task, emit);
    if (small.length > 0) await this.#walk(small, task, emit);
  }

  /** By its measures, or because an interrupted walk of it is to be gone on with. */
  #isLarge(ref: ProjectRef, task: Task): boolean {
    if (typeof task.cursors.get(ref.key)?.['resumeFrom'] === 'number') return true;
    return (this.#violations.get(ref.key) ?? 0) > LARGE;
  }

  /** Where answers are long, fewer are held at once. */
  async #issues(query: Query): Promise<Answer<IssueRow>> {
    const answer = await searchIssues(this.#client, query);
    const [row] = answer.rows;
    // a short page says nothing of the next full one
    if (row && answer.rows.length === PAGE_SIZE) this.#places.concurrency = placesFor(row.answered.bytes);
    return answer;
  }

  async #walk(refs: readonly ProjectRef[], task: Task, emit: Emit): Promise<void> {
    const keys = refs.map((ref) => ref.key);
    const [only] = keys.length === 1 ? keys : [];
    const cursor = only === undefined ? undefined : task.cursors.get(only);
    const resumeFrom =
      only !== undefined && typeof cursor?.['resumeFrom'] === 'number' ? cursor['resumeFrom'] : undefined;
    const found = await enumerate<IssueRow>(
      { componentKeys: keys.join(',') },
      {
        projects: keys,
        now: () => this.#client.serverNow(),
        fetch: (query) => this.#issues(query),
        emit: (rows) => emitIssues(rows, emit),
        checkpoint: async (second) => {
          if (only === undefined) return;
          await emit({ type: 'cursor', stream: 'issues', slice: only, cursor: { resumeFrom: second } });
        },
        places: this.#places,
        expected: refs.reduce((sum, { key }) => sum + (this.#violations.get(key) ?? 0), 0),
        ...(resumeFrom !== undefined && { resumeFrom }),
      },
    );
    await emit({ type: 'size', stream: 'issues', rows: found.totalAfter });
    const reasons = found.unreachable.map((part) => part.reason).join('; ');
    for (const ref of refs) {
      const own = found.perProject.get(ref.key);
      const single = only !== undefined;
      const total = single ? found.totalAfter : (own?.total ?? own?.seen ?? 0);
      const seen = single ? found.seen : (own?.seen ?? 0);
      await emit({
        type: 'tally',
        tally: {
          stream: 'issues',
          project: ref.key,
          // null says that something moved, even where the totals came back to what they were
          totalBefore: !found.settled ? null : single ? found.totalBefore : total,
          totalAfter: total,
          seen: resumeFrom === undefined ? seen : null,
          holes: single ? found.holes : 0,
          readable: false,
          ...(resumeFrom === undefined && { keys: found.keys }),
          ...(seen < total && reasons !== '' && { problem: { state: 'short' as const, reason: reasons } }),
          marks: { issues_synced_at: new Date() },
        },
      });
      await this.#emitDone('issues', ref, task, emit);
    }
  }

  /**
   * Reads what changed since the last run: by people since the watermark, by analyses since the last one stored. What an
   * analysis writes is dated at its start, which may lie hours before it becomes visible, but never before the analysis
   * that preceded it. More than 10,000 changes are read project by project, and more in one project by a whole walk.
   */
  async #readRecent(refs: readonly ProjectRef[], task: Task, emit: Emit): Promise<void> {
    if (refs.length === 0) return;
    const analyses = refs.map((ref) => (task.earlier.get(ref.key)?.['newest'] as string | null | undefined) ?? null);
    const since = Math.min(
      this.#lookedBackTo,
      ...analyses.map((date) => (date === null ? -Infinity : parseDate(date) + 1)),
    );
    const filter = { componentKeys: refs.map((ref) => ref.key).join(',') };
    const recent = await readUpdated((p) => this.#newest(filter, p), since, emit);
    if (!recent.whole) {
      if (refs.length > 1) for (const ref of refs) await this.#readRecent([ref], task, emit);
      else await this.#walk(refs, { ...task, mode: 'full' }, emit);
      return;
    }
    const [only] = refs.length === 1 ? refs : [];
    const totals = only
      ? null
      : await this.totals(
          'issues',
          refs.map((ref) => ref.key),
        );
    for (const ref of refs) {
      const before = totals ? (totals.get(ref.key) ?? null) : recent.totalBefore;
      const after = totals ? (totals.get(ref.key) ?? null) : recent.totalAfter;
      await emit({
        type: 'tally',
        tally: {
          stream: 'issues',
          project: ref.key,
          totalBefore: before,
          totalAfter: after,
          seen: null,
          holes: 0,
          readable: false,
          marks: { issues_synced_at: new Date() },
        },
      });
      await this.#emitDone('issues', ref, task, emit);
    }
  }

  #newest(filter: Filter, page: number): Promise<Answer<IssueRow>> {
    const order = { sort: 'UPDATE_DATE', ascending: false };
    return this.#issues({ filter, ...order, page, pageSize: PAGE_SIZE });
  }

  /** The cursor of a pass that has ended: what the project looked like then, and when it was last read whole. */
  async #emitDone(pass: string, ref: ProjectRef, task: Task, emit: Emit, notes: Cursor = {}): Promise<void> {
    const { fingerprint, key } = ref;
    const full = task.mode === 'full' ? fingerprint : task.cursors.get(key)?.['full'];
    const cursor = { ...notes, fingerprint, full, shape: this.traits(pass).shape };
    await emit({ type: 'cursor', stream: pass, slice: key, cursor });
  }

  // ------------------------------------------------------------------ what changed

  async look(watermark: Cursor, includes: (project: string) => boolean, emit: Emit): Promise<Look> {
    this.#lookedBackTo = parseDate(watermark['at'] as string) - OVERLAP_S;
    // the first page may be older than the list by as long as that took to store: less than what is looked back anyway
    const first = await this.#open().newest;
    this.#opening = null;
    const { touched, whole, totalAfter } = await readUpdated((p) => this.#newest({}, p), this.#lookedBackTo, emit, {
      includes,
      first,
    });
    return { touched, whole, total: totalAfter };
  }

  async totals(stream: string, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (stream !== 'issues') throw new Error(`no totals of ${stream}`);
    const answer = await searchIssues(this.#client, {
      filter: { componentKeys: keys.join(',') },
      sort: 'CREATION_DATE',
      ascending: true,
      page: 1,
      pageSize: 1,
      facets: ['projects'],
    });
    const counts = answer.facets.get('projects');
    return new Map(keys.map((key) => [key, counts?.get(key) ?? 0]));
  }

  context(): Cursor {
    return {
      metrics: this.#metricKeys,
      startedAt: this.#startedAt.toISOString(),
      lookedBackTo: this.#lookedBackTo,
      places: this.#places.concurrency,
    };
  }

  async answers(): Promise<boolean> {
    return this.#client.answers();
  }

  // ------------------------------------------------------------------ proof

  async prove(tally: Tally, missing: readonly string[]): Promise<Tally> {
    if (tally.stream === 'projects') return this.#proveProjectsGone(tally, missing);
    if (tally.project === null) return tally;
    try {
      const [metric = 'ncloc'] = this.#metricKeys;
      const params = { component: tally.project, metrics: metric, ps: 1 };
      await ask(this.#client, 'measures/search_history', params, historyAnswer, () => null);
      if (tally.stream !== 'issues') return { ...tally, readable: true };
      const after = (await this.totals('issues', [tally.project])).get(tally.project) ?? null;
      return { ...tally, totalAfter: after, readable: after === tally.totalAfter };
    } catch (error) {
      const found = projectProblem(error);
      if (!found) throw error;
      return { ...tally, problem: found.problem };
    }
  }

  /** A project is gone when a second whole listing does not have it either and the server says 404 to its history. */
  async #proveProjectsGone(tally: Tally, missing: readonly string[]): Promise<Tally> {
    let again: Tally | null = null;
    await beginProjects(this.#client, this.#listing).read(async (message) => {
      if (message.type === 'tally') again = message.tally;
      await Promise.resolve();
    });
    const second = again as Tally | null;
    if (!second || missing.some((key) => second.keys?.has(key)) || second.seen !== tally.seen) return tally;
    for (const component of missing) {
      const status = await this.#historyStatus(component);
      if (status !== 404) return tally;
    }
    return { ...tally, readable: true };
  }

  async #historyStatus(component: string): Promise<number> {
    try {
      const [metric = 'ncloc'] = this.#metricKeys;
      await ask(
        this.#client,
        'measures/search_history',
        { component, metrics: metric, ps: 1 },
        historyAnswer,
        () => null,
      );
      return 200;
    } catch (error) {
      const found = projectProblem(error);
      if (found) return found.status;
      if (error instanceof ConnectorError) return 0;
      throw error;
    }
  }
}

/** Answers of this many bytes that may be in memory at once: as many as usual of the usual size, one of any. Pure. */
export function placesFor(bytes: number): number {
  return Math.min(AHEAD, Math.max(1, Math.floor(BYTES_AHEAD / Math.max(1, bytes))));
}

/** Do the listing and the history name the same newest analysis? The listing's `+0000` and the history's may differ in zone. */
function sameAnalysis(listed: string | null, newest: string | null): boolean {
  if (listed === null || newest === null) return listed === newest;
  return analysisIdentity(listed) === analysisIdentity(newest);
}
