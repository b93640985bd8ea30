import type { Chart } from '../chart.ts';
import { PROJECTS } from '../sql.ts';

const hours = (moment: string): string =>
  `round((extract(epoch from now() - ${moment}) / 3600)::numeric, 1)::double precision`;

export const freshness: Chart = {
  id: 'freshness',
  title: 'Freshness',
  description:
    'How long ago the issues of the projects of each connection were last confirmed against the server, in hours: of the freshest project, of the one in the middle, and of the stalest. Projects that are closed to the token keep the time at which they last were open to it.',
  kind: 'table',
  columns: [
    { name: 'connection_id', type: 'number', role: 'label', title: 'Connection' },
    { name: 'projects', type: 'number', role: 'value', title: 'Projects' },
    { name: 'closed_to_us', type: 'number', role: 'value', title: 'Closed to the token' },
    { name: 'never', type: 'number', role: 'value', title: 'Never read' },
    { name: 'freshest', type: 'number', role: 'value', title: 'Freshest', unit: 'hours' },
    { name: 'median', type: 'number', role: 'value', title: 'Median', unit: 'hours' },
    { name: 'stalest', type: 'number', role: 'value', title: 'Stalest', unit: 'hours' },
  ],
  parameters: ['projects', 'connection'],
  sql: `with ${PROJECTS}
select connection_id, count(*) as projects,
       count(*) filter (where not api_accessible) as closed_to_us,
       count(*) filter (where issues_synced_at is null) as never,
       ${hours('max(issues_synced_at)')} as freshest,
       ${hours('percentile_disc(0.5) within group (order by issues_synced_at)')} as median,
       ${hours('min(issues_synced_at)')} as stalest
  from projects
 group by connection_id
 order by connection_id`,
};
