/** Parts that charts have in common, as text: each is one or more members of a `with` list. Pure. */

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** The projects that are asked for and that the server still has; `$1` and `$2`. */
export const PROJECTS = `projects as (
  select id, connection_id, source_key, name, last_analysis_date, api_accessible, issues_synced_at
    from sonarqube_projects
   where deleted_at is null
     and ($1 = '{}' or source_key = any ($1))
     and ($2 is null or connection_id = $2)
)`;

/** An issue (as `i`) that somebody still has to look at. What the server no longer has is never one. */
export const IS_OPEN = `i.deleted_at is null and i.issue_status in ('OPEN', 'CONFIRMED')`;

/** A day as the moment at which it begins in UTC, whatever the session's zone is. */
export const startOf = (day: string): string => `((${day})::timestamp at time zone 'UTC')`;

/** The first day of the interval that a moment lies in, as a timestamp of UTC. */
export const intervalOf = (moment: string): string => `date_trunc($5, ${moment} at time zone 'UTC')`;

/** Every interval from `$3` to `$4`. */
export const INTERVALS = `intervals as (
  select generate_series(date_trunc($5, $3::timestamp), $4::timestamp, ('1 ' || $5)::interval) as starts
)`;

export const SEVERITIES = ['BLOCKER', 'CRITICAL', 'MAJOR', 'MINOR', 'INFO'];

/** Orders by the place in a list, what is not in it last. */
export const byPlace = (expression: string, list: readonly string[]): string =>
  `array_position(array[${quoted(list)}], ${expression})`;

/**
 * Counts by age in days, from `found` (level, created_at): a row for every age and every level that occurs, in order,
 * so that bars keep their places.
 */
export function countsByAge(level: string, levels: readonly string[], count: string): string {
  return `counts as (
  select coalesce(level, 'UNKNOWN') as level,
         width_bucket(now() - created_at, '{8 days, 31 days, 91 days, 366 days}'::interval[]) as place,
         count(*) as count
    from found
   group by 1, 2
)
select a.age, l.level as ${level}, coalesce(c.count, 0) as ${count}
  from (values (0, '0-7'), (1, '8-30'), (2, '31-90'), (3, '91-365'), (4, '> 365')) a (place, age)
 cross join (select distinct level from counts) l
  left join counts c on c.place = a.place and c.level = l.level
 order by a.place, ${byPlace('l.level', levels)}, l.level`;
}

/** Current values as one row a project: `now` (project_id, and a column for each metric, named as told). */
export function measuresNow(metrics: Readonly<Record<string, string>>): string {
  const columns = Object.entries(metrics).map(
    ([name, key]) => `max(c.numeric_value) filter (where m.source_key = '${key}') as ${name}`,
  );
  return `now as (
  select c.project_id,
         ${columns.join(',\n         ')}
    from sonarqube_current_measures c
    join sonarqube_metrics m on m.id = c.metric_id
    join projects p on p.id = c.project_id
   where c.deleted_at is null and m.deleted_at is null and c.numeric_value is not null
     and m.source_key in (${quoted(Object.values(metrics))})
   group by c.project_id
)`;
}

/**
 * Points of a metric's history up to `$4`, as the body of a `select`; those of analyses that the server has thinned out
 * since are history all the same, those of deleted ones have no value any more.
 */
export function pointsOf(metrics: readonly string[], columns: string): string {
  return `select ${columns}
    from sonarqube_project_metrics pm
    join sonarqube_metrics m on m.id = pm.metric_id
    join projects p on p.id = pm.project_id
   where m.source_key in (${quoted(metrics)})
     and pm.numeric_value is not null and pm.date < ${startOf('$4 + 1')}`;
}

/**
 * Sums over projects at the end of each interval, from `points` (project_id, series, date, amount, weight): `sums`
 * (starts, series, amount, weight, projects). A project counts with its newest value until it has another. It is not
 * asked for each project and interval: what a value adds to the one before it is booked into its interval, and the
 * sums run over that.
 */
export const CARRIED_FORWARD = `steps as (
  select series, date,
         amount - lag(amount, 1, 0) over earlier as amount,
         weight - lag(weight, 1, 0) over earlier as weight,
         case row_number() over earlier when 1 then 1 else 0 end as projects
    from points
  window earlier as (partition by series, project_id order by date)
), changes as (
  select series, greatest(${intervalOf('date')}, date_trunc($5, $3::timestamp)) as starts,
         sum(amount) as amount, sum(weight) as weight, sum(projects) as projects
    from steps
   group by 1, 2
), ${INTERVALS}, sums as (
  select i.starts, s.series,
         sum(c.amount) over so_far as amount, sum(c.weight) over so_far as weight, sum(c.projects) over so_far as projects
    from intervals i
   cross join (select distinct series from changes) s
    left join changes c on c.starts = i.starts and c.series = s.series
  window so_far as (partition by s.series order by i.starts)
)`;
