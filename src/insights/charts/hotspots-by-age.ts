import type { Chart } from '../chart.ts';
import { countsByAge, PROJECTS } from '../sql.ts';

export const hotspotsByAge: Chart = {
  id: 'hotspots-by-age',
  title: 'Security hotspots to review by age',
  description:
    'Security hotspots that nobody has reviewed, by how likely they are a vulnerability and by whole days since they were created. SonarQube 2026.4 and later has none: they became issues.',
  kind: 'stacked-bar',
  columns: [
    { name: 'age', type: 'text', role: 'x', title: 'Age', unit: 'days' },
    { name: 'probability', type: 'text', role: 'series', title: 'Vulnerability probability' },
    { name: 'hotspots', type: 'number', role: 'y', title: 'Hotspots to review' },
  ],
  parameters: ['projects', 'connection'],
  sql: `with ${PROJECTS}, found as (
  select h.vulnerability_probability as level, h.created_at
    from sonarqube_security_hotspots h
    join projects p on p.id = h.project_id
   where h.deleted_at is null and h.status = 'TO_REVIEW'
), ${countsByAge('probability', ['HIGH', 'MEDIUM', 'LOW'], 'hotspots')}`,
};
