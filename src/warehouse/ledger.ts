/** The completeness ledger: what a pass found, judged by one pure function, and the rows the server no longer has. */
import type pg from 'pg';
import type { LedgerState, Tally } from '../protocol/sync.ts';
import { recordColumns, type AnyStream } from './ddl.ts';
import {
  CONVERTED,
  countStatement,
  goneStatement,
  goneWithProjectStatement,
  LEDGER_ROWS,
  marksStatement,
  POINTS_GONE,
  presentStatement,
  RENAMED,
  SUSPECTED,
  type Scope,
} from './ledger-sql.ts';
import type { References } from './references.ts';

/** What is known when a pass over one stream of one project has been written. */
export interface Evidence {
  readonly totalBefore: number | null;
  readonly totalAfter: number | null;
  readonly seen: number | null;
  readonly holes: number;
  /** Rows here that are not marked gone. */
  readonly present: number;
  readonly problem?: NonNullable<Tally['problem']>;
}

export interface Verdict {
  readonly state: LedgerState;
  readonly reason: string | null;
}

/** `complete` only when every count agrees; everything else says what does not. Pure. */
export function judge(e: Evidence): Verdict {
  if (e.problem) return e.problem;
  if (e.totalBefore !== e.totalAfter) {
    return {
      state: 'moving',
      reason:
        e.totalBefore === null
          ? 'the server changed while it was read'
          : `the server counted ${e.totalBefore}, then ${String(e.totalAfter)} while it was read`,
    };
  }
  if (e.totalAfter === null) return { state: 'short', reason: 'the server told no total' };
  if (e.seen !== null && e.seen + e.holes !== e.totalAfter) {
    return { state: 'short', reason: `the server counts ${e.totalAfter}, ${e.seen} could be read` };
  }
  if (e.present + e.holes !== e.totalAfter) {
    return { state: 'short', reason: `the server counts ${e.totalAfter}, ${e.present} are here` };
  }
  return { state: 'complete', reason: null };
}

/** Did the pass see everything, so that a stored row it did not meet is known to be gone? Pure. */
export function sawAll(tally: Tally): boolean {
  return (
    tally.keys !== undefined &&
    tally.problem === undefined &&
    tally.totalBefore === tally.totalAfter &&
    tally.seen !== null &&
    tally.seen + tally.holes === tally.totalAfter &&
    tally.holes === 0
  );
}

/**
 * Is so much gone at once that it is first a suspicion: a wrong server behind the same address, a restored backup, a
 * changed permission? Analyses are thinned by the server's own housekeeping and are believed. Pure.
 */
export function tooMuchGone(stream: Pick<AnyStream, 'name'>, gone: number, present: number): boolean {
  if (stream.name === 'projects') return gone >= 3 && gone > present * 0.1;
  return stream.name !== 'analyses' && gone > Math.max(50, present * 0.2);
}

/** How long a suspicion must have stood before a second full read that agrees with it is believed. */
export const SUSPICION_MS = 60 * 60 * 1000;

/** What `settleAll` found for one tally. */
export interface Settlement extends Verdict {
  readonly tally: Tally;
  readonly present: number;
  /** Rows newly marked gone, by stream: a deleted project takes all that belongs to it along. */
  readonly gone: ReadonlyMap<string, number>;
  /** Identities of stored rows that the pass did not meet and that are not marked until the source proves them gone. */
  readonly unproven: readonly string[];
}

/** The rows that a tally speaks of. */
interface Count {
  readonly present: number;
  readonly kept: number;
  /** Rows before the part that the pass covered; null when it covered everything. */
  readonly older: number | null;
}

const NO_ROWS: Count = { present: 0, kept: 0, older: null };

/** A settlement and what else the ledger says of it. */
interface Finding {
  readonly settlement: Settlement;
  readonly count: Count;
  readonly missing: number;
}

interface StoredRow {
  readonly id: number;
  readonly identity: string;
  /** The server has closed it, and forgets it some day: nothing to be suspicious of. */
  readonly closed: boolean;
}

