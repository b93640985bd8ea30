import type { Chart } from '../chart.ts';
import { CARRIED_FORWARD, pointsOf, PROJECTS } from '../sql.ts';

export const maintainabilityOverTime: Chart = {
  id: 'maintainability-over-time',
  title: 'Code smells and technical debt over time',
  description:
    'Open code smells, and the time to fix them in days of 8 hours, at the end of each interval, summed over projects. A project counts with the values of its newest analysis until then, also where it had none in the interval; projects the server no longer has are left out.',
  kind: 'line',
  columns: [
    { name: 'date', type: 'date', role: 'x', title: 'Interval' },
    { name: 'code_smells', type: 'number', role: 'y', title: 'Code smells' },
    { name: 'debt', type: 'number', role: 'y', title: 'Technical debt', unit: 'days of 8 h' },
    { name: 'projects', type: 'number', role: 'label', title: 'Projects with a value' },
  ],
  parameters: ['projects', 'connection', 'from', 'to', 'interval'],
  // two series of 100,000 points: 1.3 s by two processes, 0.8 s by one, which takes them from the index
  parallel: false,
  sql: `with ${PROJECTS}, points as (
  ${pointsOf(['code_smells', 'sqale_index'], 'pm.project_id, m.source_key as series, pm.date, pm.numeric_value as amount, 0 as weight')}
), ${CARRIED_FORWARD}
select starts::date as date,
       max(amount) filter (where series = 'code_smells') as code_smells,
       round((max(amount) filter (where series = 'sqale_index') / 480)::numeric, 2)::double precision as debt,
       max(projects)::integer as projects
  from sums
 group by starts
having max(projects) > 0
 order by starts`,
};
