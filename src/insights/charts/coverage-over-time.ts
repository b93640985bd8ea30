import type { Chart } from '../chart.ts';
import { CARRIED_FORWARD, pointsOf, PROJECTS } from '../sql.ts';

const SERIES = `case when m.source_key like 'new%' then 'new' else 'overall' end`;

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
  sql: `with ${PROJECTS}, points as (
  ${pointsOf(
    ['coverage', 'lines_to_cover', 'new_coverage', 'new_lines_to_cover'],
    `pm.project_id, ${SERIES} as series, pm.date,
         max(pm.numeric_value) filter (where m.source_key like '%coverage')
         * max(pm.numeric_value) filter (where m.source_key like '%lines_to_cover') as amount,
         max(pm.numeric_value) filter (where m.source_key like '%lines_to_cover') as weight`,
  )}
   group by pm.project_id, ${SERIES}, pm.date
  having count(*) = 2
), ${CARRIED_FORWARD}, means as (
  select starts, series, projects, round((amount / nullif(weight, 0))::numeric, 2)::double precision as mean
    from sums
)
select starts::date as date,
       max(mean) filter (where series = 'overall') as coverage,
       max(mean) filter (where series = 'new') as new_coverage,
       max(projects)::integer as projects
  from means
 group by starts
having max(projects) > 0
 order by starts`,
};
