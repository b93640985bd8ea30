/** Staging → table, in one statement that classifies first. Pure: text only. */
import { quote, recordColumns, sqlType, type AnyStream } from './ddl.ts';

/** The staging table of a stream lives as long as its connection and is empty after every commit. */
export const stagingTable = (stream: AnyStream): string => `staging_${stream.name}`;

export function createStaging(stream: AnyStream): string {
  const columns = recordColumns(stream).map(([name, column]) => `${quote(name)} ${sqlType(column)}`);
  return `create temporary table if not exists ${stagingTable(stream)} (
  connection_id bigint, observed_at timestamptz, ${columns.join(', ')}
) on commit delete rows`;
}

export function copyStatement(stream: AnyStream): string {
  const columns = recordColumns(stream).map(([name]) => quote(name));
  return `copy ${stagingTable(stream)} (connection_id, observed_at, ${columns.join(', ')}) from stdin`;
}

/** New rows straight into the table. */
export function directCopyStatement(stream: AnyStream): string {
  const columns = recordColumns(stream).map(([name]) => quote(name));
  return `copy ${stream.table} (connection_id, synced_at, ${columns.join(', ')}) from stdin`;
}

/** A row when a key stands more than once in staging. */
export function keysTwice(stream: AnyStream): string {
  const keys = stream.key.filter((name) => name !== 'connection_id').map(quote);
  return `select from ${stagingTable(stream)} group by ${keys.join(', ')} having count(*) > 1 limit 1`;
}

/**
 * For the transaction of a merge. Staging has no statistics and the target's are stale while it grows: left to itself the
 * planner materialises the target for every batch (measured: 45 s for 8,000 rows against 10,494). The lateral join below
 * looks each key up in the index instead, and these keep the update from scanning.
 */
export const MERGE_SETTINGS =
  'set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_seqscan = off; set local enable_bitmapscan = off';

/**
 * Merges the staged rows of a stream; `$1` is the connection's id. Returns one row of counts: seen, added, changed.
 *
 * Rows are classified by one left join; only changed rows are updated and only missing ones inserted, so that an unchanged
 * row costs no lock, no WAL and no sequence value, and is not copied any further (`on conflict do update … where distinct`
 * wrote 77 MB of WAL and burnt 200,000 sequence values on 200,000 unchanged rows; this writes 0.1 MB and none). Nor is there
 * `on conflict do nothing`, which took a third of the time: a row that another writer adds meanwhile is a unique violation,
 * and the transaction is made again. `twice`: of equal keys in the batch the one observed last wins; sorting wide rows for
 * that where there are none took a quarter of the time. An older observation never overwrites a newer one.
 */
export function mergeStatement(stream: AnyStream, twice: boolean): string {
  const columns = recordColumns(stream).map(([name]) => name);
  const keys = stream.key.filter((name) => name !== 'connection_id');
  const values = columns.filter((name) => !stream.key.includes(name));
  const onConnection = stream.key.includes('connection_id') ? ['x.connection_id = $1'] : [];
  const join = [...onConnection, ...keys.map((name) => `x.${quote(name)} = s.${quote(name)}`)].join(' and ');
  const list = (prefix: string, names: readonly string[]) => names.map((name) => `${prefix}${quote(name)}`).join(', ');
  const differs =
    values.length === 0 ? 'false' : `row(${list('t.', values)}) is distinct from row(${list('s.', values)})`;
  const events = stream.events ?? [];
  const old = events.map((name) => `, t.${quote(name)} as ${quote(`old_${name}`)}`).join('');

  const staging = stagingTable(stream);
  const own = list('', keys);
  const rows = twice
    ? `(select distinct on (${own}) * from ${staging} order by ${own}, observed_at desc, ctid desc)`
    : staging;

  return `with incoming as materialized (
  select s.*, t.id as target_id${old}
    from ${rows} s
    left join lateral (select * from ${stream.table} x where ${join} limit 1) t on true
   where t.id is null or ((${differs} or t.deleted_at is not null) and s.observed_at >= t.synced_at)
), outdated as (
  select * from incoming where target_id is not null
), changed as (
  update ${stream.table} t
     set ${[...values.map((name) => `${quote(name)} = o.${quote(name)}`), 'synced_at = o.observed_at', 'deleted_at = null', 'gone_reason = null'].join(', ')}
    from outdated o
   where t.id = o.target_id
  returning t.id
), ${eventClause(stream, events)}added as (
  insert into ${stream.table} (connection_id, synced_at, ${columns.map(quote).join(', ')})
  select $1, observed_at, ${columns.map(quote).join(', ')} from incoming where target_id is null
  returning 1
)
select (select count(*) from ${twice ? `(select distinct ${own} from ${staging}) k` : staging})::int as seen,
       (select count(*) from added)::int as added,
       (select count(*) from changed)::int as changed`;
}

/** What changed on which row, with the old value from the classifying join (`old.*` in RETURNING exists from 18 on only). */
function eventClause(stream: AnyStream, events: readonly string[]): string {
  if (events.length === 0) return '';
  const values = events.map((name) => `('${name}', o.${quote(`old_${name}`)}, o.${quote(name)})`).join(', ');
  return `noted as (
  insert into sonarqube_issue_events (issue_id, connection_id, field, old_value, new_value, occurred_at, observed_at)
  select o.target_id, $1, e.field, e.old_value, e.new_value, o.updated_at, o.observed_at
    from outdated o
    cross join lateral (values ${values}) e (field, old_value, new_value)
   where e.old_value is distinct from e.new_value
), `;
}
