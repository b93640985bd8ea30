import type { Chart } from '../chart.ts';
import { CARRIED_FORWARD, pointsOf, PROJECTS } from '../sql.ts';

export const vulnerabilitiesOverTime: Chart = {
  id: 'vulnerabilities-over-time',
  title: 'Vulnerabilities over time',
  description:
    'Open vulnerabilities at the end of each interval, summed over projects. A project counts with the value of its newest analysis until then, also where it had none in the interval; projects the server no longer has are left out.',
  kind: 'area',
  columns: [
    { name: 'date', type: 'date', role: 'x', title: 'Interval' },
    { name: 'vulnerabilities', type: 'number', role: 'y', title: 'Vulnerabilities' },
    { name: 'projects', type: 'number', role: 'label', title: 'Projects with a value' },
  ],
  parameters: ['projects', 'connection', 'from', 'to', 'interval'],
  sql: `with ${PROJECTS}, points as (
  ${pointsOf(['vulnerabilities'], 'pm.project_id, m.source_key as series, pm.date, pm.numeric_value as amount, 0 as weight')}
), ${CARRIED_FORWARD}
select starts::date as date, amount as vulnerabilities, projects::integer as projects
  from sums
 where projects > 0
 order by starts`,
};
