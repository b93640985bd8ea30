/** What the ledger asks and tells the database. Pure: text only. */
import { quote, sqlType, type AnyStream } from './ddl.ts';

/** Which rows a tally speaks of: all of the connection, all of a project, or those of a project from a date on. */
export type Scope = 'connection' | 'project' | 'since';

const owner = (scope: Scope): string => (scope === 'connection' ? 'connection_id' : 'project_id');

/**
 * Counts for parallel arrays of owners and, for `since`, dates; one row each, in their order. The lateral join finds each
 * owner's rows by its index, whatever the planner believes of a table that is growing.
 */
export function countStatement(stream: AnyStream, scope: Scope): string {
  const within = scope === 'since' ? ' and date >= wanted.since' : '';
  const [arrays, columns, older] =
    scope === 'since'
      ? [
          '$1::bigint[], $2::timestamptz[]',
          'owner, since, n',
          'count(*) filter (where deleted_at is null and date < wanted.since)',
        ]
      : ['$1::bigint[]', 'owner, n', 'null'];
  return `select c.* from unnest(${arrays}) with ordinality wanted (${columns})
  cross join lateral (select count(*) filter (where deleted_at is null${within})::int as present,
                             count(*) filter (where deleted_at is not null${within})::int as kept,
                             ${older}::int as older
                        from ${stream.table} where ${owner(scope)} = wanted.owner) c
 order by wanted.n`;
}

/** The rows that a pass could have met: of the owner `$1`, from `$2` on where it covers only those. */
export function presentStatement(stream: AnyStream, scope: Scope): string {
  return `select id, ${identity(stream)} as identity, ${stream.closedWhen ?? 'false'} as closed
  from ${stream.table} where ${owner(scope)} = $1${scope === 'since' ? ' and date >= $2' : ''} and deleted_at is null`;
}

/** How `Tally.keys` names a row of this table: its source key, its metric's key, or its date in epoch milliseconds. */
function identity(stream: AnyStream): string {
  if ('source_key' in stream.columns) return 'source_key';
  if (stream.key.includes('date')) return '(extract(epoch from date) * 1000)::bigint::text';
  return `(select m.source_key from sonarqube_metrics m where m.id = metric_id)`;
}

/** `, column = expression` for what a row of this stream says of itself once it is gone; `$2` is the time. */
function whenGone(stream: AnyStream): string {
  return Object.entries(stream.whenGone ?? {})
    .map(([name, sql]) => `, ${name} = ${sql.replaceAll('$GONE_AT', '$2::timestamptz')}`)
    .join('');
}

/** Marks the rows `$1`, of which the server had closed `$3`. */
export function goneStatement(stream: AnyStream): string {
  return `update ${stream.table}
   set deleted_at = $2, synced_at = $2, gone_reason = case when id = any($3) then 'purged' else 'vanished' end${whenGone(stream)}
 where id = any($1)`;
}

/** Marks what belongs to the projects `$1`. */
export function goneWithProjectStatement(stream: AnyStream): string {
  return `update ${stream.table} set deleted_at = $2, synced_at = $2, gone_reason = 'project_deleted'${whenGone(stream)}
 where project_id = any($1) and deleted_at is null`;
}

/** Sets marks of projects: `$1` are row ids, the parameters after it the values of each mark. */
export function marksStatement(projects: AnyStream, names: readonly string[]): string {
  const arrays = names.map((name, index) => {
    const column = projects.columns[name];
    if (!column) throw new Error(`no column ${name} of ${projects.table}`);
    return `$${index + 2}::${sqlType(column)}[]`;
  });
  return `update ${projects.table} p set ${names.map((name) => `${quote(name)} = m.${quote(name)}`).join(', ')}
  from unnest($1::bigint[], ${arrays.join(', ')}) m (id, ${names.map(quote).join(', ')})
 where p.id = m.id`;
}

/** By metric, project and date, the order of the points' index. */
export const POINTS_GONE = `with gone as (
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

/**
 * Two rows of one project: the one that is not listed any more, and one made in this run that nothing hangs on yet. Sorted
 * once for ids that stand twice: joined with itself without an index a list of 20,000 took two minutes.
 */
export const RENAMED = `with listed as (
  select id, source_key, project_uuid, deleted_at, count(*) over (partition by project_uuid) as times
    from sonarqube_projects where connection_id = $1 and project_uuid is not null
), twice as materialized (
  select * from listed where times > 1
)
select o.id as old_id, n.id as new_id, o.source_key as old_key, n.source_key as new_key
  from twice o
  join twice n on n.project_uuid = o.project_uuid and n.id > o.id
 where o.deleted_at is null
   and not exists (select from sonarqube_issues i where i.project_id = n.id)
   and not exists (select from sonarqube_analyses a where a.project_id = n.id)
   and not exists (select from sonarqube_current_measures c where c.project_id = n.id)
   and not exists (select from sonarqube_security_hotspots h where h.project_id = n.id)`;

/** Hotspots of the projects `$2` that are issues now. */
export const CONVERTED = `update sonarqube_security_hotspots h set gone_reason = 'converted'
  from sonarqube_issues i
 where h.project_id = any($2::bigint[]) and h.gone_reason = 'vanished'
   and i.connection_id = $1 and i.source_key = h.source_key and i.deleted_at is null`;

/** Since when as many rows as now are suspected to be gone. */
export const SUSPECTED = `select suspected_since from sonarqube_completeness
 where connection_id = $1 and stream = $2 and project = $3 and state = 'suspect' and suspected = $4`;

/** What is given for each row, in the order of the parameters from `$3` on. */
const LEDGER_COLUMNS = {
  stream: 'text',
  project: 'text',
  server_total: 'bigint',
  total_before: 'bigint',
  seen: 'bigint',
  holes: 'bigint',
  present: 'bigint',
  kept: 'bigint',
  state: 'text',
  reason: 'text',
  full_read_at: 'timestamptz',
  suspected: 'bigint',
};

const given = Object.keys(LEDGER_COLUMNS).join(', ');
const arrays = Object.values(LEDGER_COLUMNS).map((type, index) => `$${index + 3}::${type}[]`);

/** A suspicion keeps the time of its first sight as long as it names the same number of rows. */
export const LEDGER_ROWS = `insert into sonarqube_completeness as c
  (connection_id, checked_at, suspected_since, ${given})
select $1::bigint, $2::timestamptz, $2::timestamptz, ${given} from unnest(${arrays.join(', ')}) given (${given})
on conflict (connection_id, stream, project) do update
  set server_total = excluded.server_total, total_before = excluded.total_before, seen = excluded.seen,
      holes = excluded.holes, present = excluded.present, kept = excluded.kept, state = excluded.state,
      reason = excluded.reason, checked_at = excluded.checked_at, suspected = excluded.suspected,
      full_read_at = coalesce(excluded.full_read_at, c.full_read_at),
      suspected_since = case when c.suspected = excluded.suspected then c.suspected_since else excluded.suspected_since end`;
