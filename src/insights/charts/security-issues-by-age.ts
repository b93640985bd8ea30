import type { Chart } from '../chart.ts';
import { countsByAge, IS_OPEN, PROJECTS, SEVERITIES } from '../sql.ts';

export const securityIssuesByAge: Chart = {
  id: 'security-issues-by-age',
  title: 'Security issues by age',
  description:
    'Open security issues (vulnerabilities, and issues of another type with an impact on security) by severity and by whole days since they were created.',
  kind: 'stacked-bar',
  columns: [
    { name: 'age', type: 'text', role: 'x', title: 'Age', unit: 'days' },
    { name: 'severity', type: 'text', role: 'series', title: 'Severity' },
    { name: 'issues', type: 'number', role: 'y', title: 'Open security issues' },
  ],
  parameters: ['projects', 'connection'],
  sql: `with ${PROJECTS}, found as (
  select i.severity as level, i.created_at
    from sonarqube_issues i
    join projects p on p.id = i.project_id
   where ${IS_OPEN}
     and (i.issue_type = 'VULNERABILITY' or i.impact_security is not null)
), ${countsByAge('severity', SEVERITIES, 'issues')}`,
};
