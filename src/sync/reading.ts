/**
 * What a run does, in three stages that may happen in different processes: the plan lists, looks and says what must be read;
 * parts of it are read, each by whoever takes it; the end settles what is left and says what came of it all.
 */
import pLimit from 'p-limit';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import { NO_PROGRESS, reduce, type Progress, type ProgressEvent, type Traffic } from '../protocol/progress.ts';
import type { Cursor, Emit, Look, Message, ProjectRef, Source, Tally, Task } from '../protocol/sync.ts';
import type { Settlement } from '../warehouse/ledger.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { Hold, Writer } from '../warehouse/write.ts';
import { planPass, type Known } from './plan.ts';
import { WriteQueue } from './queue.ts';
import { relay } from './relay.ts';
import { noted, shortfallKey, type Shortfall } from './shortfalls.ts';

/** Groups of projects read beside each other; the client limits the requests in flight. */
const GROUPS_AT_ONCE = 2;
/** Parts of one pass over a group that are read beside each other. */
const PARTS_AT_ONCE = 8;

export interface ReadingOptions {
  readonly connectionId: number;
  /** Read everything again, whatever is known. */
  readonly full: boolean;
  /** Hours after which what no date shows is looked for again; 0 never. */
  readonly auditHours: number;
  readonly now: () => Date;
  readonly selects: (projectKey: string) => boolean;
  readonly signal: AbortSignal;
  readonly traffic: () => Traffic;
  readonly onProgress: (progress: Progress) => void;
  /** Several processes read one run: what each of its transactions must hold. */
  readonly hold?: Hold;
  /** What an earlier holder of the same part of the run had done and found. */
  readonly progress?: Progress;
  readonly shortfalls?: readonly Shortfall[];
  /** Projects were read with different tokens: what one may not read, another may. */
  readonly severalTokens?: boolean;
}

/** A project that the run must read: by pass, how. */
export interface PlannedProject {
  readonly ref: ProjectRef;
  readonly modes: Readonly<Record<string, 'full' | 'recent'>>;
  /** See `Task.earlier`. */
  readonly earlier: Cursor | null;
  /** Rows that reading it whole brings again, as far as is known. */
  readonly rows: number;
}

/** What the stages after the plan need of it. Plain data. */
export interface RunPlan {
  readonly listed: readonly ProjectRef[];
  /** Was every project selected that the server lists? */
  readonly whole: boolean;
  readonly mode: 'full' | 'incremental';
  /** The server's total of issues over all projects. */
  readonly total: number;
  /** The watermark for the next run. */
  readonly watermark: Cursor;
  /** See `Source.context`. */
  readonly context: Cursor;
}

export interface RunResult {
  readonly outcome: 'complete' | 'partly_failed';
  readonly mode: 'full' | 'incremental';
  readonly progress: Progress;
  readonly shortfalls: readonly Shortfall[];
}

/** Reads one stage or all of them. `close` it in any case. */
export class Reading {
  readonly #source: Source;
  readonly #warehouse: Warehouse;
  readonly #options: ReadingOptions;
  readonly #writer: Writer;
  readonly #queue: WriteQueue;
  #progress: Progress;
  /** Streams whose whole size is known from the look: sizes of single passes are not added to it. */
  readonly #sized = new Set(['issues']);
  #shortfalls: ReadonlyMap<string, Shortfall>;

