/**
 * How long each chart takes on a large warehouse, made by SQL on a database of its own:
 * node bench/insights.ts [--plans FOLDER] [--index "create index …"]…
 * For the numbers of a small machine: TMPDIR=$(mktemp -d) taskset -c 0,1 node bench/insights.ts
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withinStore } from '../src/app/store.ts';
import { testDatabase } from '../src/db/database.testing.ts';
import type { Database } from '../src/db/database.ts';
import { CHARTS } from '../src/insights/charts.ts';
import { resolveFilters, type FiltersInput } from '../src/insights/filters.ts';
import { chartSql, runChart } from '../src/insights/run.ts';

const { values: args } = parseArgs({
  options: { plans: { type: 'string' }, index: { type: 'string', multiple: true, default: [] } },
});

const METRICS = (
  'ncloc coverage violations bugs vulnerabilities code_smells alert_status duplicated_lines_density sqale_index sqale_rating ' +
  'reliability_rating security_rating new_coverage new_violations security_hotspots security_review_rating complexity ' +
  'cognitive_complexity blocker_violations critical_violations major_violations minor_violations info_violations lines ' +
  'lines_to_cover new_lines_to_cover duplicated_lines uncovered_lines tests comment_lines'
).split(' ');

/**
 * Two connections of 5,000 projects. Points lie on disk as syncs leave them: half of the analyses came with the first
 * sync (project by project, all analyses of a metric together), the other half one by one with later ones.
 */
const FILL = [
  `insert into sonarqube_projects (connection_id, synced_at, source_key, name, qualifier, visibility, last_analysis_date, issues_synced_at)
   select 1 + n % 2, now(), 'org.example.division' || n % 40 || ':service-' || n, 'Service ' || n, 'TRK', 'private', now(),
          now() - n % 90 * interval '1 minute' from generate_series(1, 10000) n`,
  `insert into sonarqube_metrics (connection_id, synced_at, source_key, source_type, name)
   select c, now(), key, 'INT', key from generate_series(1, 2) c, unnest(array['${METRICS.join("','")}']) key`,
  `insert into sonarqube_current_measures (connection_id, synced_at, project_id, metric_id, value, numeric_value, best_value)
   select p.connection_id, now(), p.id, m.id, v::text, v, false
     from sonarqube_projects p join sonarqube_metrics m on m.connection_id = p.connection_id
    cross join lateral (select case when m.source_key like '%rating' then 1 + (p.id * m.id) % 5 else (p.id * 7919 * m.id) % 90 end as v) v
    order by p.id, m.id`,
  ...[
    ['p.id, m.id, a', 'a < 5'],
    ['a, p.id, m.id', 'a >= 5'],
  ].map(
    ([order, condition]) =>
      `insert into sonarqube_project_metrics (connection_id, synced_at, project_id, metric_id, date, value, numeric_value)
       select p.connection_id, now(), p.id, m.id, date_trunc('second', now()) - (9 - a) * interval '44 days' - p.id * interval '7 minutes', v::text, v
         from sonarqube_projects p join sonarqube_metrics m on m.connection_id = p.connection_id
        cross join generate_series(0, 9) a
        cross join lateral (select (p.id * 7919 * m.id + a * 31) % 90 as v) v
        where ${condition} and (m.source_key not like 'new%' or a = 9) order by ${order}`,
  ),
  // 40 in 100 are closed and fixed, 8 in 100 vulnerabilities; a row is as wide as a real one
  `insert into sonarqube_issues (connection_id, synced_at, source_key, component, rule, severity, project_id, effort, debt, status,
     issue_status, resolution, issue_type, clean_code_attribute_category, clean_code_attribute, created_at, updated_at, close_date, message,
     line, hash, text_range, author, scope, quick_fix_available, impact_maintainability, impact_security)
   select 1 + p % 2, now(), gen_random_uuid(), 'org.example.division' || p % 40 || ':service-' || p || ':src/main/java/org/example/File' || n % 97 || '.java',
          'java:S' || 100 + (n % 700) * (n % 3) , (array['MAJOR','MINOR','CRITICAL','INFO','BLOCKER'])[1 + n % 5], p, '10min', '10min',
          case when n % 10 < 4 then 'CLOSED' else 'OPEN' end, case when n % 10 < 4 then 'FIXED' else 'OPEN' end, case when n % 10 < 4 then 'FIXED' end,
          case when n % 100 >= 92 then 'VULNERABILITY' when n % 7 = 0 then 'BUG' else 'CODE_SMELL' end, 'INTENTIONAL', 'CLEAR',
          now() - n % 1500 * interval '1 day', now(), case when n % 10 < 4 then now() - n % 1500 * (n % 9) * interval '160 minutes' end,
          'Refactor this method to reduce its Cognitive Complexity from 23 to the 15 allowed.', n % 900, md5(n::text),
          '{"startLine": 12, "endLine": 12, "startOffset": 4, "endOffset": 31}', 'developer' || n % 300 || '@example.org', 'MAIN', false,
          case when n % 100 < 92 then 'MEDIUM' end, case when n % 100 >= 92 then 'HIGH' end
     from generate_series(1, 1000000) n cross join lateral (select 1 + (n / 100) as p) p where p <= 10000`,
  `insert into sonarqube_security_hotspots (connection_id, synced_at, source_key, component, project_id, security_category,
     vulnerability_probability, status, rule_key, created_at, updated_at, message, line)
   select 1 + p % 2, now(), gen_random_uuid(), 'src/main/java/org/example/File' || n % 97 || '.java', p, 'sql-injection',
          (array['HIGH','MEDIUM','LOW'])[1 + n % 3], case when n % 4 = 0 then 'REVIEWED' else 'TO_REVIEW' end, 'java:S2077',
          now() - n % 1500 * interval '1 day', now(), 'Make sure that executing this SQL is safe here.', n % 900
     from generate_series(1, 100000) n cross join lateral (select 1 + n % 10000 as p) p`,
  `insert into sonarqube_completeness (connection_id, stream, project, server_total, state, checked_at)
   select connection_id, stream, source_key, 100, 'complete', now()
     from sonarqube_projects, unnest(array['issues', 'hotspots', 'measures', 'measures_history']) stream`,
];

