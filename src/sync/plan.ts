/** What a run must read, decided from what is known. Pure. */
import type { Cursor, LedgerState, Look, ProjectRef } from '../protocol/sync.ts';

/** What the warehouse remembers of one pass, by project key. */
export interface Known {
  readonly cursors: ReadonlyMap<string, Cursor>;
  /** The worst state in the ledger over the pass's streams. */
  readonly states: ReadonlyMap<string, LedgerState>;
}

export interface PassPlan {
  readonly full: readonly ProjectRef[];
  readonly recent: readonly ProjectRef[];
}

/** States after which only a whole read can say more. */
const UNSETTLED: ReadonlySet<LedgerState> = new Set(['short', 'suspect', 'moving', 'unreadable']);

/** Which projects one pass reads, and how. `look` is null when everything is read anyway. */
export function planPass(
  listed: readonly ProjectRef[],
  known: Known,
  look: Look | null,
  everything: boolean,
): PassPlan {
  const full: ProjectRef[] = [];
  const recent: ProjectRef[] = [];
  for (const project of listed) {
    const fingerprint = known.cursors.get(project.key)?.['fingerprint'];
    const state = known.states.get(project.key);
    if (everything || fingerprint === undefined || state === undefined || UNSETTLED.has(state)) full.push(project);
    else if (fingerprint !== project.fingerprint || look === null || !look.whole || look.touched.has(project.key)) {
      recent.push(project);
    }
  }
  return { full, recent };
}

/** Glob patterns over project keys: `*` any run of characters, `?` one. No pattern includes everything. */
export function selects(include: readonly string[], exclude: readonly string[]): (key: string) => boolean {
  const matcher = (patterns: readonly string[]): ((key: string) => boolean) => {
    const expressions = patterns.map(
      (pattern) =>
        new RegExp(
          `^${pattern
            .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
            .replaceAll('*', '.*')
            .replaceAll('?', '.')}$`,
          'su',
        ),
    );
    return (key) => expressions.some((expression) => expression.test(key));
  };
  const included = matcher(include);
  const excluded = matcher(exclude);
  return (key) => (include.length === 0 || included(key)) && !excluded(key);
}
