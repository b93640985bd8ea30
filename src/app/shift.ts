/** One worker's turn on one run: takes slices, reads each with a credential of the connection, and gives them back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { noteSynced, type Connection } from '../control/connections.ts';
import { noteAccepted, noteExpiration, type Credential } from '../control/credentials.ts';
import { addProgress, endRun, getRun, type Run } from '../control/runs.ts';
import {
  endSlice,
  endStalled,
  enterSlice,
  insertSlices,
  isLostSlice,
  leaveSlice,
  lostSlice,
  planContext,
  releaseSlice,
  renewSlice,
  shortfallsOf,
  standing,
  takeSlice,
  type Slice,
} from '../control/slices.ts';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import type { Progress } from '../protocol/progress.ts';
import type { Cursor } from '../protocol/sync.ts';
import { SonarClient } from '../source/client.ts';
import { MOST_AT_ONCE, Pace } from '../source/pace.ts';
import { SonarSource } from '../source/sonarqube.ts';
import { selects } from '../sync/plan.ts';
import { Reading, type PlannedProject, type RunPlan } from '../sync/reading.ts';
import { noted, shortfallKey, type Shortfall } from '../sync/shortfalls.ts';
import type { Hold } from '../warehouse/write.ts';
import { UNOBSERVED, type Log } from './observer.ts';
import { clientKey, onTheWay, openSecret, settingsOf } from './reach.ts';
import { ReadingCredentials } from './reading-credentials.ts';
import type { Service } from './service.ts';
import type { StoredSettings } from './settings.ts';
import { dayOf } from './verify.ts';
import type { WorkOptions } from './work.ts';

export interface Turn {
  readonly state: 'more' | 'busy' | 'done';
  /** Slices ended in this turn. */
  readonly slices: number;
}

const QUANTUM_MS = 20_000;
/** Slices that one worker reads beside each other. */
const SLICES_AT_ONCE = 2;
/** Projects in a slice, and rows that are known to come with them: neither a minute's work nor a second's. */
const PROJECTS_IN_SLICE = 25;
const ROWS_IN_SLICE = 20_000;
/** How often a worker looks whether the run still wants it, and renews its leases. */
const LOOK_EVERY_MS = 500;
/** A slice whose holders vanish so often in a row without a single commit is what ends them. */
const MOST_LAPSES = 20;

export class Shift {
  readonly #service: Service;
  readonly #run: Run;
  readonly #connection: Connection;
  readonly #options: WorkOptions;
  readonly #settings: StoredSettings;
  readonly #credentials: ReadingCredentials;
  readonly #pace: Pace;
  readonly #most: number;
  /** Aborted when the run has ended, or this worker must let go of it. */
  readonly #over = new AbortController();
  readonly #active = new Set<Promise<void>>();
  #slices = 0;
  #failure: { error: unknown } | null = null;
  #context: Cursor | null = null;

  constructor(service: Service, run: Run, connection: Connection, options: WorkOptions) {
    this.#service = service;
    this.#run = run;
    this.#connection = connection;
    this.#options = options;
    this.#settings = settingsOf(connection);
    this.#credentials = new ReadingCredentials(service, connection);
    this.#most = this.#settings.max_concurrency ?? MOST_AT_ONCE;
    this.#pace = new Pace({ most: this.#most });
  }

