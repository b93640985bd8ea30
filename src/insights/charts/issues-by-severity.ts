import type { Chart } from '../chart.ts';
import { byPlace, IS_OPEN, PROJECTS, SEVERITIES } from '../sql.ts';

export const issuesBySeverity: Chart = {
  id: 'issues-by-severity',
  title: 'Open issues by severity',
  description: 'Issues that are open or confirmed now, by severity; accepted and false positive ones are not counted.',
  kind: 'bar',
  columns: [
    { name: 'severity', type: 'text', role: 'x', title: 'Severity' },
    { name: 'issues', type: 'number', role: 'y', title: 'Open issues' },
  ],
  parameters: ['projects', 'connection'],
  sql: `with ${PROJECTS}
select coalesce(i.severity, 'UNKNOWN') as severity, count(*) as issues
  from sonarqube_issues i
  join projects p on p.id = i.project_id
 where ${IS_OPEN}
 group by i.severity
 order by ${byPlace('i.severity', SEVERITIES)}, 1`,
};
