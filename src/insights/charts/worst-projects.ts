import type { Chart } from '../chart.ts';
import { measuresNow, PROJECTS } from '../sql.ts';

export const worstProjects: Chart = {
  id: 'worst-projects',
  title: 'Projects that need attention',
  description:
    "What the server's own measures say of each project now, those with the most blocker and critical issues first. Debt is in days of 8 hours, ratings go from 1 (A) to 5 (E); empty: the server has no value.",
  kind: 'table',
  columns: [
    { name: 'project', type: 'text', role: 'label', title: 'Project' },
    { name: 'blocker', type: 'number', role: 'value', title: 'Blocker issues' },
    { name: 'critical', type: 'number', role: 'value', title: 'Critical issues' },
    { name: 'vulnerabilities', type: 'number', role: 'value', title: 'Vulnerabilities' },
    { name: 'coverage', type: 'number', role: 'value', title: 'Coverage', unit: '%' },
    { name: 'debt', type: 'number', role: 'value', title: 'Technical debt', unit: 'days of 8 h' },
    { name: 'security_rating', type: 'number', role: 'value', title: 'Security rating' },
    { name: 'reliability_rating', type: 'number', role: 'value', title: 'Reliability rating' },
    { name: 'maintainability_rating', type: 'number', role: 'value', title: 'Maintainability rating' },
    { name: 'last_analysis', type: 'date', role: 'label', title: 'Last analysis' },
    { name: 'project_key', type: 'text', role: 'link', title: 'Project key' },
    { name: 'connection_id', type: 'number', role: 'link', title: 'Connection' },
  ],
  parameters: ['projects', 'connection', 'limit'],
  sql: `with ${PROJECTS}, ${measuresNow({
    blocker: 'blocker_violations',
    critical: 'critical_violations',
    vulnerabilities: 'vulnerabilities',
    coverage: 'coverage',
    debt: 'sqale_index',
    security_rating: 'security_rating',
    reliability_rating: 'reliability_rating',
    maintainability_rating: 'sqale_rating',
  })}
select p.name as project, n.blocker, n.critical, n.vulnerabilities, n.coverage,
       round((n.debt / 480)::numeric, 2)::double precision as debt,
       n.security_rating, n.reliability_rating, n.maintainability_rating,
       (p.last_analysis_date at time zone 'UTC')::date as last_analysis, p.source_key as project_key, p.connection_id
  from now n
  join projects p on p.id = n.project_id
 order by coalesce(n.blocker, 0) + coalesce(n.critical, 0) desc, n.blocker desc nulls last,
          n.vulnerabilities desc nulls last, n.security_rating desc nulls last, p.name, p.id
 limit $6`,
};
