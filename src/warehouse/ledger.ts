/** The completeness ledger: what a pass found, judged by one pure function, and the rows the server no longer has. */
import type pg from 'pg';
import type { LedgerState, Tally } from '../protocol/sync.ts';
import { recordColumns, type AnyStream } from './ddl.ts';
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

/** What `settle` found for one tally. */
export interface Settlement extends Verdict {
  readonly tally: Tally;
  readonly present: number;
  /** Rows newly marked gone, by stream: a deleted project takes all that belongs to it along. */
  readonly gone: ReadonlyMap<string, number>;
  /** Identities of stored rows that the pass did not meet and that are not marked until the source proves them gone. */
  readonly unproven: readonly string[];
}

interface Finding extends Verdict {
  readonly present: number;
  readonly kept: number;
  readonly missing: number;
  /** Rows before the part that the pass covered; null when it covered everything. */
  readonly older: number | null;
}

interface StoredRow {
  readonly id: number;
  readonly identity: string;
  /** The server has closed it, and forgets it some day: nothing to be suspicious of. */
  readonly closed: boolean;
}

/** `, column = expression` for what a row of this stream says of itself once it is gone; `$2` is the time. */
function whenGone(stream: AnyStream): string {
  return Object.entries(stream.whenGone ?? {})
    .map(([name, sql]) => `, ${name} = ${sql.replaceAll('$GONE_AT', '$2::timestamptz')}`)
    .join('');
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

  async settle(client: pg.ClientBase, tally: Tally, now: Date): Promise<Settlement> {
    const stream = this.#counted(tally);
    if (tally.stream === 'projects' && sawAll(tally)) await this.#followRenames(client, tally);
    if (tally.stream === 'issues') await this.#noteConversions(client, tally);
    const scope = await this.#scope(client, tally);
    let { present, kept } = await this.#count(client, stream, scope);
    const missing = sawAll(tally) && present !== tally.seen ? await this.#notMet(client, stream, scope, tally) : [];
    const open = missing.filter((row) => !row.closed).length;
    const held = tooMuchGone(stream, open, present) && !(await this.#confirmed(client, tally, missing.length, now));
    let verdict: Verdict | null = null;
    let gone: ReadonlyMap<string, number> = new Map();
    if (held) {
      verdict = {
        state: 'suspect',
        reason: `${missing.length} of ${present} rows are gone at once; nothing is marked until a read at least an hour later agrees`,
      };
    } else if (missing.length > 0 && tally.readable) {
      gone = await this.#markGone(client, stream, missing, now);
      present -= missing.length;
      kept += missing.length;
    } else if (missing.length > 0) {
      verdict = {
        state: 'suspect',
        reason: `${missing.length} of ${present} rows were not met, and nothing proves them gone`,
      };
    }
    verdict ??= judge({ ...tally, present, ...(tally.problem && { problem: tally.problem }) });
    const older = await this.#olderThan(client, stream, scope, tally);
    await this.#write(client, tally, { ...verdict, present, kept, missing: missing.length, older }, now);
    if (tally.marks && tally.project !== null) await this.#setMarks(client, tally.project, tally.marks);
    return {
      ...verdict,
      tally,
      present,
      gone,
      unproven: held || gone.size > 0 ? [] : missing.map((row) => row.identity),
    };
  }

  #counted(tally: Tally): AnyStream {
    const stream = this.#streams.get(tally.stream);
    const counted = stream?.countedBy === undefined ? stream : this.#streams.get(stream.countedBy);
    if (!counted) throw new Error(`no stream ${tally.stream}`);
    return counted;
  }

  /** The rows a tally speaks of, as a condition and its parameters. */
  async #scope(client: pg.ClientBase, tally: Tally): Promise<{ where: string; values: unknown[] }> {
    if (tally.project === null) return { where: 'connection_id = $1', values: [this.#connectionId] };
    await this.#references.loadIds(client, 'projects', [tally.project]);
    const project = this.#references.id('projects', tally.project) ?? -1;
    if (tally.from) return { where: 'project_id = $1 and date >= $2', values: [project, tally.from] };
    return { where: 'project_id = $1', values: [project] };
  }

  async #count(
    client: pg.ClientBase,
    stream: AnyStream,
    { where, values }: { where: string; values: unknown[] },
  ): Promise<{ present: number; kept: number }> {
    const { rows } = await client.query<{ present: number; kept: number }>(
      `select count(*) filter (where deleted_at is null)::int as present,
              count(*) filter (where deleted_at is not null)::int as kept
         from ${stream.table} where ${where}`,
      values,
    );
    return rows[0] ?? { present: 0, kept: 0 };
  }

  async #olderThan(
    client: pg.ClientBase,
    stream: AnyStream,
    { values }: { where: string; values: unknown[] },
    { from }: Tally,
  ): Promise<number | null> {
    if (!from) return null;
    return (await this.#count(client, stream, { where: 'project_id = $1 and date < $2', values })).present;
  }

  async #notMet(
    client: pg.ClientBase,
    stream: AnyStream,
    { where, values }: { where: string; values: unknown[] },
    tally: Tally,
  ): Promise<StoredRow[]> {
    const { rows } = await client.query<StoredRow>(
      `select id, ${this.#identity(stream)} as identity, ${stream.closedWhen ?? 'false'} as closed from ${stream.table} where ${where} and deleted_at is null`,
      values,
    );
    return rows.filter((row) => !tally.keys?.has(row.identity));
  }

  /** How `Tally.keys` names a row of this table: its source key, its metric's key, or its date in epoch milliseconds. */
  #identity(stream: AnyStream): string {
    if ('source_key' in stream.columns) return 'source_key';
    if (stream.key.includes('date')) return '(extract(epoch from date) * 1000)::bigint::text';
    return `(select m.source_key from sonarqube_metrics m where m.id = metric_id)`;
  }

  async #confirmed(client: pg.ClientBase, tally: Tally, gone: number, now: Date): Promise<boolean> {
    const { rows } = await client.query<{ suspected_since: string }>(
      `select suspected_since from sonarqube_completeness
        where connection_id = $1 and stream = $2 and project = $3 and state = 'suspect' and suspected = $4`,
      [this.#connectionId, tally.stream, tally.project ?? '', gone],
    );
    const [before] = rows;
    return before !== undefined && now.getTime() - new Date(before.suspected_since).getTime() >= SUSPICION_MS;
  }

  async #markGone(
    client: pg.ClientBase,
    stream: AnyStream,
    rows: readonly StoredRow[],
    now: Date,
  ): Promise<ReadonlyMap<string, number>> {
    const result = await client.query(
      `update ${stream.table} set deleted_at = $2, synced_at = $2, gone_reason = case when id = any($3) then 'purged' else 'vanished' end${whenGone(stream)}
        where id = any($1)`,
      [rows.map((row) => row.id), now, rows.filter((row) => row.closed).map((row) => row.id)],
    );
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
      const result = await client.query(
        `update ${stream.table} set deleted_at = $2, synced_at = $2, gone_reason = 'project_deleted'${whenGone(stream)}
          where project_id = any($1) and deleted_at is null`,
        [rows.map((row) => row.id), now],
      );
      gone.set(stream.name, result.rowCount ?? 0);
    }
    await client.query('delete from sonarqube_completeness where connection_id = $1 and project = any($2)', [
      this.#connectionId,
      rows.map((row) => row.identity),
    ]);
  }

  async #write(
    client: pg.ClientBase,
    tally: Tally,
    { state, reason, present, kept, missing, older }: Finding,
    now: Date,
  ): Promise<void> {
    await client.query(LEDGER_ROW, [
      this.#connectionId,
      tally.stream,
      tally.project ?? '',
      older === null || tally.totalAfter === null ? tally.totalAfter : tally.totalAfter + older,
      older === null || tally.totalBefore === null ? tally.totalBefore : tally.totalBefore + older,
      older === null ? tally.seen : null,
      tally.holes,
      present + (older ?? 0),
      kept,
      state,
      reason,
      now,
      older === null && tally.seen !== null && state === 'complete' ? now : null,
      state === 'suspect' ? missing : null,
    ]);
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
      await client.query('update sonarqube_completeness set project = $3 where connection_id = $1 and project = $2', [
        this.#connectionId,
        old_key,
        new_key,
      ]);
      // without cursors it is read whole: the new key is in the name of every file
      await client.query('delete from soundings.cursors where connection_id = $1 and slice = $2', [
        this.#connectionId,
        old_key,
      ]);
      this.#references.forget('projects', [old_key, new_key]);
    }
  }

  /** From 2026.4 on a server turns hotspots into issues under the same keys: such a hotspot did not vanish. */
  async #noteConversions(client: pg.ClientBase, { project }: Tally): Promise<void> {
    if (project === null || !this.#streams.has('hotspots')) return;
    await client.query(
      `update sonarqube_security_hotspots h set gone_reason = 'converted'
         from sonarqube_issues i, sonarqube_projects p
        where p.connection_id = $1 and p.source_key = $2 and h.project_id = p.id and h.gone_reason = 'vanished'
          and i.connection_id = $1 and i.source_key = h.source_key and i.deleted_at is null`,
      [this.#connectionId, project],
    );
  }

  async #setMarks(client: pg.ClientBase, project: string, marks: Readonly<Record<string, unknown>>): Promise<void> {
    const names = Object.keys(marks);
    const set = names.map((name, index) => `${name} = $${index + 3}`).join(', ');
    await client.query(`update sonarqube_projects set ${set} where connection_id = $1 and source_key = $2`, [
      this.#connectionId,
      project,
      ...names.map((name) => marks[name]),
    ]);
  }
}