/** Settles tallies inside the transaction that holds their rows: counts, marks what is gone, writes the ledger. */
export class Ledger {
  readonly #connectionId: number;
  readonly #streams: ReadonlyMap<string, AnyStream>;
  readonly #references: References;

  constructor(connectionId: number, streams: readonly AnyStream[], references: References) {
    this.#connectionId = connectionId;
    this.#streams = new Map(streams.map((stream) => [stream.name, stream]));
    this.#references = references;
  }

  /**
   * Settles tallies as if one after the other. Those that cannot see each other's effects share their statements: a first
   * sync brings four tallies for each project, and of many small projects that was most of its time.
   */
  async settleAll(client: pg.ClientBase, tallies: readonly Tally[], now: Date): Promise<Settlement[]> {
    const settlements: Settlement[] = [];
    for (const group of this.#groups(tallies)) settlements.push(...(await this.#settleGroup(client, group, now)));
    return settlements;
  }

  /** In a group every tally counts rows of its own; one of the whole connection is alone. */
  #groups(tallies: readonly Tally[]): Tally[][] {
    const groups: Tally[][] = [];
    const counted = new Set<string>();
    let open: Tally[] | null = null;
    for (const tally of tallies) {
      const rows = JSON.stringify([this.#counted(tally).name, tally.project]);
      if (open === null || tally.project === null || counted.has(rows)) {
        groups.push((open = []));
        counted.clear();
      }
      open.push(tally);
      counted.add(rows);
      if (tally.project === null) open = null;
    }
    return groups;
  }

  async #settleGroup(client: pg.ClientBase, tallies: readonly Tally[], now: Date): Promise<Settlement[]> {
    for (const tally of tallies) {
      if (tally.stream === 'projects' && sawAll(tally)) await this.#followRenames(client, tally);
    }
    const counts = await this.#count(client, tallies);
    const findings: Finding[] = [];
    const withIssues: Tally[] = [];
    for (const tally of tallies) {
      const count = counts.get(tally) ?? NO_ROWS;
      if (tally.stream === 'issues') withIssues.push(tally);
      if (sawAll(tally) && count.present !== tally.seen) {
        // a hotspot that is marked now had not vanished yet when those before were settled
        await this.#noteConversions(client, withIssues.splice(0));
        findings.push(await this.#settleMissing(client, tally, count, now));
      } else {
        findings.push(finding(tally, count, judge({ ...tally, present: count.present })));
      }
    }
    await this.#noteConversions(client, withIssues);
    await this.#write(client, findings, now);
    await this.#setMarks(client, tallies);
    return findings.map(({ settlement }) => settlement);
  }

  /** A pass that saw everything met another number of rows than are here. */
  async #settleMissing(client: pg.ClientBase, tally: Tally, count: Count, now: Date): Promise<Finding> {
    const stream = this.#counted(tally);
    const missing = await this.#notMet(client, stream, tally);
    if (missing.length === 0) return finding(tally, count, judge({ ...tally, present: count.present }));
    const open = missing.filter((row) => !row.closed).length;
    const suspect = (what: string): Verdict => ({
      state: 'suspect',
      reason: `${missing.length} of ${count.present} rows ${what}`,
    });
    if (tooMuchGone(stream, open, count.present) && !(await this.#confirmed(client, tally, missing.length, now))) {
      const verdict = suspect('are gone at once; nothing is marked until a read at least an hour later agrees');
      return finding(tally, count, verdict, { missing: missing.length });
    }
    if (!tally.readable) {
      const unproven = missing.map((row) => row.identity);
      return finding(tally, count, suspect('were not met, and nothing proves them gone'), {
        missing: missing.length,
        unproven,
      });
    }
    const gone = await this.#markGone(client, stream, missing, now);
    const left = { ...count, present: count.present - missing.length, kept: count.kept + missing.length };
    return finding(tally, left, judge({ ...tally, present: left.present }), { missing: missing.length, gone });
  }

  #counted(tally: Tally): AnyStream {
    const stream = this.#streams.get(tally.stream);
    const counted = stream?.countedBy === undefined ? stream : this.#streams.get(stream.countedBy);
    if (!counted) throw new Error(`no stream ${tally.stream}`);
    return counted;
  }

  /** The row id of a project; there is none with -1. */
  #project(key: string): number {
    return this.#references.id('projects', key) ?? -1;
  }

