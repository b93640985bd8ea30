/** The use case "sync a server": one run from the first request to the stored outcome. */
import { createConnection, findConnection, noteSynced, type Connection } from '../control/connections.ts';
import { closeAbandoned, endRun, saveProgress, sharedRun, startRun, type RunState } from '../control/runs.ts';
import type { Database } from '../db/database.ts';
import { isServerAway } from '../db/errors.ts';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import { changes, NO_PROGRESS, type Progress } from '../protocol/progress.ts';
import { SonarClient } from '../source/client.ts';
import { SonarSource } from '../source/sonarqube.ts';
import { selects } from '../sync/plan.ts';
import type { RunResult } from '../sync/reading.ts';
import { runSync } from '../sync/run.ts';
import type { Shortfall } from '../sync/shortfalls.ts';
import type { Store } from './store.ts';
import { VERSION } from './version.ts';

export interface SyncRequest {
  /** Normalised by `parseBaseUrl`. */
  readonly baseUrl: string;
  /** Where the server answers, when that is not its base URL (the sample's port differs every time). */
  readonly address?: string;
  readonly token: string;
  readonly full?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly maxConcurrency?: number;
  readonly listedEndpointsOnly?: boolean;
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly except?: string };
  readonly ca?: string;
  /** Hours after which what no date shows is looked for again (default 24); 0 never. */
  readonly auditHours?: number;
  readonly now?: () => Date;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** What a run came to: printed, and stored in `soundings.runs`. */
export interface SyncReport {
  readonly run: number;
  readonly connection: number;
  readonly server: string;
  readonly state: Exclude<RunState, 'running'>;
  readonly mode: 'full' | 'incremental' | 'unknown';
  /** Rows added, changed or marked gone; 0 when the server had nothing new. */
  readonly changes: number;
  /** From before the first request until everything is committed. */
  readonly seconds: number;
  readonly progress: Progress;
  readonly shortfalls: readonly Shortfall[];
  readonly error: ConnectorError | null;
}

/** The run's row is brought up to date this often. */
const SAVE_EVERY_MS = 2000;

/** Runs one sync. Never two of one connection at once, on whatever machine: the second is refused. */
export async function sync({ database, warehouse }: Store, request: SyncRequest): Promise<SyncReport> {
  const began = performance.now();
  const stop = new AbortController();
  const client = openClient({ ...request, signal: AbortSignal.any([request.signal, stop.signal]) });
  try {
    const source = new SonarSource(client);
    const known = await findConnection(database, request.baseUrl);
    const connection = known ?? (await connect(database, request, source));
    const lock = await database.tryLock(`soundings.sync.${connection.id}`);
    if (!lock) {
      throw new ConnectorError(
        'invalid_arguments',
        `A sync of ${request.baseUrl} is running already; wait for it, or see it with "soundings status".`,
      );
    }
    lock.lost.addEventListener('abort', () => stop.abort());
    try {
      const shared = await sharedRun(database, connection.id);
      if (shared !== null) {
        throw new ConnectorError(
          'invalid_arguments',
          `A sync of ${request.baseUrl} is running already (run ${shared}, by "soundings serve" or a worker); wait for it, or end it with "soundings syncs cancel --id ${shared}".`,
        );
      }
      await closeAbandoned(database, connection.id);
      return await runAndRecord({ database, warehouse }, connection, request, { client, source, began }, lock.lost);
    } finally {
      await lock.release();
    }
  } finally {
    await client.close();
  }
}

/** A server that is not known yet must answer before anything is stored about it. */
async function connect(database: Database, request: SyncRequest, source: SonarSource): Promise<Connection> {
  await source.greet();
  return createConnection(database, { base_url: request.baseUrl });
}

async function runAndRecord(
  store: Store,
  connection: Connection,
  request: SyncRequest,
  { client, source, began }: { readonly client: SonarClient; readonly source: SonarSource; readonly began: number },
  lost: AbortSignal,
): Promise<SyncReport> {
  const { database } = store;
  const run = await startRun(database, connection.id, VERSION);
  let progress = NO_PROGRESS;
  const saving = setInterval(() => {
    saveProgress(database, run, progress).catch(() => undefined); // the run itself meets the same database, and reports it
  }, SAVE_EVERY_MS);

  let result: RunResult | null = null;
  let error: ConnectorError | null = null;
  try {
    result = await runSync(source, store.warehouse, {
      connectionId: connection.id,
      full: request.full ?? false,
      auditHours: request.auditHours ?? 24,
      now: request.now ?? (() => new Date()),
      selects: selects(request.include ?? [], request.exclude ?? []),
      signal: AbortSignal.any([request.signal, lost]),
      traffic: () => client.flow,
      onProgress: (next) => {
        progress = next;
        request.onProgress?.(next);
      },
    });
  } catch (thrown) {
    error = asConnectorError(thrown);
    // a new connection may find the database gone before the lock's own does
    const isLost = lost.aborted || (error.code === 'database_unavailable' && isServerAway(error));
    if (isLost && !request.signal.aborted) error = lostDatabase(thrown);
  } finally {
    clearInterval(saving);
  }
  const state = result?.outcome ?? (error?.code === 'cancelled' ? 'cancelled' : 'failed');
  const mode = result?.mode ?? 'unknown';
  const shortfalls = result?.shortfalls ?? [];
  try {
    await endRun(database, run, { state, mode, progress, shortfalls, ...(error && { error }) });
    if (result) await noteSynced(database, connection.id);
  } catch (failure) {
    error ??= asConnectorError(failure);
  }
  return {
    run,
    connection: connection.id,
    server: connection.settings.base_url,
    state,
    mode,
    changes: changes(progress),
    seconds: (performance.now() - began) / 1000,
    progress,
    shortfalls,
    error,
  };
}

function openClient(request: SyncRequest): SonarClient {
  return new SonarClient({
    baseUrl: request.address ?? request.baseUrl,
    token: request.token,
    version: VERSION,
    signal: request.signal,
    ...(request.maxConcurrency !== undefined && { maxConcurrency: request.maxConcurrency }),
    ...(request.listedEndpointsOnly !== undefined && { listedEndpointsOnly: request.listedEndpointsOnly }),
    ...(request.proxy && { proxy: request.proxy }),
    ...(request.ca !== undefined && { ca: request.ca }),
  });
}

function lostDatabase(cause: unknown): ConnectorError {
  return new ConnectorError(
    'database_unavailable',
    'The database went away in the middle of the run; what was committed stays, and the next run goes on from there.',
    { retry: true, cause },
  );
}
