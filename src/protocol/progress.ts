/** Progress of a run as a value, made by one reducer: CLI bars, web page, API and the stored run read the same. */

export interface StreamProgress {
  /** Rows the server says there are, as far as it has been asked; null while unknown. */
  readonly expected: number | null;
  /** Rows read and stored, repeats included. */
  readonly read: number;
  readonly added: number;
  readonly changed: number;
  /** Rows marked gone. */
  readonly gone: number;
}

export interface Progress {
  readonly phase: 'listing' | 'reading' | 'checking' | 'done';
  readonly projects: { readonly done: number; readonly total: number | null };
  readonly streams: Readonly<Record<string, StreamProgress>>;
  readonly requests: number;
  readonly retries: number;
  readonly bytes: number;
  /** Requests that may be in flight now, as the server's pace allows; null when nothing is asked. */
  readonly concurrency: number | null;
  readonly warnings: readonly string[];
}

/** What has been asked of the server so far, and how many requests may be in flight. */
export interface Traffic {
  readonly requests: number;
  readonly retries: number;
  readonly bytes: number;
  readonly concurrency: number | null;
}

export type ProgressEvent =
  | { readonly type: 'phase'; readonly phase: Progress['phase'] }
  | { readonly type: 'projects'; readonly total: number }
  | { readonly type: 'project-done'; readonly count: number }
  | { readonly type: 'expected'; readonly stream: string; readonly rows: number; readonly more?: boolean }
  | {
      readonly type: 'written';
      readonly stream: string;
      readonly seen: number;
      readonly added: number;
      readonly changed: number;
    }
  | { readonly type: 'gone'; readonly stream: string; readonly rows: number }
  | ({ readonly type: 'traffic' } & Traffic)
  | { readonly type: 'warning'; readonly text: string };

export const NO_PROGRESS: Progress = {
  phase: 'listing',
  projects: { done: 0, total: null },
  streams: {},
  requests: 0,
  retries: 0,
  bytes: 0,
  concurrency: null,
  warnings: [],
};

const EMPTY: StreamProgress = { expected: null, read: 0, added: 0, changed: 0, gone: 0 };
/** A run keeps this many warnings; the ledger has every one. */
const MOST_WARNINGS = 50;

/** The next value of progress. Pure. */
export function reduce(progress: Progress, event: ProgressEvent): Progress {
  const stream = (name: string, change: (before: StreamProgress) => Partial<StreamProgress>): Progress => {
    const before = progress.streams[name] ?? EMPTY;
    return { ...progress, streams: { ...progress.streams, [name]: { ...before, ...change(before) } } };
  };
  switch (event.type) {
    case 'phase':
      return { ...progress, phase: event.phase };
    case 'projects':
      return { ...progress, projects: { done: 0, total: event.total } };
    case 'project-done':
      return { ...progress, projects: { ...progress.projects, done: progress.projects.done + event.count } };
    case 'expected':
      return stream(event.stream, (before) => ({ expected: (event.more ? (before.expected ?? 0) : 0) + event.rows }));
    case 'written':
      return stream(event.stream, (before) => ({
        read: before.read + event.seen,
        added: before.added + event.added,
        changed: before.changed + event.changed,
      }));
    case 'gone':
      return stream(event.stream, (before) => ({ gone: before.gone + event.rows }));
    case 'traffic':
      return {
        ...progress,
        requests: event.requests,
        retries: event.retries,
        bytes: event.bytes,
        concurrency: event.concurrency,
      };
    case 'warning':
      return progress.warnings.length >= MOST_WARNINGS
        ? progress
        : { ...progress, warnings: [...progress.warnings, event.text] };
  }
}

/** Rows added, changed and gone over all streams: 0 when a run found nothing new. */
export function changes(progress: Progress): number {
  return Object.values(progress.streams).reduce((sum, s) => sum + s.added + s.changed + s.gone, 0);
}

const PHASES = ['listing', 'reading', 'checking', 'done'] as const;

const total = (a: number | null, b: number | null): number | null =>
  a === null && b === null ? null : (a ?? 0) + (b ?? 0);

/** The progress of two parts of one run together; `NO_PROGRESS` changes nothing. Pure. */
export function add(a: Progress, b: Progress): Progress {
  const streams: Record<string, StreamProgress> = { ...a.streams };
  for (const [name, theirs] of Object.entries(b.streams)) {
    const ours = streams[name] ?? EMPTY;
    streams[name] = {
      expected: total(ours.expected, theirs.expected),
      read: ours.read + theirs.read,
      added: ours.added + theirs.added,
      changed: ours.changed + theirs.changed,
      gone: ours.gone + theirs.gone,
    };
  }
  return {
    phase: PHASES.indexOf(a.phase) < PHASES.indexOf(b.phase) ? b.phase : a.phase,
    projects: { done: a.projects.done + b.projects.done, total: total(a.projects.total, b.projects.total) },
    streams,
    requests: a.requests + b.requests,
    retries: a.retries + b.retries,
    bytes: a.bytes + b.bytes,
    concurrency: total(a.concurrency, b.concurrency),
    warnings: [...a.warnings, ...b.warnings].slice(0, MOST_WARNINGS),
  };
}
