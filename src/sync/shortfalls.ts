/** What a run could not complete, as a value: what the ledger finds is noted in it, and a later finding replaces an earlier. */
import type { LedgerState, Tally } from '../protocol/sync.ts';

/** What is not complete and why: one line of the run's report. */
export interface Shortfall {
  readonly stream: string;
  readonly project: string | null;
  readonly state: Exclude<LedgerState, 'complete'>;
  readonly reason: string;
}

/** What of a settlement counts here. */
export interface Found {
  readonly tally: Pick<Tally, 'stream' | 'project'>;
  readonly state: LedgerState;
  readonly reason: string | null;
}

export const shortfallKey = (stream: string, project: string | null): string => `${stream}\u0000${project ?? ''}`;

/** The shortfalls after these findings. Pure; the same value when nothing changed. */
export function noted(before: ReadonlyMap<string, Shortfall>, found: readonly Found[]): ReadonlyMap<string, Shortfall> {
  let after: Map<string, Shortfall> | null = null;
  for (const { tally, state, reason } of found) {
    const key = shortfallKey(tally.stream, tally.project);
    if (state === 'complete' && !(after ?? before).has(key)) continue;
    after ??= new Map(before);
    if (state === 'complete') after.delete(key);
    else after.set(key, { stream: tally.stream, project: tally.project, state, reason: reason ?? state });
  }
  return after ?? before;
}
