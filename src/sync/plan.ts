/** What a run must read, decided from what is known. Pure. */
import type { Cursor, LedgerState, Look, PassTraits, ProjectRef } from '../protocol/sync.ts';

/** What the ledger says of one project over a pass's streams. */
export interface Checked {
  /** The worst state. */
  readonly state: LedgerState;
  /** When the stream that has waited longest was last compared with the server. */
  readonly checkedAt: Date;
  /** When the stream that has waited longest was last read whole; null when one never was. */
  readonly fullReadAt: Date | null;
  /** Rows that the largest stream holds. */
  readonly present: number;
}

/** What the warehouse remembers of one pass, by project key. */
export interface Known {
  readonly cursors: ReadonlyMap<string, Cursor>;
  readonly checked: ReadonlyMap<string, Checked>;
}

/** What a run is asked to do. */
export interface Wishes {
  /** Read everything again, whatever is known. */
  readonly full: boolean;
  /** Hours after which what no date shows is looked for again; 0 never. */
  readonly auditHours: number;
  readonly now: Date;
}

export interface PassPlan {
  readonly full: readonly ProjectRef[];
  readonly recent: readonly ProjectRef[];
}

/** States after which only a whole read can say more. */
const UNSETTLED: ReadonlySet<LedgerState> = new Set(['short', 'suspect', 'moving', 'unreadable']);

/** Which projects one pass reads, and how. */
export function planPass(
  listed: readonly ProjectRef[],
  known: Known,
  look: Look,
  traits: PassTraits,
  wishes: Wishes,
): PassPlan {
  const full: ProjectRef[] = [];
  const recent: ProjectRef[] = [];
  for (const project of listed) {
    const cursor = known.cursors.get(project.key);
    const checked = known.checked.get(project.key);
    const mode = wishes.full ? 'full' : modeOf(project, cursor, checked, look, traits, wishes);
    if (mode === 'full') full.push(project);
    if (mode === 'recent') recent.push(project);
  }
  return { full, recent };
}

function modeOf(
  project: ProjectRef,
  cursor: Cursor | undefined,
  checked: Checked | undefined,
  look: Look,
  { shape, audit, wholeUpTo }: PassTraits,
  wishes: Wishes,
): 'full' | 'recent' | null {
  if (cursor?.['shape'] !== shape || cursor['fingerprint'] === undefined) return 'full';
  if (checked === undefined || UNSETTLED.has(checked.state)) return 'full';
  const changedSinceFull = cursor['full'] !== project.fingerprint;
  if (audit === 'full-if-changed' && changedSinceFull && isDue(project.key, checked.fullReadAt, wishes)) return 'full';
  if (cursor['fingerprint'] !== project.fingerprint && checked.present <= wholeUpTo) return 'full';
  if (cursor['fingerprint'] !== project.fingerprint || !look.whole || look.touched.has(project.key)) return 'recent';
  return audit === 'recent' && isDue(project.key, checked.checkedAt, wishes) ? 'recent' : null;
}

/** Due after half to all of the interval, by the project's key: what was first read together is not audited together. */
function isDue(key: string, last: Date | null, { auditHours, now }: Wishes): boolean {
  if (auditHours === 0) return false;
  if (last === null) return true;
  let hash = 0;
  for (const character of key) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  const hours = auditHours * (0.5 + (hash % 1000) / 2000);
  return now.getTime() - last.getTime() >= hours * 3_600_000;
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