const RUNS = 3;

/** The middle of some runs, connecting included: what a person waits for. */
async function measure(
  database: Database,
  run: () => Promise<{ sql: string }>,
): Promise<{ ms: number; connect: number; sql: string }> {
  const times: number[] = [];
  let sql = '';
  for (let i = 0; i < RUNS; i++) {
    const begin = performance.now();
    ({ sql } = await run());
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(RUNS / 2)] ?? 0, connect: times[0] ?? 0, sql };
}

/** Jiffies a second: what Linux counts the time of a process in. */
const HERTZ = 100;

/**
 * The time that one process of the server computes for a statement, without parallel workers: what the chart would take
 * on a machine that does nothing else, however busy this one is. Linux tells it of a server on this machine.
 */
async function computing(database: Database, sql: string): Promise<number> {
  const client = await database.querySession();
  try {
    await client.query('set max_parallel_workers_per_gather = 0');
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const spent = async (): Promise<number> => {
      const stat = await readFile(`/proc/${rows[0]?.pid ?? 0}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / HERTZ;
    };
    await client.query(sql);
    const before = await spent();
    for (let i = 0; i < 2; i++) await client.query(sql);
    return ((await spent()) - before) / 2;
  } finally {
    await client.end();
  }
}

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const database = await testDatabase();
try {
  await withinStore(database);
  const began = performance.now();
  for (const sql of FILL) await database.query(sql);
  for (const sql of args.index) await database.query(sql);
  await database.query('vacuum analyze');
  const { rows: sizes } = await database.query<{ name: string; rows: number; size: string }>(
    `select relname as name, reltuples::bigint as rows, pg_size_pretty(pg_total_relation_size(oid)) as size
       from pg_class where relname like 'sonarqube%' and relkind = 'r' and reltuples >= 10000 order by 1`,
  );
  say(`filled in ${Math.round((performance.now() - began) / 1000)} s`);
  for (const { name, rows, size } of sizes) say(`  ${name}: ${rows} rows, ${size}`);

  const { rows: keys } = await database.query<{ source_key: string }>(
    'select source_key from sonarqube_projects where id % 200 = 0',
  );
  const projects = keys.map((row) => row.source_key);
  const scopes: readonly (readonly [string, FiltersInput])[] = [
    ['all', {}],
    ['all, by day', { interval: 'day' }],
    ['one', { projects: projects.slice(0, 1) }],
    ['50', { projects }],
  ];
  say(`| chart | ${scopes.map(([name]) => name).join(' | ')} | computing, all |`);
  say(`| --- | ${scopes.map(() => '---:').join(' | ')} | ---: |`);
  for (const chart of CHARTS) {
    const cells: string[] = [];
    const cpu = await computing(database, chartSql(chart, resolveFilters({}, new Date())));
    for (const [name, input] of scopes) {
      const { ms, sql } = await measure(database, () =>
        runChart(database, chart, resolveFilters(input, new Date()), { timeoutMs: 60_000 }),
      );
      cells.push(ms.toFixed(0));
      if (args.plans === undefined) continue;
      await mkdir(args.plans, { recursive: true });
      const { rows } = await database.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers) ${sql}`);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      await writeFile(join(args.plans, `${chart.id}.${name.replaceAll(/\W+/g, '-')}.txt`), `${sql}\n\n${plan}\n`);
    }
    say(`| \`${chart.id}\` | ${cells.join(' | ')} | ${cpu.toFixed(0)} |`);
  }
} finally {
  await database.close();
}