  /** The parameters of a tally's scope. */
  #scoped({ project, from }: Tally): unknown[] {
    if (project === null) return [this.#connectionId];
    return from ? [this.#project(project), from] : [this.#project(project)];
  }

  async #count(client: pg.ClientBase, tallies: readonly Tally[]): Promise<ReadonlyMap<Tally, Count>> {
    const projects = tallies.flatMap(({ project }) => project ?? []);
    await this.#references.loadIds(client, 'projects', projects);
    const counts = new Map<Tally, Count>();
    const alike = Map.groupBy(tallies, (tally) => countStatement(this.#counted(tally), scopeOf(tally)));
    for (const [sql, own] of alike) {
      const { rows } = await client.query<Count>(sql, arrays(own.map((tally) => this.#scoped(tally))));
      for (const [index, tally] of own.entries()) counts.set(tally, rows[index] ?? NO_ROWS);
    }
    return counts;
  }

  async #notMet(client: pg.ClientBase, stream: AnyStream, tally: Tally): Promise<StoredRow[]> {
    const sql = presentStatement(stream, scopeOf(tally));
    const { rows } = await client.query<StoredRow>(sql, this.#scoped(tally));
    return rows.filter((row) => !tally.keys?.has(row.identity));
  }

  async #confirmed(client: pg.ClientBase, tally: Tally, gone: number, now: Date): Promise<boolean> {
    const { rows } = await client.query<{ suspected_since: string }>(SUSPECTED, [
      this.#connectionId,
      tally.stream,
      tally.project ?? '',
      gone,
    ]);
    const [before] = rows;
    return before !== undefined && now.getTime() - new Date(before.suspected_since).getTime() >= SUSPICION_MS;
  }

  async #markGone(
    client: pg.ClientBase,
    stream: AnyStream,
    rows: readonly StoredRow[],
    now: Date,
  ): Promise<ReadonlyMap<string, number>> {
    const result = await client.query(goneStatement(stream), [
      rows.map((row) => row.id),
      now,
      rows.filter((row) => row.closed).map((row) => row.id),
    ]);
    const gone = new Map([[stream.name, result.rowCount ?? 0]]);
    if (stream.name === 'projects') await this.#markProjectsGone(client, rows, now, gone);
    if (stream.name === 'analyses') gone.set('measures_history', await this.#markPointsGone(client, rows, now));
    return gone;
  }

  /**
   * The points of analyses that are gone stay. One that was the newest was deleted by an administrator, not thinned by
   * housekeeping: its value must not be what "the newest value" finds, so it moves aside.
   */
  async #markPointsGone(client: pg.ClientBase, rows: readonly StoredRow[], now: Date): Promise<number> {
    const result = await client.query(POINTS_GONE, [rows.map((row) => row.id), now, this.#connectionId]);
    return result.rowCount ?? 0;
  }

  /** What belonged to a deleted project stays, marked; its ledger rows would compare with a server that has nothing. */
  async #markProjectsGone(
    client: pg.ClientBase,
    rows: readonly StoredRow[],
    now: Date,
    gone: Map<string, number>,
  ): Promise<void> {
    for (const stream of this.#streams.values()) {
      if (!('project_id' in stream.columns)) continue;
      const result = await client.query(goneWithProjectStatement(stream), [rows.map((row) => row.id), now]);
      gone.set(stream.name, result.rowCount ?? 0);
    }
    await client.query('delete from sonarqube_completeness where connection_id = $1 and project = any($2)', [
      this.#connectionId,
      rows.map((row) => row.identity),
    ]);
  }

  async #write(client: pg.ClientBase, findings: readonly Finding[], now: Date): Promise<void> {
    const rows = findings.map((one) => ledgerRow(one, now));
    await client.query(LEDGER_ROWS, [this.#connectionId, now, ...arrays(rows)]);
  }

  /**
   * A project whose key changed keeps its row and all that hangs on it: the server's own id tells (2025.6 and later; before
   * that only the issues find their way, by their keys). The row just made for the new key gives its key to the old row.
   */
  async #followRenames(client: pg.ClientBase, tally: Tally): Promise<void> {
    const { rows } = await client.query<{ old_id: number; new_id: number; old_key: string; new_key: string }>(RENAMED, [
      this.#connectionId,
    ]);
    for (const { old_id, new_id, old_key, new_key } of rows) {
      if (tally.keys?.has(old_key) || !tally.keys?.has(new_key)) continue;
      const columns = recordColumns(this.#counted(tally)).map(([name]) => `${name} = n.${name}`);
      await client.query(
        `with n as (delete from sonarqube_projects where id = $2 returning *)
         update sonarqube_projects o set ${columns.join(', ')}, synced_at = n.synced_at from n where o.id = $1`,
        [old_id, new_id],
      );
      // what an earlier run found under the new key it found without the rows that come to it now
      await client.query('delete from sonarqube_completeness where connection_id = $1 and project = $2', [
        this.#connectionId,
        new_key,
      ]);
      await client.query('update sonarqube_completeness set project = $3 where connection_id = $1 and project = $2', [
        this.#connectionId,
        old_key,
        new_key,
      ]);
      // without cursors it is read whole: the new key is in the name of every file
      await client.query('delete from soundings.cursors where connection_id = $1 and slice = any($2)', [
        this.#connectionId,
        [old_key, new_key],
      ]);
      this.#references.forget('projects', [old_key, new_key]);
    }
  }

  /** From 2026.4 on a server turns hotspots into issues under the same keys: such a hotspot did not vanish. */
  async #noteConversions(client: pg.ClientBase, tallies: readonly Tally[]): Promise<void> {
    const projects = tallies.flatMap(({ project }) => (project === null ? [] : this.#project(project)));
    if (projects.length === 0 || !this.#streams.has('hotspots')) return;
    await client.query(CONVERTED, [this.#connectionId, projects]);
  }

  /** Of several tallies of a project the last one that names a mark sets it. */
  async #setMarks(client: pg.ClientBase, tallies: readonly Tally[]): Promise<void> {
    const projects = this.#streams.get('projects');
    if (!projects) return;
    const byProject = new Map<string, Readonly<Record<string, unknown>>>();
    for (const { project, marks } of tallies) {
      if (marks && project !== null) byProject.set(project, { ...byProject.get(project), ...marks });
    }
    const alike = Map.groupBy(byProject, ([, marks]) => Object.keys(marks).sort().join());
    for (const [list, own] of alike) {
      const names = list.split(',');
      const rows = own.map(([project, marks]) => [this.#project(project), ...names.map((name) => marks[name])]);
      await client.query(marksStatement(projects, names), arrays(rows));
    }
  }
}

const scopeOf = ({ project, from }: Tally): Scope => (project === null ? 'connection' : from ? 'since' : 'project');

/** Rows as one array for each column. */
const arrays = (rows: readonly (readonly unknown[])[]): unknown[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]));

function finding(
  tally: Tally,
  count: Count,
  verdict: Verdict,
  {
    missing = 0,
    gone = new Map(),
    unproven = [],
  }: { missing?: number; gone?: Settlement['gone']; unproven?: readonly string[] } = {},
): Finding {
  return { settlement: { ...verdict, tally, present: count.present, gone, unproven }, count, missing };
}

/** In the order of `LEDGER_ROWS`. Of a pass over a part of the rows the rest counts as it is here. */
function ledgerRow({ settlement, count, missing }: Finding, now: Date): unknown[] {
  const { tally, state, reason, present } = settlement;
  const { older } = count;
  const whole = older === null;
  const total = (counted: number | null): number | null => (counted === null ? null : counted + (older ?? 0));
  return [
    tally.stream,
    tally.project ?? '',
    total(tally.totalAfter),
    total(tally.totalBefore),
    whole ? tally.seen : null,
    tally.holes,
    present + (older ?? 0),
    count.kept,
    state,
    reason,
    whole && tally.seen !== null && state === 'complete' ? now : null,
    state === 'suspect' ? missing : null,
  ];
}
