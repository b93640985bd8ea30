import type { Chart } from '../chart.ts';
import { intervalOf, INTERVALS, PROJECTS, startOf } from '../sql.ts';

export const openedClosed: Chart = {
  id: 'opened-closed',
  title: 'Issues opened and closed',
  description:
    'Issues by the date they were created and by the date an analysis closed them, those included that the server has purged since. Accepted and false positive issues are not closed ones; what lies in projects that the server no longer has is left out.',
  kind: 'line',
  columns: [
    { name: 'date', type: 'date', role: 'x', title: 'Interval' },
    { name: 'opened', type: 'number', role: 'y', title: 'Opened' },
    { name: 'closed', type: 'number', role: 'y', title: 'Closed' },
  ],
  parameters: ['projects', 'connection', 'from', 'to', 'interval'],
  sql: `with ${PROJECTS}, changes as (
  select ${intervalOf('e.at')} as starts,
         count(*) filter (where e.is_opening) as opened, count(*) filter (where not e.is_opening) as closed
    from sonarqube_issues i
    join projects p on p.id = i.project_id
   cross join lateral (values (true, i.created_at), (false, i.close_date)) e (is_opening, at)
   where e.at >= ${startOf('$3')} and e.at < ${startOf('$4 + 1')}
   group by 1
), ${INTERVALS}
select i.starts::date as date, coalesce(c.opened, 0) as opened, coalesce(c.closed, 0) as closed
  from intervals i
  left join changes c on c.starts = i.starts
 where exists (select from changes)
 order by i.starts`,
};
