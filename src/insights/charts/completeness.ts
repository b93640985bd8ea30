import type { Chart } from '../chart.ts';
import { byPlace } from '../sql.ts';

const STATES = ['complete', 'moving', 'short', 'suspect', 'unreadable'];

export const completeness: Chart = {
  id: 'completeness',
  title: 'Completeness',
  description:
    "What the comparison with the server's own totals came to: how many projects (for projects and metrics: connections) of each stream are in each state, and how long ago the oldest of them was checked. Deleted projects are not in it.",
  kind: 'stacked-bar',
  columns: [
    { name: 'stream', type: 'text', role: 'x', title: 'Stream' },
    { name: 'state', type: 'text', role: 'series', title: 'State' },
    { name: 'slices', type: 'number', role: 'y', title: 'Projects' },
    { name: 'oldest_check', type: 'number', role: 'label', title: 'Oldest check', unit: 'hours ago' },
  ],
  parameters: ['projects', 'connection'],
  sql: `select stream, state, count(*) as slices,
       round((extract(epoch from now() - min(checked_at)) / 3600)::numeric, 1)::double precision as oldest_check
  from sonarqube_completeness
 where ($1 = '{}' or project = any ($1))
   and ($2 is null or connection_id = $2)
 group by stream, state
 order by stream, ${byPlace('state', STATES)}`,
};