  constructor(source: Source, warehouse: Warehouse, options: ReadingOptions) {
    this.#source = source;
    this.#warehouse = warehouse;
    this.#options = options;
    this.#progress = options.progress ?? NO_PROGRESS;
    this.#shortfalls = new Map((options.shortfalls ?? []).map((one) => [shortfallKey(one.stream, one.project), one]));
    this.#writer = warehouse.writer(options.connectionId, source.streams, options.now, options.hold);
    this.#queue = new WriteQueue(
      (batch) => this.#writer.write(batch),
      ({ counts, settlements }) => {
        for (const [stream, count] of counts) this.#tell({ type: 'written', stream, ...count });
        for (const settlement of settlements) this.#note(settlement);
      },
    );
  }

  /** How far it is; final once it is closed. */
  get progress(): Progress {
    return this.#progress;
  }

  /** After a failure nothing more is written than the batch under way. */
  async close(): Promise<void> {
    await this.#queue.close();
    this.#progress = reduce(this.#progress, { type: 'traffic', ...this.#options.traffic(), concurrency: null });
    this.#options.onProgress(this.#progress);
  }

  // ------------------------------------------------------------------ first stage

  /** Lists and looks, and says what must be read. */
  async plan(): Promise<{ plan: RunPlan; projects: readonly PlannedProject[] }> {
    const { connectionId } = this.#options;
    const settling = new Settling();
    const all = await this.#source.list(this.#emitInto(settling));
    const listed = all.filter((project) => this.#options.selects(project.key));
    await settling.settled();
    await this.#queue.drain();
    this.#tell({ type: 'projects', total: listed.length });
    this.#tell({ type: 'phase', phase: 'reading' });

    const since = await this.#warehouse.watermark(connectionId, this.#source.watermark());
    const watermark = this.#source.watermark();
    const keys = new Set(listed.map((project) => project.key));
    const look = await this.#source.look(since, (key) => keys.has(key), this.#emitInto(settling));
    this.#tell({ type: 'expected', stream: 'issues', rows: look.total });

    const projects = await this.#planned(listed, look);
    await settling.settled();
    await this.#queue.drain();
    this.#tell({ type: 'project-done', count: listed.length - projects.length });
    const passes = this.#source.passes;
    const everything =
      projects.length === listed.length && projects.every((one) => passes.every((pass) => one.modes[pass] === 'full'));
    return {
      plan: {
        listed,
        whole: listed.length === all.length,
        mode: everything ? 'full' : 'incremental',
        total: look.total,
        watermark,
        context: this.#source.context(),
      },
      projects,
    };
  }

  /** What each project needs, by what is known of it. */
  async #planned(listed: readonly ProjectRef[], look: Look): Promise<readonly PlannedProject[]> {
    const { full, auditHours, now } = this.#options;
    const wishes = { full, auditHours, now: now() };
    const known = await this.#known();
    const modes = new Map<string, Record<string, 'full' | 'recent'>>();
    for (const [pass, what] of known) {
      const plan = planPass(listed, what, look, this.#source.traits(pass), wishes);
      for (const mode of ['full', 'recent'] as const) {
        for (const { key } of plan[mode]) modes.set(key, { ...modes.get(key), [pass]: mode });
      }
    }
    return listed.flatMap((ref) => {
      const own = modes.get(ref.key);
      if (!own) return [];
      const cursors = [...known.values()].map(({ cursors }) => cursors.get(ref.key));
      const states = new Set(cursors.map((cursor) => cursor?.['fingerprint']));
      const rows = [...known].reduce(
        (sum, [pass, { checked }]) => sum + (own[pass] === 'full' ? (checked.get(ref.key)?.present ?? 0) : 0),
        0,
      );
      return [{ ref, modes: own, earlier: (states.size === 1 && cursors[0]) || null, rows }];
    });
  }

  async #known(): Promise<ReadonlyMap<string, Known>> {
    const { connectionId } = this.#options;
    const known = new Map<string, Known>();
    for (const pass of this.#source.passes) {
      known.set(pass, {
        cursors: await this.#warehouse.cursors(connectionId, pass),
        checked: await this.#warehouse.checked(connectionId, this.#source.streamsOf(pass)),
      });
    }
    return known;
  }

  // ------------------------------------------------------------------ second stage

  /** Reads projects of the plan, group by group. Resolves when everything is committed. */
  async read(projects: readonly PlannedProject[]): Promise<void> {
    const byKey = new Map(projects.map((project) => [project.ref.key, project]));
    const refs = projects.map(({ ref }) => ref);
    const groups = this.#source.batches(refs);
    await this.#inParallel(GROUPS_AT_ONCE, groups, async (group) => {
      await this.#readGroup(group.flatMap(({ key }) => byKey.get(key) ?? []));
    });
    await this.#queue.drain();
  }

  async #readGroup(projects: readonly PlannedProject[]): Promise<void> {
    const { connectionId } = this.#options;
    const keys = projects.map(({ ref }) => ref.key);
    const byRef = new Map(projects.map((project) => [project.ref, project]));
    const earlier = new Map(projects.flatMap((one) => (one.earlier ? [[one.ref.key, one.earlier] as const] : [])));
    const cursors = new Map<string, ReadonlyMap<string, Cursor>>();
    for (const pass of this.#source.passes) {
      cursors.set(pass, await this.#warehouse.cursors(connectionId, pass, keys));
    }
    await this.#writer.foresee(keys);
    const settling = new Settling();
    await relay([...byRef.keys()], {
      passes: this.#source.passes,
      atOnce: PARTS_AT_ONCE,
      modeOf: (pass, ref) => byRef.get(ref)?.modes[pass] ?? null,
      cut: (pass, refs) => this.#source.group(pass, refs),
      run: (pass, mode, part) =>
        this.#attempt({ pass, projects: part, mode, cursors: cursors.get(pass) ?? new Map(), earlier }, settling),
    });
    await settling.settled();
    await this.#queue.push({ type: 'done', projects: keys });
    this.#tell({ type: 'project-done', count: projects.length });
  }

  // ------------------------------------------------------------------ third stage

  /** Reads again what moved or fell short, compares with the server's totals, and says what came of the run. */
  async finish(plan: RunPlan): Promise<RunResult> {
    this.#tell({ type: 'phase', phase: 'checking' });
    await this.#rereadUnsettled(plan.listed);
    await this.#compareTotals(plan);
    // changes of projects that were left out this time must be looked for again
    if (plan.whole) await this.#queue.push(this.#warehouse.watermarkAt(plan.watermark));
    await this.#queue.drain();
    this.#tell({ type: 'phase', phase: 'done' });
    const shortfalls = [...this.#shortfalls.values()];
    const failed = shortfalls.some(({ state }) => state === 'short' || state === 'suspect');
    return { outcome: failed ? 'partly_failed' : 'complete', mode: plan.mode, progress: this.#progress, shortfalls };
  }

  /** What moved or fell short while it was read is read once more, alone, before anything is said about it. */
  async #rereadUnsettled(listed: readonly ProjectRef[]): Promise<void> {
    const again = new Set(['moving', 'short', ...(this.#options.severalTokens ? ['unreadable'] : [])]);
    const unsettled = [...this.#shortfalls.values()].filter(({ state }) => again.has(state));
    for (const pass of this.#source.passes) {
      const streams = new Set(this.#source.streamsOf(pass));
      const keys = new Set(unsettled.filter(({ stream }) => streams.has(stream)).map(({ project }) => project));
      const projects = listed.filter((project) => keys.has(project.key));
      await this.#readWhole(pass, projects);
    }
  }

  /** The server's total over everything against what is stored: what no date shows is found here, and read whole. */
  async #compareTotals({ listed, total }: RunPlan): Promise<void> {
    const { connectionId } = this.#options;
    const stored = await this.#warehouse.presentByProject(connectionId, 'issues');
    const sum = [...stored.values()].reduce((before, count) => before + count, 0);
    if (sum === total) return;
    for (const group of this.#source.batches(listed)) {
      // what is named already is not asked for again
      const open = group.filter(
        ({ key }) => !this.#isUnreadable(key) && !this.#shortfalls.has(shortfallKey('issues', key)),
      );
      if (open.length === 0) continue;
      const totals = await this.#totals(open);
      if (!totals) continue;
      const differing = open.filter((project) => (totals.get(project.key) ?? 0) !== (stored.get(project.key) ?? 0));
      await this.#readWhole(
        'issues',
        differing.filter((project) => !this.#shortfalls.has(shortfallKey('issues', project.key))),
      );
    }
  }

  /** Null when the server cannot tell, which is said and ends nothing. */
  async #totals(projects: readonly ProjectRef[]): Promise<ReadonlyMap<string, number> | null> {
    try {
      return await this.#source.totals(
        'issues',
        projects.map((project) => project.key),
      );
    } catch (thrown) {
      this.#options.signal.throwIfAborted();
      const error = asConnectorError(thrown);
      if (!(await this.#isOwnFailure(error))) throw error;
      this.#tell({ type: 'warning', text: error.message });
      return null;
    }
  }

  async #readWhole(pass: string, projects: readonly ProjectRef[]): Promise<void> {
    const settling = new Settling();
    for (const project of projects) {
      const task: Task = { pass, projects: [project], mode: 'full', cursors: new Map(), earlier: new Map() };
      await this.#attempt(task, settling);
    }
    await settling.settled();
    await this.#queue.drain();
  }

  /** Runs a task; a failure that is the task's own becomes a shortfall, any other ends the run. */
  async #attempt(task: Task, settling: Settling): Promise<void> {
    const emit = this.#emitInto(settling);
    this.#options.signal.throwIfAborted();
    try {
      await this.#source.read(task, emit);
    } catch (thrown) {
      this.#options.signal.throwIfAborted();
      const error = asConnectorError(thrown);
      if (!(await this.#isOwnFailure(error))) throw error;
      this.#tell({ type: 'warning', text: error.message });
      for (const { key } of task.projects) {
        for (const stream of this.#source.streamsOf(task.pass)) {
          await emit({ type: 'tally', tally: failedTally(stream, key, error.message) });
        }
      }
    }
  }

  /** Is it the task that cannot be read, and not the server, the token or the database that is gone? */
  async #isOwnFailure(error: ConnectorError): Promise<boolean> {
    return error.code === 'internal_server_error' && (await this.#source.answers());
  }

  async #inParallel<T>(limit: number, items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
    const run = pLimit(limit);
    try {
      await Promise.all(items.map((item) => run(() => each(item))));
    } finally {
      run.clearQueue();
    }
  }

  // ------------------------------------------------------------------ writing and settling

  /** Not one of its frames holds a page while its bytes wait: so it is no async function. */
  #emitInto(settling: Settling): Emit {
    return (message: Message) => {
      try {
        return this.#take(message, settling);
      } catch (error) {
        return Promise.reject(asConnectorError(error)); // several emits may be waited for together
      }
    };
  }

  #take(message: Message, settling: Settling): Promise<void> {
    if (message.type === 'size') {
      if (!this.#sized.has(message.stream))
        this.#tell({ type: 'expected', stream: message.stream, rows: message.rows, more: true });
    } else if (message.type === 'tally') {
      settling.add(this.#settle(message.tally));
    } else {
      return this.#queue.push(this.#writer.prepared(message));
    }
    return Promise.resolve();
  }

  async #settle(tally: Tally): Promise<void> {
    const settlement = await this.#queue.settle({ type: 'tally', tally });
    if (settlement.unproven.length === 0) return;
    const proven = await this.#source.prove(tally, settlement.unproven);
    if (proven !== tally) await this.#queue.settle({ type: 'tally', tally: proven });
  }

  #note(settlement: Settlement): void {
    this.#shortfalls = noted(this.#shortfalls, [settlement]);
    for (const [stream, rows] of settlement.gone) if (rows > 0) this.#tell({ type: 'gone', stream, rows });
  }

  #isUnreadable(project: string): boolean {
    return this.#shortfalls.get(shortfallKey('measures', project))?.state === 'unreadable';
  }

  #tell(event: ProgressEvent): void {
    this.#progress = reduce(reduce(this.#progress, event), { type: 'traffic', ...this.#options.traffic() });
    this.#options.onProgress(this.#progress);
  }
}

/** Tallies on their way to the ledger; those of one group are waited for together. */
class Settling {
  readonly #pending: Promise<unknown>[] = [];

  add(settling: Promise<unknown>): void {
    settling.catch(() => undefined); // thrown by settled
    this.#pending.push(settling);
  }

  /** Resolves when every tally so far is settled, proofs included. */
  async settled(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0));
  }
}

function failedTally(stream: string, project: string, reason: string): Tally {
  return {
    stream,
    project,
    totalBefore: null,
    totalAfter: null,
    seen: null,
    holes: 0,
    readable: false,
    problem: { state: 'short', reason },
  };
}
