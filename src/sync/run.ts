/** One run: lists, looks, reads what the plan names, writes it, settles it, and says what came of it. */
import pLimit from 'p-limit';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import { NO_PROGRESS, reduce, type Progress, type ProgressEvent } from '../protocol/progress.ts';
import type { Emit, Look, Message, ProjectRef, Source, Tally, Task } from '../protocol/sync.ts';
import type { Settlement } from '../warehouse/ledger.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { planPass, type Known, type PassPlan } from './plan.ts';
import { WriteQueue } from './queue.ts';

/** Groups of projects read beside each other; the client limits the requests in flight. */
const GROUPS_AT_ONCE = 2;
/** Projects of a group whose details are read beside each other. */
const PROJECTS_AT_ONCE = 8;

export interface RunOptions {
  readonly connectionId: number;
  /** Read everything again, whatever is known. */
  readonly full: boolean;
  /** Hours after which what no date shows is looked for again; 0 never. */
  readonly auditHours: number;
  readonly now: () => Date;
  readonly selects: (projectKey: string) => boolean;
  readonly signal: AbortSignal;
  readonly traffic: () => { requests: number; retries: number; bytes: number };
  readonly onProgress: (progress: Progress) => void;
}

/** What is not complete and why: one line of the run's report. */
export interface Shortfall {
  readonly stream: string;
  readonly project: string | null;
  readonly state: 'moving' | 'short' | 'suspect' | 'unreadable';
  readonly reason: string;
}

export interface RunResult {
  readonly outcome: 'complete' | 'partly_failed';
  readonly mode: 'full' | 'incremental';
  readonly progress: Progress;
  readonly shortfalls: readonly Shortfall[];
}

/** Runs a sync to its end. Throws a ConnectorError when it cannot go on; what was committed stays. */
export async function runSync(source: Source, warehouse: Warehouse, options: RunOptions): Promise<RunResult> {
  return new Run(source, warehouse, options).go();
}

class Run {
  readonly #source: Source;
  readonly #warehouse: Warehouse;
  readonly #options: RunOptions;
  readonly #queue: WriteQueue;
  #progress: Progress = NO_PROGRESS;
  /** Streams whose whole size is known from the look: sizes of single passes are not added to it. */
  readonly #sized = new Set<string>();
  readonly #shortfalls = new Map<string, Shortfall>();
  readonly #pending: Promise<unknown>[] = [];

