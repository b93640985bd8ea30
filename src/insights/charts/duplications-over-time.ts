import type { Chart } from '../chart.ts';
import { CARRIED_FORWARD, pointsOf, PROJECTS } from '../sql.ts';

export const duplicationsOverTime: Chart = {
  id: 'duplications-over-time',
  title: 'Duplications over time',
  description:
    'Duplicated lines as a share of all lines, and their number, at the end of each interval, over all projects together: large projects weigh more. A project counts with the values of its newest analysis that has both, until it has others; projects the server no longer has are left out.',
  kind: 'line',
  columns: [
    { name: 'date', type: 'date', role: 'x', title: 'Interval' },
    { name: 'duplication', type: 'number', role: 'y', title: 'Duplicated lines', unit: '%' },
    { name: 'duplicated_lines', type: 'number', role: 'label', title: 'Duplicated lines', unit: 'lines' },
    { name: 'projects', type: 'number', role: 'label', title: 'Projects with a value' },
  ],
  parameters: ['projects', 'connection', 'from', 'to', 'interval'],
  sql: `with ${PROJECTS}, points as (
  ${pointsOf(
    ['duplicated_lines', 'lines'],
    `pm.project_id, 'duplications' as series, pm.date,
         max(pm.numeric_value) filter (where m.source_key = 'duplicated_lines') as amount,
         max(pm.numeric_value) filter (where m.source_key = 'lines') as weight`,
  )}
   group by pm.project_id, pm.date
  having count(*) = 2
), ${CARRIED_FORWARD}
select starts::date as date,
       round((100 * amount / nullif(weight, 0))::numeric, 2)::double precision as duplication,
       amount as duplicated_lines, projects::integer as projects
  from sums
 where projects > 0
 order by starts`,
};
