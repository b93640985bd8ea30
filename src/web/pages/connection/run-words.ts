/** A run in words and numbers: how long, how fast, how much longer, and what to do when it failed. Pure. */
import type { Progress, StreamProgress } from '../../../protocol/progress.ts';

export type RunState = 'queued' | 'running' | 'complete' | 'partly_failed' | 'failed' | 'cancelled';

/** Will it still change by itself? */
export const isOpen = (state: RunState): boolean => state === 'queued' || state === 'running';

interface Times {
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

/** Seconds it took, or takes until now; null before it began. */
export function secondsOf({ started_at, ended_at }: Times, now: number): number | null {
  if (started_at === null) return null;
  const end = ended_at === null ? now : Date.parse(ended_at);
  return Math.max(0, (end - Date.parse(started_at)) / 1000);
}

/** What was known of a run at a moment (milliseconds of this browser's clock). */
export interface Sample {
  readonly at: number;
  readonly rows: number;
  readonly requests: number;
}

const WINDOW_MS = 20_000;

export const sampleOf = (progress: Progress, at: number): Sample => ({
  at,
  rows: Object.values(progress.streams).reduce((sum, { read }) => sum + read, 0),
  requests: progress.requests,
});

/** The samples of the last seconds and a new one; one from before the run was begun again is forgotten. */
export function sampled(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && next.at <= last.at) return samples;
  if (last && next.requests < last.requests) return [next];
  return [...samples.filter(({ at }) => at >= next.at - WINDOW_MS), next];
}

/** Rows and requests a second over the last seconds; null while too little is known. */
export function ratesOf(samples: readonly Sample[]): { rows: number; requests: number } | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last.at - first.at < 1000) return null;
  const seconds = (last.at - first.at) / 1000;
  return { rows: (last.rows - first.rows) / seconds, requests: (last.requests - first.requests) / seconds };
}

/** Projects differ in size: a guess from fewer is none. */
const ENOUGH_PROJECTS = 3;

/** Seconds until the end as the projects so far suggest; null when that would be a mere guess. */
export function secondsLeft(
  { projects, phase }: Pick<Progress, 'projects' | 'phase'>,
  seconds: number | null,
): number | null {
  const { done, total } = projects;
  if (seconds === null || total === null || phase === 'done') return null;
  if (done < Math.min(ENOUGH_PROJECTS, total) || done === 0 || done > total) return null;
  return (seconds / done) * (total - done);
}

/** Rows written over all streams. */
export function written(progress: Progress): { added: number; changed: number; gone: number } {
  const all = Object.values(progress.streams);
  return {
    added: all.reduce((sum, { added }) => sum + added, 0),
    changed: all.reduce((sum, { changed }) => sum + changed, 0),
    gone: all.reduce((sum, { gone }) => sum + gone, 0),
  };
}

const REMEDIES: Readonly<Record<string, string>> = {
  invalid_credentials: 'Update the credential in the settings with a token that is still valid, then sync again.',
  invalid_permissions:
    'Give the token’s user the permission that is named, or add a credential that has it, then sync again.',
  internal_server_error:
    'Check that the server runs and can be reached from here (firewall, proxy, certificate), verify the credential in the settings, then sync again.',
  partly_failed: 'What is missing is named below; the next run reads just that.',
  cancelled: 'What was stored stays; the next run goes on from there.',
  database_unavailable: 'Look at the database (“soundings doctor”); the next run goes on from the last commit.',
  vault_locked: 'Start Soundings with the key that sealed the credentials, or enter the token again.',
  conflict: 'Something else was under way; sync again.',
  unexpected: 'The log of the server has the details; a bug report with them is welcome. Syncing again does no harm.',
};

/** What helps after a run that ended with this code. */
export const remedyOf = (code: string): string =>
  REMEDIES[code] ?? 'Sync again; when it stays, look at the server log.';

const TRIGGERS: Readonly<Record<string, string>> = {
  command: 'the command line',
  api: 'a person or a program',
  schedule: 'the schedule',
};

export const triggerOf = (trigger: string): string => TRIGGERS[trigger] ?? trigger;

const MODES: Readonly<Record<string, string>> = {
  full: 'everything',
  incremental: 'what changed',
  unknown: 'not known yet',
};

export const modeOf = (mode: string): string => MODES[mode] ?? mode;

/** In the order in which they are read. */
const STREAMS: Readonly<Record<string, string>> = {
  projects: 'List of projects',
  metrics: 'Metrics',
  analyses: 'Analyses',
  measures: 'Measures',
  measures_history: 'Measures over time',
  issues: 'Issues',
  hotspots: 'Security hotspots',
};

export const streamOf = (name: string): string => STREAMS[name] ?? name;

/** The streams of a run, in the order in which they are read; the database keeps them in another. */
export function streamsOf({ streams }: Pick<Progress, 'streams'>): readonly (readonly [string, StreamProgress])[] {
  const known = Object.keys(STREAMS);
  const place = (name: string): number => (known.includes(name) ? known.indexOf(name) : known.length);
  return Object.entries(streams).sort(([a], [b]) => place(a) - place(b));
}