  async go(): Promise<Turn> {
    try {
      const state = await this.#turn();
      return { state, slices: this.#slices };
    } finally {
      this.#over.abort();
      await Promise.all(this.#active);
    }
  }

  async #turn(): Promise<Turn['state']> {
    const { database } = this.#service.store;
    const { signal, worker, quantumMs = QUANTUM_MS } = this.#options;
    const until = performance.now() + quantumMs;
    await endStalled(database, this.#run.id);
    for (;;) {
      if (signal.aborted) return 'more';
      if (this.#failure) throw this.#failure.error;
      const { running, cancelRequested, workers } = await standing(database, this.#run.id);
      if (!running) return 'done';
      if (cancelRequested) return this.#cancelled();
      const isNew = !workers.includes(worker);
      if (isNew && workers.length >= this.#most) return 'busy';
      this.#share([...(isNew ? [worker] : []), ...workers].sort());
      while (this.#active.size < SLICES_AT_ONCE && performance.now() < until) {
        const slice = await takeSlice(database, this.#run.id, worker);
        if (!slice) break;
        this.#begin(slice);
      }
      if (this.#active.size === 0) {
        if (performance.now() >= until) return 'more';
        const after = await standing(database, this.#run.id);
        if (!after.running) return 'done';
        if (after.workers.length > 0) return 'busy';
        // nobody holds anything and nothing could be taken: a lease is about to lapse, or a slice was given back just now
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
        if (after.open > 0) return 'more';
        continue;
      }
      await Promise.race([...this.#active, sleep(LOOK_EVERY_MS)]);
    }
  }

  get #log(): Log {
    return (this.#service.observer ?? UNOBSERVED).log;
  }

  #ids(slice?: Slice): object {
    const { worker } = this.#options;
    return { run: this.#run.id, connection: this.#connection.id, worker, ...(slice && { slice: slice.number }) };
  }

  /** This worker's part of the requests that the connection allows. */
  #share(workers: readonly string[]): void {
    const rest = workers.indexOf(this.#options.worker) < this.#most % workers.length ? 1 : 0;
    this.#pace.most = Math.floor(this.#most / workers.length) + rest;
  }

  async #cancelled(): Promise<'done'> {
    this.#over.abort();
    await Promise.all(this.#active);
    const error = { code: 'cancelled', message: 'Cancelled; what was stored stays.' } as const;
    await this.#end('cancelled', error);
    return 'done';
  }

  /** Ends the run with what it has come to; nothing when it has ended already. */
  async #end(
    state: 'failed' | 'cancelled',
    { code, message }: Pick<ConnectorError, 'code' | 'message'>,
  ): Promise<void> {
    const { database } = this.#service.store;
    const run = await getRun(database, this.#run.id);
    if (run?.state !== 'running') return;
    const shortfalls = await shortfallsOf(database, run.id);
    const progress = { ...run.progress, concurrency: null };
    await endRun(database, run.id, { state, mode: run.mode, progress, shortfalls, error: { code, message } });
    this.#log.warn({ ...this.#ids(), state, code }, `The run ended: ${message}`);
    this.#over.abort();
  }

  // ------------------------------------------------------------------ one slice

  #begin(slice: Slice): void {
    const part: Promise<void> = this.#attempt(slice)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#active.delete(part));
    this.#active.add(part);
  }

  /** Reads a slice; what fails of it is sorted here: the slice's, the credential's, the run's or the store's fault. */
  async #attempt(slice: Slice): Promise<void> {
    let picked: Credential | null = null;
    const state = { progress: slice.progress };
    try {
      if (slice.lapses > 0)
        this.#log.warn(this.#ids(slice), 'A part of the run is taken over from a worker that vanished.');
      if (slice.lapses >= MOST_LAPSES) throw killsItsWorkers(slice);
      const { credential, among } = await this.#credentials.pick(slice);
      picked = credential;
      await this.#hold(slice, state, (signal, hold) => this.#read(slice, state, { credential, among, signal, hold }));
      this.#slices += 1;
    } catch (thrown) {
      const error = asConnectorError(thrown);
      if (isLostSlice(thrown)) {
        this.#log.warn(this.#ids(slice), 'A part of the run was taken over by another worker.');
        return;
      }
      if (error.code === 'database_unavailable') throw error;
      await releaseSlice(this.#service.store.database, slice, { ...state.progress, concurrency: null });
      if (this.#over.signal.aborted || this.#options.signal.aborted) return;
      if (error.code === 'invalid_credentials' && picked && (await this.#credentials.refuse(picked, slice))) return;
      if (error.code === 'invalid_permissions' && picked && (await this.#credentials.avoid(picked, slice))) return;
      await this.#end('failed', error);
    }
  }

  /** Keeps the slice while it is read; its signal ends the reading when it is lost. */
  async #hold(
    slice: Slice,
    state: { readonly progress: Progress },
    read: (signal: AbortSignal, hold: Hold) => Promise<void>,
  ): Promise<void> {
    const { database } = this.#service.store;
    const lost = new AbortController();
    let renewing = Promise.resolve();
    let idle = true;
    const renew = setInterval(() => {
      if (!idle) return;
      idle = false;
      renewing = renewSlice(database, slice, state.progress)
        .then(
          (held) => held || lost.abort(),
          () => undefined, // the next transaction meets the same database, and reports it
        )
        .then(() => {
          idle = true;
        });
    }, LOOK_EVERY_MS);
    try {
      const signal = AbortSignal.any([this.#options.signal, this.#over.signal, lost.signal]);
      await read(signal, holdOf(slice));
    } catch (error) {
      throw lost.signal.aborted ? lostSlice() : error;
    } finally {
      clearInterval(renew);
      await renewing;
    }
  }

  async #read(
    slice: Slice,
    state: { progress: Progress },
    { credential, among, signal, hold }: { credential: Credential; among: number; signal: AbortSignal; hold: Hold },
  ): Promise<void> {
    const { store, now } = this.#service;
    const token = openSecret(this.#service, credential, 'api_token') ?? '';
    const key = clientKey(this.#service, [credential]);
    await onTheWay(this.#service, this.#settings, key === undefined ? {} : { client_key: key }, async (way) => {
      // a server that answered before is waited for; of a new one a wrong address is told at once
      const known = slice.kind !== 'plan' || this.#connection.last_synced_at !== null;
      const client = new SonarClient({ ...way, token, pace: this.#pace, known, signal });
      try {
        const context = await this.#contextFor(slice);
        const { access = 'admin', projects } = this.#settings;
        const source = new SonarSource(client, {
          listing: { access, ...(projects && { named: projects }) },
          ...(context && { context }),
        });
        const before = slice.progress;
        const reading = new Reading(source, store.warehouse, {
          connectionId: this.#connection.id,
          full: this.#run.requested.full ?? false,
          auditHours: this.#settings.audit_hours ?? 24,
          now,
          selects: selects(this.#settings.include ?? [], this.#settings.exclude ?? []),
          signal,
          traffic: () => {
            const { requests, retries, bytes, concurrency } = client.flow;
            return {
              requests: before.requests + requests,
              retries: before.retries + retries,
              bytes: before.bytes + bytes,
              concurrency,
            };
          },
          onProgress: (progress) => {
            state.progress = progress;
          },
          hold,
          progress: before,
          shortfalls:
            slice.kind === 'finish' ? await this.#allShortfalls() : (slice.shortfalls as readonly Shortfall[]),
          severalTokens: among > 1,
        });
        let conclude: () => Promise<void>;
        try {
          conclude = await this.#stage(slice, reading, source);
        } finally {
          await reading.close();
        }
        await conclude();
        await this.#noteWorked(credential, client.tokenExpiresAt);
      } finally {
        await client.close();
      }
    });
  }

  /** Does what the slice is for; the function returned ends it, once the reading is closed and its progress final. */
  async #stage(slice: Slice, reading: Reading, source: SonarSource): Promise<() => Promise<void>> {
    if (slice.kind === 'plan') {
      const { plan, projects } = await reading.plan();
      return () => this.#planned(slice, plan, projects, reading.progress, source.context());
    }
    if (slice.kind === 'read') {
      const done = new Set(slice.done);
      await reading.read((slice.work as readonly PlannedProject[]).filter(({ ref }) => !done.has(ref.key)));
      return () => this.#concluded(slice, reading.progress);
    }
    const { outcome, mode, shortfalls } = await reading.finish(slice.work as RunPlan);
    return () => this.#finished(slice, { outcome, mode, shortfalls }, reading.progress);
  }

  async #planned(
    slice: Slice,
    plan: RunPlan,
    projects: readonly PlannedProject[],
    progress: Progress,
    context: Cursor,
  ): Promise<void> {
    await this.#service.store.database.transaction(async (client) => {
      if (!(await addProgress(client, this.#run.id, progress, plan.mode))) throw lostSlice();
      await insertSlices(client, this.#run.id, inSlices(projects), plan);
      await endSlice(client, slice, { progress, keep: context });
    });
  }

  async #concluded(slice: Slice, progress: Progress): Promise<void> {
    await this.#service.store.database.transaction(async (client) => {
      if (!(await addProgress(client, this.#run.id, progress))) throw lostSlice();
      await endSlice(client, slice, { progress });
    });
  }

  async #finished(
    slice: Slice,
    { outcome, mode, shortfalls }: Pick<Awaited<ReturnType<Reading['finish']>>, 'outcome' | 'mode' | 'shortfalls'>,
    part: Progress,
  ): Promise<void> {
    await this.#service.store.database.transaction(async (client) => {
      const progress = await addProgress(client, this.#run.id, part);
      if (!progress) throw lostSlice();
      await endSlice(client, slice, { progress: part });
      await endRun(client, this.#run.id, { state: outcome, mode, progress, shortfalls });
      await noteSynced(client, this.#connection.id);
    });
    this.#log.info({ ...this.#ids(), state: outcome, mode, shortfalls: shortfalls.length }, 'The run ended.');
  }

  async #allShortfalls(): Promise<Shortfall[]> {
    const all = (await shortfallsOf(this.#service.store.database, this.#run.id)) as Shortfall[];
    return [...new Map(all.map((one) => [shortfallKey(one.stream, one.project), one])).values()];
  }

  /** What the plan's source knew; null while there is no plan. */
  async #contextFor({ kind }: Slice): Promise<Cursor | null> {
    if (kind === 'plan') return null;
    this.#context ??= (await planContext(this.#service.store.database, this.#run.id)) as Cursor | null;
    return this.#context;
  }

  async #noteWorked(credential: Credential, ends: Date | null): Promise<void> {
    const { database } = this.#service.store;
    if (credential.refused_at !== null) await noteAccepted(database, credential.id);
    if (ends !== null && dayOf(ends) !== credential.expiration_date) {
      await noteExpiration(database, credential.id, dayOf(ends));
    }
  }
}

/** What every transaction of a slice holds. */
function holdOf(slice: Slice): Hold {
  let shortfalls: ReadonlyMap<string, Shortfall> = new Map(
    (slice.shortfalls as readonly Shortfall[]).map((one) => [shortfallKey(one.stream, one.project), one]),
  );
  return {
    enter: (client) => enterSlice(client, slice),
    leave: async (client, { settlements, done }) => {
      shortfalls = noted(shortfalls, settlements);
      await leaveSlice(client, slice, { done, shortfalls: [...shortfalls.values()] });
    },
  };
}

/** Projects in slices: so many projects, and so many rows as far as is known, but one project at least. Pure. */
export function inSlices(projects: readonly PlannedProject[]): PlannedProject[][] {
  const slices: PlannedProject[][] = [];
  let rows = 0;
  for (const project of projects) {
    const last = slices.at(-1);
    if (last && last.length < PROJECTS_IN_SLICE && rows + project.rows <= ROWS_IN_SLICE) {
      last.push(project);
      rows += project.rows;
    } else {
      slices.push([project]);
      ({ rows } = project);
    }
  }
  return slices;
}

const killsItsWorkers = ({ number, lapses }: Slice): ConnectorError =>
  new ConnectorError(
    'unexpected',
    `Part ${number} of the run ended its worker ${lapses} times without storing anything: see the workers' logs, most likely for a lack of memory; what was stored stays.`,
    { details: { slice: number, lapses } },
  );
