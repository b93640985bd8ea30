/**
 * Queries that run on any warehouse as they are: what scorecards ask, and the joins that others begin with. Metrics are
 * named by their key: some display names belong to two metrics.
 */
export interface ExampleQuery {
  readonly id: string;
  readonly name: string;
  /** What it answers. */
  readonly description: string;
  readonly sql: string;
}

export const EXAMPLES: readonly ExampleQuery[] = [
  {
    id: 'scorecard-coverage',
    name: 'Scorecard: coverage of at least 80 %',
    description: 'PASS, WARN or FAIL for each project by its present coverage.',
    sql: `select p.source_key as project, c.numeric_value as coverage,
       case when c.numeric_value >= 80 then 'PASS'
            when c.numeric_value >= 60 then 'WARN'
            else 'FAIL' end as status
  from sonarqube_projects p
  join sonarqube_current_measures c on c.project_id = p.id and c.deleted_at is null
  join sonarqube_metrics m on m.id = c.metric_id
 where p.deleted_at is null and m.source_key = 'coverage'
 order by coverage, project`,
  },
  {
    id: 'scorecard-blockers',
    name: 'Scorecard: no blocker or critical issue is open',
    description: 'PASS for projects without open blocker and critical issues, WARN up to five, FAIL beyond.',
    sql: `select p.source_key as project, count(i.id) as severe,
       case when count(i.id) = 0 then 'PASS' when count(i.id) <= 5 then 'WARN' else 'FAIL' end as status
  from sonarqube_projects p
  left join sonarqube_issues i on i.project_id = p.id and i.deleted_at is null
   and i.issue_status in ('OPEN', 'CONFIRMED') and i.severity in ('BLOCKER', 'CRITICAL')
 where p.deleted_at is null
 group by p.source_key
 order by severe desc, project`,
  },
  {
    id: 'scorecard-maintainability',
    name: 'Scorecard: maintainability rated A or B',
    description: 'Ratings are numbers from 1 (A) to 5 (E).',
    sql: `select p.source_key as project, c.numeric_value as rating,
       case when c.numeric_value < 3 then 'PASS' else 'FAIL' end as status
  from sonarqube_projects p
  join sonarqube_current_measures c on c.project_id = p.id and c.deleted_at is null
  join sonarqube_metrics m on m.id = c.metric_id
 where p.deleted_at is null and m.source_key = 'sqale_rating'
 order by rating desc, project`,
  },
  {
    id: 'metric-of-a-project',
    name: 'The newest value of a metric',
    description: 'The newest coverage of each project, from the history.',
    sql: `select distinct on (p.id) p.source_key as project, pm.value, pm.date
  from sonarqube_projects p
  join sonarqube_project_metrics pm on pm.project_id = p.id
  join sonarqube_metrics m on m.id = pm.metric_id
 where m.source_key = 'coverage' and pm.value is not null
 order by p.id, pm.date desc`,
  },
  {
    id: 'open-issues',
    name: 'Open issues by severity and type',
    description: 'What somebody still has to look at, over all projects.',
    sql: `select severity, issue_type, count(*) as issues
  from sonarqube_issues
 where deleted_at is null and issue_status in ('OPEN', 'CONFIRMED')
 group by severity, issue_type
 order by issues desc`,
  },
  {
    id: 'opened-per-day',
    name: 'New issues per day',
    description: 'By the date SonarQube gives an issue, for the last 30 days.',
    sql: `select (created_at at time zone 'UTC')::date as day, count(*) as opened
  from sonarqube_issues
 where created_at >= now() - interval '30 days'
 group by 1
 order by 1`,
  },
  {
    id: 'debt',
    name: 'Technical debt per project',
    description: 'In days of 8 hours, as the server measures it now.',
    sql: `select p.source_key as project, round((c.numeric_value / 480)::numeric, 1) as days
  from sonarqube_projects p
  join sonarqube_current_measures c on c.project_id = p.id and c.deleted_at is null
  join sonarqube_metrics m on m.id = c.metric_id
 where p.deleted_at is null and m.source_key = 'sqale_index'
 order by days desc, project`,
  },
  {
    id: 'tags',
    name: 'Open issues by tag',
    description: 'The tags that most open issues have.',
    sql: `select t.name as tag, count(*) as issues
  from sonarqube_issues i
  join sonarqube_issue_tags it on it.issue_id = i.id
  join sonarqube_tags t on t.id = it.tag_id
 where i.deleted_at is null and i.issue_status in ('OPEN', 'CONFIRMED')
 group by t.name
 order by issues desc
 limit 20`,
  },
  {
    id: 'completeness',
    name: 'What is not complete',
    description:
      "Every project and stream where the comparison with the server's own total found a difference, and why.",
    sql: `select stream, project, state, server_total, present, reason, checked_at
  from sonarqube_completeness
 where state <> 'complete'
 order by state, stream, project`,
  },
];
