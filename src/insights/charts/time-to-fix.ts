import type { Chart } from '../chart.ts';
import { byPlace, PROJECTS, SEVERITIES, startOf } from '../sql.ts';

export const timeToFix: Chart = {
  id: 'time-to-fix',
  title: 'Time to fix',
  description:
    'Days from the creation of an issue to the analysis that found it fixed, by severity and month of that analysis: half of the issues took at most the median, nine of ten at most the 90th percentile. Issues whose code or rule was removed, and projects that the server no longer has, are left out.',
  kind: 'line',
  columns: [
    { name: 'month', type: 'date', role: 'x', title: 'Month of closing' },
    { name: 'severity', type: 'text', role: 'series', title: 'Severity' },
    { name: 'median', type: 'number', role: 'y', title: 'Median', unit: 'days' },
    { name: 'p90', type: 'number', role: 'y', title: '90th percentile', unit: 'days' },
    { name: 'issues', type: 'number', role: 'label', title: 'Issues fixed' },
  ],
  parameters: ['projects', 'connection', 'from', 'to'],
  sql: `with ${PROJECTS}, fixed as (
  select date_trunc('month', i.close_date at time zone 'UTC')::date as month,
         coalesce(i.severity, 'UNKNOWN') as severity,
         percentile_cont(array[0.5, 0.9]) within group (
           order by extract(epoch from i.close_date - i.created_at)::double precision / 86400) as days,
         count(*) as issues
    from sonarqube_issues i
    join projects p on p.id = i.project_id
   where i.resolution = 'FIXED' and i.created_at is not null
     and i.close_date >= ${startOf('$3')} and i.close_date < ${startOf('$4 + 1')}
   group by 1, 2
)
select month, severity, round(days[1]::numeric, 2)::double precision as median,
       round(days[2]::numeric, 2)::double precision as p90, issues
  from fixed
 order by month, ${byPlace('severity', SEVERITIES)}, severity`,
};
