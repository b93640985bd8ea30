/** Properties of the stored data that people should know before they write queries. */
import type { Queryable } from '../db/database.ts';

/** Display names of metrics that more than one metric of a connection has; from SonarQube 10.8 on there are 21. */
export async function ambiguousMetricNames(database: Queryable): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    `select distinct name from (
       select connection_id, name from sonarqube_metrics group by connection_id, name having count(*) > 1) twice
      order by name`,
  );
  return rows.map(({ name }) => name);
}