/** By metric, project and date, the order of the points' index. */
const POINTS_GONE = `with gone as (
  select a.project_id, a.date,
         a.date > coalesce((select max(n.date) from sonarqube_analyses n
                             where n.project_id = a.project_id and n.deleted_at is null), '-infinity') as was_newest
    from sonarqube_analyses a where a.id = any($1)
)
update sonarqube_project_metrics pm
   set deleted_at = $2, synced_at = $2, gone_reason = case when g.was_newest then 'deleted' else 'thinned' end,
       gone_value = case when g.was_newest then pm.value end,
       value = case when g.was_newest then null else pm.value end,
       numeric_value = case when g.was_newest then null else pm.numeric_value end
  from gone g, sonarqube_metrics m
 where m.connection_id = $3 and pm.metric_id = m.id and pm.project_id = g.project_id and pm.date = g.date`;

/** Two rows of one project: the one that is not listed any more, and one made in this run that nothing hangs on yet. */
const RENAMED = `select o.id as old_id, n.id as new_id, o.source_key as old_key, n.source_key as new_key
  from sonarqube_projects o
  join sonarqube_projects n on n.connection_id = o.connection_id and n.project_uuid = o.project_uuid and n.id > o.id
 where o.connection_id = $1 and o.deleted_at is null
   and not exists (select from sonarqube_issues i where i.project_id = n.id)
   and not exists (select from sonarqube_analyses a where a.project_id = n.id)
   and not exists (select from sonarqube_current_measures c where c.project_id = n.id)
   and not exists (select from sonarqube_security_hotspots h where h.project_id = n.id)`;

/** A suspicion keeps the time of its first sight as long as it names the same number of rows. */
const LEDGER_ROW = `insert into sonarqube_completeness as c
  (connection_id, stream, project, server_total, total_before, seen, holes, present, kept, state, reason, checked_at,
   full_read_at, suspected, suspected_since)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $12)
on conflict (connection_id, stream, project) do update
  set server_total = excluded.server_total, total_before = excluded.total_before, seen = excluded.seen,
      holes = excluded.holes, present = excluded.present, kept = excluded.kept, state = excluded.state,
      reason = excluded.reason, checked_at = excluded.checked_at, suspected = excluded.suspected,
      full_read_at = coalesce(excluded.full_read_at, c.full_read_at),
      suspected_since = case when c.suspected = excluded.suspected then c.suspected_since else excluded.suspected_since end`;
