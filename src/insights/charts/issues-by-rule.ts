import type { Chart } from '../chart.ts';
import { IS_OPEN, PROJECTS } from '../sql.ts';

export const issuesByRule: Chart = {
  id: 'issues-by-rule',
  title: 'Open issues by rule',
  description:
    'The rules with the most issues that are open or confirmed now, and how many of these are blockers or critical; at most as many rules as the limit says.',
  kind: 'bar',
  columns: [
    { name: 'rule', type: 'text', role: 'x', title: 'Rule' },
    { name: 'issues', type: 'number', role: 'y', title: 'Open issues' },
    { name: 'severe', type: 'number', role: 'label', title: 'Blocker and critical' },
  ],
  parameters: ['projects', 'connection', 'limit'],
  sql: `with ${PROJECTS}
select coalesce(i.rule, 'UNKNOWN') as rule, count(*) as issues,
       count(*) filter (where i.severity in ('BLOCKER', 'CRITICAL')) as severe
  from sonarqube_issues i
  join projects p on p.id = i.project_id
 where ${IS_OPEN}
 group by i.rule
 order by count(*) desc, i.rule
 limit $6`,
};
