import type { Chart } from '../chart.ts';
import { measuresNow, PROJECTS } from '../sql.ts';

export const ratings: Chart = {
  id: 'ratings',
  title: 'Ratings',
  description:
    'The present ratings of each project, from 1 (A) to 5 (E), the worst projects first; empty where the server has none, and at most as many projects as the limit says.',
  kind: 'heat-map',
  columns: [
    { name: 'project', type: 'text', role: 'y', title: 'Project' },
    { name: 'rating', type: 'text', role: 'x', title: 'Rating' },
    { name: 'value', type: 'number', role: 'value', title: '1 (A) to 5 (E)' },
    { name: 'project_key', type: 'text', role: 'link', title: 'Project key' },
    { name: 'connection_id', type: 'number', role: 'link', title: 'Connection' },
  ],
  parameters: ['projects', 'connection', 'limit'],
  sql: `with ${PROJECTS}, ${measuresNow({
    security: 'security_rating',
    reliability: 'reliability_rating',
    maintainability: 'sqale_rating',
    review: 'security_review_rating',
  })}, worst as (
  select p.name, p.source_key, p.connection_id, n.*,
         row_number() over (order by greatest(security, reliability, maintainability, review) desc,
           coalesce(security, 0) + coalesce(reliability, 0) + coalesce(maintainability, 0) + coalesce(review, 0) desc,
           p.name, p.id) as place
    from now n
    join projects p on p.id = n.project_id
)
select w.name as project, r.rating, r.value, w.source_key as project_key, w.connection_id
  from worst w
 cross join lateral (values (1, 'Security', w.security), (2, 'Reliability', w.reliability),
                            (3, 'Maintainability', w.maintainability), (4, 'Security review', w.review)) r (place, rating, value)
 where w.place <= $6
 order by w.place, r.place`,
};
