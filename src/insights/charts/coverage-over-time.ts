import type { Chart } from '../chart.ts';
import { CARRIED_FORWARD, PROJECTS, startOf } from '../sql.ts';

export const coverageOverTime: Chart = {
  id: 'coverage-over-time',
  title: 'Coverage over time',
  description:
    'Test coverage, of all code and of new code, at the end of each interval: the mean over projects, weighted by their lines to cover (on new code, by their new lines to cover). A project counts with the values of its newest analysis that has both, until it has others; the server keeps no history of coverage on new code, so that line begins with the first sync.',
  kind: 'line',
  columns: [
    { name: 'date', type: 'date', role: 'x', title: 'Interval' },
    { name: 'coverage', type: 'number', role: 'y', title: 'Coverage', unit: '%' },
    { name: 'new_coverage', type: 'number', role: 'y', title: 'Coverage on new code', unit: '%' },
    { name: 'projects', type: 'number', role: 'label', title: 'Projects with a value' },
  ],
  parameters: ['projects', 'connection', 'from', 'to', 'interval'],
  // what each metric is stands in a list of its own: asked of every point, it would take half the time
  sql: `with ${PROJECTS}, parts as materialized (
  select id, source_key like 'new%' as is_new, source_key like '%coverage' as is_share
    from sonarqube_metrics
   where source_key in ('coverage', 'lines_to_cover', 'new_coverage', 'new_lines_to_cover')
), pairs as (
  select pm.project_id, parts.is_new as series, pm.date,
         max(pm.numeric_value) filter (where parts.is_share) as share,
         max(pm.numeric_value) filter (where not parts.is_share) as weight
    from sonarqube_project_metrics pm
    join parts on parts.id = pm.metric_id
    join projects p on p.id = pm.project_id
   where pm.numeric_value is not null and pm.date < ${startOf('$4 + 1')}
   group by pm.project_id, parts.is_new, pm.date
), points as (
  select project_id, series, date, share * weight as amount, weight
    from pairs
   where share is not null and weight is not null
), ${CARRIED_FORWARD}, means as (
  select starts, series, projects, round((amount / nullif(weight, 0))::numeric, 2)::double precision as mean
    from sums
)
select starts::date as date,
       max(mean) filter (where not series) as coverage,
       max(mean) filter (where series) as new_coverage,
       max(projects)::integer as projects
  from means
 group by starts
having max(projects) > 0
 order by starts`,
};