  constructor(source: Source, warehouse: Warehouse, options: RunOptions) {
    this.#source = source;
    this.#warehouse = warehouse;
    this.#options = options;
    const writer = warehouse.writer(options.connectionId, source.streams, options.now);
    this.#queue = new WriteQueue(
      (batch) => writer.write(batch),
      ({ counts, settlements }) => {
        for (const [stream, count] of counts) this.#tell({ type: 'written', stream, ...count });
        for (const settlement of settlements) this.#note(settlement);
      },
    );
  }

  async go(): Promise<RunResult> {
    try {
      return await this.#run();
    } finally {
      // after a failure nothing more is written than the batch under way
      await this.#queue.close();
      this.#tell({ type: 'traffic', ...this.#options.traffic() });
    }
  }

  async #run(): Promise<RunResult> {
    const { connectionId } = this.#options;
    const all = await this.#source.list(this.#emit);
    const listed = all.filter((project) => this.#options.selects(project.key));
    await this.#settled();
    this.#tell({ type: 'projects', total: listed.length });
    this.#tell({ type: 'phase', phase: 'reading' });

    const watermark = await this.#warehouse.watermark(connectionId, this.#source.watermark());
    const next = this.#source.watermark();
    const keys = new Set(listed.map((project) => project.key));
    const look = await this.#source.look(watermark, (key) => keys.has(key), this.#emit);
    this.#tell({ type: 'expected', stream: 'issues', rows: look.total });
    this.#sized.add('issues');

    const incremental = await this.#readPlanned(listed, look);
    this.#tell({ type: 'phase', phase: 'checking' });
    await this.#rereadUnsettled(listed);
    await this.#compareTotals(listed, look);
    await this.#queue.drain();
    // changes of projects that were left out this time must be looked for again
    if (listed.length === all.length) await this.#warehouse.setWatermark(connectionId, next);
    this.#tell({ type: 'phase', phase: 'done' });

    const shortfalls = [...this.#shortfalls.values()];
    const failed = shortfalls.some(({ state }) => state === 'short' || state === 'suspect');
    return {
      outcome: failed ? 'partly_failed' : 'complete',
      mode: incremental ? 'incremental' : 'full',
      progress: this.#progress,
      shortfalls,
    };
  }

  // ------------------------------------------------------------------ reading

  /** Reads what the plan names, group by group: all passes of a group before the next. True when anything was skipped. */
  async #readPlanned(listed: readonly ProjectRef[], look: Look): Promise<boolean> {
    const known = await this.#known();
    const wishes = { full: this.#options.full, auditHours: this.#options.auditHours, now: this.#options.now() };
    const plans = new Map<string, PassPlan>();
    for (const pass of this.#source.passes)
      plans.set(pass, planPass(listed, this.#of(known, pass), look, this.#source.traits(pass), wishes));
    const planned = new Set([...plans.values()].flatMap((plan) => [...plan.full, ...plan.recent]));
    this.#tell({ type: 'project-done', count: listed.length - planned.size });

    const last = this.#source.passes.at(-1) ?? '';
    const groups = this.#source.group(last, [...planned]);
    await this.#inParallel(GROUPS_AT_ONCE, groups, async (group) => {
      const members = new Set(group);
      for (const pass of this.#source.passes) {
        const plan = plans.get(pass);
        const { cursors } = this.#of(known, pass);
        for (const mode of ['full', 'recent'] as const) {
          const projects = (plan?.[mode] ?? []).filter((project) => members.has(project));
          const tasks = this.#source
            .group(pass, projects)
            .map((part): Task => ({ pass, projects: part, mode, cursors }));
          await this.#inParallel(PROJECTS_AT_ONCE, tasks, (task) => this.#attempt(task));
        }
      }
      this.#tell({ type: 'project-done', count: group.length });
    });
    await this.#settled();
    return planned.size < listed.length || [...plans.values()].some((plan) => plan.recent.length > 0);
  }

  /** What moved or fell short while it was read is read once more, alone, before anything is said about it. */
  async #rereadUnsettled(listed: readonly ProjectRef[]): Promise<void> {
    const unsettled = [...this.#shortfalls.values()].filter(({ state }) => state === 'moving' || state === 'short');
    for (const pass of this.#source.passes) {
      const streams = new Set(this.#source.streamsOf(pass));
      const keys = new Set(unsettled.filter(({ stream }) => streams.has(stream)).map(({ project }) => project));
      const projects = listed.filter((project) => keys.has(project.key));
      await this.#readWhole(pass, projects);
    }
  }

  /** The server's total over everything against what is stored: what no date shows is found here, and read whole. */
  async #compareTotals(listed: readonly ProjectRef[], look: Look): Promise<void> {
    const { connectionId } = this.#options;
    const stored = await this.#warehouse.presentByProject(connectionId, 'issues');
    const sum = [...stored.values()].reduce((total, count) => total + count, 0);
    if (sum === look.total) return;
    for (const group of this.#source.group('issues', listed)) {
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
    for (const project of projects) {
      await this.#attempt({ pass, projects: [project], mode: 'full', cursors: new Map() });
    }
    await this.#settled();
  }

  /** Runs a task; a failure that is the task's own becomes a shortfall, any other ends the run. */
  async #attempt(task: Task): Promise<void> {
    this.#options.signal.throwIfAborted();
    try {
      await this.#source.read(task, this.#emit);
    } catch (thrown) {
      this.#options.signal.throwIfAborted();
      const error = asConnectorError(thrown);
      if (!(await this.#isOwnFailure(error))) throw error;
      this.#tell({ type: 'warning', text: error.message });
      for (const { key } of task.projects) {
        for (const stream of this.#source.streamsOf(task.pass)) {
          await this.#emit({ type: 'tally', tally: failedTally(stream, key, error.message) });
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

  readonly #emit: Emit = async (message: Message) => {
    if (message.type === 'size') {
      if (!this.#sized.has(message.stream))
        this.#tell({ type: 'expected', stream: message.stream, rows: message.rows, more: true });
    } else if (message.type === 'tally') {
      const settling = this.#settle(message.tally);
      settling.catch(() => undefined); // thrown by #settled
      this.#pending.push(settling);
    } else {
      await this.#queue.push(message);
    }
  };

  async #settle(tally: Tally): Promise<void> {
    const settlement = await this.#queue.settle({ type: 'tally', tally });
    if (settlement.unproven.length === 0) return;
    const proven = await this.#source.prove(tally, settlement.unproven);
    if (proven !== tally) await this.#queue.settle({ type: 'tally', tally: proven });
  }

  /** Resolves when every tally so far is settled, proofs included. */
  async #settled(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0));
    await this.#queue.drain();
  }

  #note({ tally, state, reason, gone }: Settlement): void {
    const key = shortfallKey(tally.stream, tally.project);
    if (state === 'complete') this.#shortfalls.delete(key);
    else this.#shortfalls.set(key, { stream: tally.stream, project: tally.project, state, reason: reason ?? state });
    for (const [stream, rows] of gone) if (rows > 0) this.#tell({ type: 'gone', stream, rows });
  }

  #isUnreadable(project: string): boolean {
    return this.#shortfalls.get(shortfallKey('measures', project))?.state === 'unreadable';
  }

  // ------------------------------------------------------------------ what is known

  async #known(): Promise<KnownByPass> {
    const { connectionId } = this.#options;
    const cursors = new Map<string, Known['cursors']>();
    const checked = new Map<string, Known['checked']>();
    for (const pass of this.#source.passes) {
      cursors.set(pass, await this.#warehouse.cursors(connectionId, pass));
      checked.set(pass, await this.#warehouse.checked(connectionId, this.#source.streamsOf(pass)));
    }
    return { cursors, checked };
  }

  #of({ cursors, checked }: KnownByPass, pass: string): Known {
    return { cursors: cursors.get(pass) ?? new Map(), checked: checked.get(pass) ?? new Map() };
  }

  #tell(event: ProgressEvent): void {
    this.#progress = reduce(reduce(this.#progress, event), { type: 'traffic', ...this.#options.traffic() });
    this.#options.onProgress(this.#progress);
  }
}

interface KnownByPass {
  readonly cursors: ReadonlyMap<string, Known['cursors']>;
  readonly checked: ReadonlyMap<string, Known['checked']>;
}

const shortfallKey = (stream: string, project: string | null): string => `${stream}\u0000${project ?? ''}`;

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
