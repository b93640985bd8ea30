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
  readonly warnings: readonly string[];
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
  | { readonly type: 'traffic'; readonly requests: number; readonly retries: number; readonly bytes: number }
  | { readonly type: 'warning'; readonly text: string };

export const NO_PROGRESS: Progress = {
  phase: 'listing',
  projects: { done: 0, total: null },
  streams: {},
  requests: 0,
  retries: 0,
  bytes: 0,
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
      return { ...progress, requests: event.requests, retries: event.retries, bytes: event.bytes };
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
