/** What a row of the connections says in one word, and how much of it is there. Pure. */
import type { Answer } from '../../api.ts';
import type { State } from '../../parts/state-badge.tsx';
import { count, percent } from '../../parts/words.ts';

export type Connection = Answer<'connections.overview'>['connections'][number];
export type Completeness = Connection['completeness'];

export interface Shown {
  readonly state: State;
  /** Why it is so, where that is known. */
  readonly why: string | null;
}

/** What matters most now: that it is disabled, that it is being read, what the last run left, else whether it is verified. */
export function stateOf({ state, disabled_at, disabled_reason, last_run: run }: Connection): Shown {
  if (disabled_at !== null) return { state: 'disabled', why: disabled_reason };
  if (run?.state === 'running') return { state: 'syncing', why: null };
  if (run?.state === 'queued') return { state: 'queued', why: null };
  if (run?.state === 'partly_failed' || run?.state === 'failed') {
    return { state: run.state, why: run.error?.message ?? null };
  }
  return { state, why: null };
}

/** How many of what was looked at is complete, and what the rest is; null before anything was looked at. */
export function completenessOf(found: Completeness): { share: number; rest: string } | null {
  const { complete, ...others } = found;
  const total = Object.values(found).reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  const rest = Object.entries(others).filter(([, n]) => n > 0);
  return { share: percent(complete, total), rest: rest.map(([state, n]) => `${count(n)} ${state}`).join(', ') };
}

const DAY_MS = 86_400_000;
/** From so many days before its end on, a token is worth a look. */
const SOON_DAYS = 30;

export type Ending = 'ended' | 'soon' | 'later';

/** How near the end of a token is; it is not used from that day on. */
export function endingOf(day: string, now: number): Ending {
  const left = Date.parse(day) - now;
  return left <= 0 ? 'ended' : left <= SOON_DAYS * DAY_MS ? 'soon' : 'later';
}
