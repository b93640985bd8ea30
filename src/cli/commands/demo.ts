import type { Command } from 'commander';
import { defaultDataDir, type StoreFlags } from '../../app/config.ts';
import { environment, print, say, stopSignal, storeOf, withStoreFlags } from '../context.ts';

export function define(command: Command): void {
  withStoreFlags(command).action(runDemoCommand);
}

/** What people ask first; each is printed with its answer. */
const QUESTIONS = [
  {
    question: 'Coverage of each project today',
    sql: `select p.name as project, c.value || ' %' as coverage
  from sonarqube_current_measures c
  join sonarqube_projects p on p.id = c.project_id
  join sonarqube_metrics m on m.id = c.metric_id
 where m.source_key = 'coverage'
 order by p.name`,
  },
  {
    question: 'Open issues by severity',
    sql: `select severity, count(*) as issues
  from sonarqube_issues
 where issue_status in ('OPEN', 'CONFIRMED')
 group by severity
 order by count(*) desc`,
  },
  {
    question: 'Is anything missing?',
    sql: `select stream, state, count(*) as projects, sum(server_total)::bigint as server, sum(present)::bigint as here
  from sonarqube_completeness
 group by stream, state
 order by stream, state`,
  },
] as const;

async function runDemoCommand(flags: StoreFlags): Promise<void> {
  const [
    { sync },
    { withStore },
    { runQuery },
    { startSampleServer, SAMPLE_TOKEN },
    { progressView },
    { exitCode, renderReport },
    { renderTable },
  ] = await Promise.all([
    import('../../app/sync.ts'),
    import('../../app/store.ts'),
    import('../../app/query.ts'),
    import('../../app/sample.ts'),
    import('../render/progress.ts'),
    import('../render/report.ts'),
    import('../render/table.ts'),
  ]);
  const named = flags.dataDir !== undefined || flags.database !== undefined;
  // a sample must never mix with the data of a real server
  const dataDir = `${defaultDataDir(environment, process.getuid?.() === 0)}-demo`;
  const store = named ? storeOf(flags) : { dataDir };
  const where = named
    ? flags.dataDir === undefined
      ? '--database …'
      : `--data-dir ${flags.dataDir}`
    : `--data-dir ${dataDir}`;
  const server = await startSampleServer();
  const view = progressView(process.stderr);
  try {
    say(`This is a SAMPLE: answers recorded from a real SonarQube Server 26.9, replayed at ${server.url}.\n`);
    await withStore(store, say, async (opened) => {
      const report = await sync(opened, {
        baseUrl: SAMPLE_NAME,
        address: server.url,
        token: SAMPLE_TOKEN,
        signal: stopSignal(),
        onProgress: view.show,
      });
      view.close();
      renderReport(report);
      process.exitCode = exitCode(report, false);
      if (report.error) return;
      const tables = await runQuery(opened.database, COUNTS, { timeoutMs: 60_000 });
      print(`\nStored:\n${renderTable(tables.columns, tables.rows)}`);
      for (const { question, sql } of QUESTIONS) {
        const answer = await runQuery(opened.database, sql, { timeoutMs: 60_000 });
        print(`\n${question}:\n${renderTable(answer.columns, answer.rows)}`);
      }
    });
    print(`
What next:
  npx soundings query "select * from sonarqube_projects" ${where}
  npx soundings schema ${where}
  npx soundings sync --url https://sonar.example.com    your own server; the token by SOUNDINGS_TOKEN or at the prompt`);
  } finally {
    view.close();
    await server.close();
  }
}

/** The sample's place in the list of connections; its real address has another port every time. */
const SAMPLE_NAME = 'http://sample.invalid';

const COUNTS = ['projects', 'issues', 'tags', 'issue_tags', 'security_hotspots', 'metrics', 'project_metrics']
  .map((name) => `select 'sonarqube_${name}' as "table", count(*) as "rows" from sonarqube_${name}`)
  .join('\nunion all ');
