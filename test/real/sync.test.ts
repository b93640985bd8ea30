/**
 * Real servers, read by this program and by an oracle that shares nothing with it: what both have must be equal, row by
 * row and field by field, after a first sync and after what people and analyses then change. The tests of one version
 * follow on each other.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withinStore } from '../../src/app/store.ts';
import { sync, type SyncReport } from '../../src/app/sync.ts';
import { testDatabase } from '../../src/db/database.testing.ts';
import { ConnectorError } from '../../src/protocol/errors.ts';
import { differences, newCodePoints, summary, type Difference, type Fields, type Rows } from './compare.ts';
import { totalOf } from './forwarder.ts';
import { mutate, readServer, summarize, type Row, type Truth } from './oracle.ts';
import { rig, type Rig } from './rig.ts';
import { isModern } from './scanner.ts';
import { DATES, DEVELOPER, PROJECTS, type Tokens } from './seed.ts';
import { VERSIONS } from './server.ts';
import { HARD_PATHS, OVERFLOW } from './sources.ts';

const log = (line: string): void => console.log(line);
const chosen = process.env['SOUNDINGS_REAL_VERSIONS']?.split(',') ?? Object.values(VERSIONS);

const TABLES = [
  'projects',
  'issues',
  'security_hotspots',
  'metrics',
  'project_metrics',
  'current_measures',
  'analyses',
  'tags',
  'issue_tags',
  'issue_events',
  'completeness',
].map((name) => `sonarqube_${name}`);

const LISTED = [
  'projects/search',
  'metrics/search',
  'issues/search',
  'hotspots/search',
  'measures/component',
  'measures/search_history',
].map((name) => `GET /api/${name}`);

/** A run that has something to read reads a few projects again, and those are not large. */
const FEW_REQUESTS = 20;

/** Code that moves takes its issues along, and the server gives them no new date for that. */
function isMoved({ text, fields }: Difference): boolean {
  return text.startsWith('issue ') && fields.length > 0 && fields.every((name) => /^(line|text_range)$/.test(name));
}

/** The contract's own query for a scorecard. */
const SCORECARD = `select pm.value, pm.date
  from sonarqube_projects p
  join sonarqube_project_metrics pm on pm.project_id = p.id
  join sonarqube_metrics m          on m.id = pm.metric_id
 where p.source_key = 'real-history' and m.name = 'Coverage' and pm.value is not null
 order by pm.date desc limit 1`;

/** The report as `--json` prints it. */
type PrintedReport = Omit<SyncReport, 'error'> & { error: { code: string; message: string } | null };

const printed = (text: string): PrintedReport => JSON.parse(text) as PrintedReport;
const seconds = (report: Pick<SyncReport, 'seconds'>): string => `${report.seconds.toFixed(1)} s`;

describe.each(chosen)('SonarQube %s', (version) => {
  let r: Rig;
  let truth: Truth;
  let newCode = new Map<string, Fields>();
  const asked = new Set<string>();

  const rows: Rows = (sql, values) => r.rows(sql, values);
  const issuesOf = (project: string, of = truth): Row[] => [...(of.projects.get(project)?.issues.values() ?? [])];
  const countOf = (project: string, test: (issue: Row) => boolean): number => issuesOf(project).filter(test).length;
  /** What was asked since the last call. */
  const taken = (): Record<string, number> => {
    const requests = r.forwarder.taken();
    for (const name of Object.keys(requests)) asked.add(name);
    return requests;
  };
  /** Reads the server again where it was changed; then what there is to compare the database with. */
  const reread = async (...changed: string[]): Promise<void> => {
    truth = await readServer(r.server, r.server.adminToken, { known: truth, changed });
  };
  const compare = async (): Promise<Difference[]> => {
    newCode = newCodePoints(truth, newCode);
    return differences(truth, newCode, rows);
  };
  const expectComplete = (report: SyncReport | PrintedReport): void => {
    expect(report.error).toBeNull();
    expect(report.state).toBe('complete');
    const short = report.shortfalls.map(({ stream, project, state }) => `${stream} of ${String(project)}: ${state}`);
    const streams = ['hotspots', 'issues', 'measures', 'measures_history'];
    expect(short.sort()).toEqual(streams.map((stream) => `${stream} of real-private: unreadable`));
  };
  /** Counts and newest writes of every table: equal when nothing was written in between. */
  const fingerprint = async (of: Rows = rows): Promise<Record<string, unknown>> => {
    const found: Record<string, unknown> = {};
    for (const table of TABLES) {
      const [row] = await of<{ n: number; rows: string }>(
        `select count(*)::int as n, md5(string_agg(t::text, '|' order by t::text)) as rows from ${table} t`,
      );
      found[table] = row;
    }
    return found;
  };

  let unable: Error | undefined;
  beforeAll(async () => {
    try {
      r = await rig(version, log);
      const begun = Date.now();
      truth = await readServer(r.server);
      log(`read by the oracle in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
      summarize(truth).forEach(log);
    } catch (error) {
      unable = error as Error;
    }
  });
  // without a server no test is skipped: each fails, with the reason
  beforeEach(() => {
    if (unable) throw unable;
  });
  afterAll(async () => {
    await (r as Rig | undefined)?.close();
  });

  describe('the filled server', () => {
    it('has what the comparisons below need in order to mean something', () => {
      expect([...truth.projects.keys()].sort()).toEqual([...PROJECTS].sort());
      expect(truth.metrics.size).toBeGreaterThan(100);
      expect(truth.projects.get('real-empty')).toMatchObject({ lastAnalysisDate: undefined, browsable: true });
      expect(truth.projects.get('real-private')).toMatchObject({ browsable: false, visibility: 'private' });

      const overflow = issuesOf('real-overflow').filter(({ rule }) => String(rule).startsWith('external_probe:'));
      expect(overflow).toHaveLength(OVERFLOW.files * OVERFLOW.perFile);
      expect(new Set(overflow.map((issue) => issue['creationDate']))).toEqual(new Set(DATES['real-overflow']));

      const history = truth.projects.get('real-history')!;
      expect(history.analyses.map(({ date }) => date)).toEqual([...DATES['real-history']].reverse());
      expect(history.history.filter(({ metric }) => metric === 'coverage')).toHaveLength(3);
      expect(history.measures.get('new_violations')?.period).toMatch(/^[1-9]/);
      // a value and one of new code at once could not both be stored
      for (const { measures } of truth.projects.values()) {
        for (const measure of measures.values()) expect([measure.value, measure.period]).toContain(undefined);
      }

      const files = new Set(issuesOf('real-paths').map((issue) => String(issue['component'])));
      expect([...files].sort()).toEqual(HARD_PATHS.map((name) => `real-paths:${name}`).sort());
    });

    it('has issues in every state, and decided hotspots where there are hotspots', () => {
      const states = new Set(
        issuesOf('real-history').map(({ status, resolution }) => [status, resolution].filter(Boolean).join('/')),
      );
      const wanted = ['OPEN', 'CONFIRMED', 'REOPENED', 'RESOLVED/FALSE-POSITIVE', 'RESOLVED/WONTFIX', 'CLOSED/FIXED'];
      for (const state of [...wanted, 'RESOLVED/FIXED']) expect(states).toContain(state);
      expect(countOf('real-history', ({ assignee }) => assignee === DEVELOPER)).toBe(12);
      expect(countOf('real-overflow', ({ tags }) => (tags as string[]).includes('bulk'))).toBe(40);
      const hotspots = [...(truth.projects.get('real-history')?.hotspots.values() ?? [])];
      const decisions = new Set(hotspots.map(({ resolution }) => resolution));
      expect(decisions).toEqual(new Set(isModern(version) ? [] : [undefined, 'SAFE', 'FIXED', 'ACKNOWLEDGED']));
    });
  });

  describe('a first sync', () => {
    let report: PrintedReport;

    it('ends well, and names the project that is closed to the token', async () => {
      taken();
      const ended = await r.syncByCli(r.server.adminToken);
      expect(ended.stderr).not.toMatch(/error|warning/i);
      expect(ended.code).toBe(0);
      report = printed(ended.stdout);
      expect(report.mode).toBe('full');
      expectComplete(report);
      const requests = taken();
      log(`first sync: ${report.changes} rows, ${totalOf(requests)} requests, ${seconds(report)}`);
      expect(Object.keys(requests).sort()).toEqual([...LISTED].sort());
      const issues = [...truth.projects.values()].reduce((sum, project) => sum + project.issues.size, 0);
      // pages of 500, three requests a project, and some to get over the limit of 10,000
      expect(totalOf(requests)).toBeLessThanOrEqual(Math.ceil(issues / 500) + 3 * PROJECTS.length + 10);
    });

    it('brings every row with every field, and nothing else', async () => {
      expect(summary(await compare())).toEqual([]);
      const gone = ['projects', 'issues', 'security_hotspots', 'metrics', 'project_metrics', 'current_measures'].map(
        (table) => `select 1 from sonarqube_${table} where deleted_at is not null`,
      );
      expect(await rows(gone.join(' union all '))).toEqual([]);
      const tags = new Set(
        [...truth.projects.keys()].flatMap((key) => issuesOf(key).flatMap((issue) => issue['tags'])),
      );
      const stored = await rows<{ name: string }>('select name from sonarqube_tags');
      expect(stored.map(({ name }) => name).sort()).toEqual([...tags].sort());
    });

    it('brings all issues of one second, though a search shows 10,000 at most', async () => {
      const [found] = await rows<{ n: number; keys: number }>(
        `select count(*)::int as n, count(distinct i.source_key)::int as keys
           from sonarqube_issues i join sonarqube_projects p on p.id = i.project_id
          where p.source_key = 'real-overflow' and i.created_at = $1 and i.rule like 'external_probe:%'`,
        [DATES['real-overflow'][0]],
      );
      expect(found).toEqual({ n: OVERFLOW.files * OVERFLOW.perFile, keys: OVERFLOW.files * OVERFLOW.perFile });
    });

    it('brings files with commas, quotes and emoji in their names', async () => {
      const found = await rows<{ component: string }>(
        `select distinct component from sonarqube_issues where component like 'real-paths:%'`,
      );
      expect(found.map(({ component }) => component.replace('real-paths:', '')).sort()).toEqual([...HARD_PATHS].sort());
    });

    it('writes a ledger with the numbers that the oracle has, complete but for that project', async () => {
      const ledger = await rows<{ name: string; state: string; total: number | null; present: number }>(
        `select trim(project || ' ' || stream) as name, state, server_total as total, present
           from sonarqube_completeness order by 1`,
      );
      const expected = [
        { name: 'metrics', state: 'complete', total: truth.metrics.size, present: truth.metrics.size },
        { name: 'projects', state: 'complete', total: truth.projects.size, present: truth.projects.size },
      ];
      for (const { key, browsable, issues, hotspots, measures, analyses } of truth.projects.values()) {
        const sizes = { issues, hotspots, measures, measures_history: new Set(analyses) };
        for (const [stream, { size }] of Object.entries(sizes)) {
          const state = browsable ? 'complete' : 'unreadable';
          expected.push({ name: `${key} ${stream}`, state, total: browsable ? size : (null as never), present: size });
        }
      }
      expect(ledger.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
        expected.sort((a, b) => (a.name < b.name ? -1 : 1)),
      );
    });

    it('answers the scorecard query with the value that the server shows', async () => {
      const ended = await r.cli(['query', SCORECARD, '--format', 'json']);
      expect(ended.code).toBe(0);
      const coverage = truth.projects.get('real-history')?.measures.get('coverage')?.value;
      const date = new Date(DATES['real-history'].at(-1) ?? '').toISOString();
      expect(JSON.parse(ended.stdout)).toEqual([{ value: coverage, date }]);
    });
  });

  describe('a run after it', () => {
    it('finds nothing new, with few requests', async () => {
      taken();
      const report = await r.sync();
      expectComplete(report);
      expect(report).toMatchObject({ mode: 'incremental', changes: 0 });
      const requests = taken();
      log(`second run: ${totalOf(requests)} requests, ${seconds(report)}`);
      expect(report.progress.requests).toBe(totalOf(requests));
      expect(totalOf(requests)).toBeLessThanOrEqual(FEW_REQUESTS);
      expect(summary(await compare())).toEqual([]);
    });

    it('sees what people did, and only that', async () => {
      const open = issuesOf('real-history').filter(
        ({ status, assignee, component }) =>
          status === 'OPEN' && !assignee && String(component).endsWith('module_10.py'),
      );
      const [accepted, assigned, tagged] = open.map(({ key }) => key);
      await mutate.transition(r.server, accepted!, 'accept');
      await mutate.assign(r.server, assigned!, DEVELOPER);
      await mutate.setTags(r.server, tagged!, ['fresh', 'c++']);
      const { hotspots } = truth.projects.get('real-history')!;
      const hotspot = [...hotspots.values()].find(({ status }) => status === 'TO_REVIEW')?.key;
      expect(hotspot === undefined).toBe(isModern(version));
      if (hotspot !== undefined) await mutate.review(r.server, hotspot, 'SAFE');
      await reread('real-history');

      taken();
      const report = await r.sync();
      expectComplete(report);
      expect(report.mode).toBe('incremental');
      const requests = taken();
      log(`after people: ${report.changes} rows, ${totalOf(requests)} requests, ${seconds(report)}`);
      expect(totalOf(requests)).toBeLessThanOrEqual(FEW_REQUESTS);
      expect(report.progress.streams['issues']).toMatchObject({ added: 0, changed: 3, gone: 0 });
      if (hotspot !== undefined) expect(report.progress.streams['hotspots']).toMatchObject({ added: 0, changed: 1 });
      expect(summary(await compare())).toEqual([]);
      const events = await rows(
        `select i.source_key as key, e.field, e.old_value, e.new_value
           from sonarqube_issue_events e join sonarqube_issues i on i.id = e.issue_id order by 2, 3`,
      );
      expect(events).toEqual([
        { key: assigned, field: 'assignee', old_value: null, new_value: DEVELOPER },
        { key: accepted, field: 'issue_status', old_value: 'OPEN', new_value: 'ACCEPTED' },
        { key: accepted, field: 'resolution', old_value: null, new_value: 'WONTFIX' },
      ]);
    });

    const analysed = async (): Promise<void> => {
      const before = truth;
      await mutate.rescan(r.server, 'real-history', 4, log);
      await reread('real-history');
      const now = truth.projects.get('real-history')!;
      const known = before.projects.get('real-history')!.issues;
      const added = [...now.issues.keys()].filter((key) => !known.has(key));
      const closed = [...now.issues.values()].filter(
        ({ key, status }) => status === 'CLOSED' && known.get(key)?.['status'] !== 'CLOSED',
      );
      expect(added.length).toBeGreaterThan(0);
      expect(closed.length).toBeGreaterThan(0);
      expect(now.analyses).toHaveLength(4);

      taken();
      const report = await r.sync();
      expectComplete(report);
      expect(report.mode).toBe('incremental');
      const requests = taken();
      log(`after an analysis: ${report.changes} rows, ${totalOf(requests)} requests, ${seconds(report)}`);
      expect(totalOf(requests)).toBeLessThanOrEqual(FEW_REQUESTS);
      expect(report.progress.streams['issues']).toMatchObject({ added: added.length, gone: 0 });

      const unseen = await compare();
      log(`issues that moved unseen: ${unseen.length}`);
      expect(summary(unseen.filter((row) => !isMoved(row)))).toEqual([]);
    };
    // once is enough: an analysis takes half a minute
    if (isModern(version)) it('sees what an analysis closed, found and measured', analysed);

    it('audits what carries no date: moved lines, and reviewed hotspots where nothing else happened', async () => {
      const hotspots = [...truth.projects.get('real-paths')!.hotspots.values()];
      const reviewed = hotspots.find(({ status }) => status === 'TO_REVIEW')?.key;
      expect(reviewed === undefined).toBe(isModern(version));
      if (reviewed !== undefined) {
        await mutate.review(r.server, reviewed, 'SAFE');
        await reread('real-paths');
      }
      const unseen = await compare();
      const unexplained = unseen.filter(
        (row) => !isMoved(row) && row.key !== reviewed && !row.key.startsWith('real-paths security_hotspots'),
      );
      expect(summary(unexplained)).toEqual([]);
      taken();
      const report = await r.sync({ auditHours: 1e-6 });
      expectComplete(report);
      log(`audit: ${report.changes} rows, ${totalOf(taken())} requests, ${seconds(report)}`);
      expect(report.changes).toBe(unseen.length);
      expect(summary(await compare())).toEqual([]);
    });

    it('leaves nothing for --full to find', async () => {
      taken();
      const report = await r.sync({ full: true });
      expectComplete(report);
      log(`--full: ${report.changes} rows, ${totalOf(taken())} requests, ${seconds(report)}`);
      expect(report).toMatchObject({ mode: 'full', changes: 0 });
    });

    it('follows a project to its new key', async () => {
      const ids = `select 'project' as what, id from sonarqube_projects where source_key = any($1) and deleted_at is null
        union all select i.source_key, i.id from sonarqube_issues i join sonarqube_projects p on p.id = i.project_id
         where p.source_key = any($1) and i.deleted_at is null order by 1`;
      const before = await rows(ids, [['real-paths']]);
      await mutate.renameProject(r.server, 'real-paths', 'real-moved');
      await reread('real-moved');
      taken();
      const report = await r.sync();
      expectComplete(report);
      log(`after a change of key: ${report.changes} rows, ${totalOf(taken())} requests, ${seconds(report)}`);
      expect(summary(await compare())).toEqual([]);
      const after = await rows(ids, [['real-moved']]);
      // servers before 2025.6 do not tell that the two are one: there only the issues stay the same rows
      const comparable = isModern(version) ? before : before.filter(({ what }) => what !== 'project');
      expect(after).toEqual(expect.arrayContaining(comparable));
      expect(after).toHaveLength(before.length);
    });

    it('marks a project that was deleted, and keeps its rows', async () => {
      const { issues, hotspots } = truth.projects.get('real-moved')!;
      await mutate.deleteProject(r.server, 'real-moved');
      await reread();
      expect(truth.projects.has('real-moved')).toBe(false);
      taken();
      const report = await r.sync();
      expectComplete(report);
      log(`after a deletion: ${report.changes} rows, ${totalOf(taken())} requests, ${seconds(report)}`);
      expect(summary(await compare())).toEqual([]);
      const kept = await rows(
        `select p.api_accessible, p.deleted_at is not null as marked,
                (select count(*)::int from sonarqube_issues i where i.project_id = p.id and i.deleted_at is not null) as issues,
                (select count(*)::int from sonarqube_security_hotspots h
                  where h.project_id = p.id and h.deleted_at is not null) as hotspots
           from sonarqube_projects p where p.source_key = 'real-moved'`,
      );
      expect(kept).toEqual([{ api_accessible: false, marked: true, issues: issues.size, hotspots: hotspots.size }]);
      expect(await r.sync()).toMatchObject({ state: 'complete', mode: 'incremental', changes: 0 });
    });
  });

  describe('tokens', () => {
    const REFUSED: Partial<Record<keyof Tokens, [code: string, exit: number]>> = {
      viewer: ['invalid_permissions', 5],
      globalAnalysis: ['invalid_permissions', 5],
      projectAnalysis: ['invalid_permissions', 5],
      revoked: ['invalid_credentials', 4],
      unknown: ['invalid_credentials', 4],
    };

    it('that may not read it are refused by name, and nothing is stored of an unknown server', async () => {
      const database = await testDatabase();
      try {
        const store = await withinStore(database);
        const of: Rows = async (sql, values) => (await database.query(sql, values)).rows as never;
        const empty = await fingerprint(of);
        for (const [name, [code]] of Object.entries(REFUSED)) {
          const token = r.server.tokens[name as keyof Tokens];
          expect(token, name).toMatch(/^sq[uap]_/);
          const { signal } = new AbortController();
          const error: unknown = await sync(store, { baseUrl: r.forwarder.url, token, signal }).catch(
            (e: unknown) => e,
          );
          expect(error, name).toBeInstanceOf(ConnectorError);
          expect((error as ConnectorError).code, name).toBe(code);
          expect((error as ConnectorError).message, name).not.toContain(token);
        }
        expect(await of('select 1 from soundings.connections union all select 1 from soundings.runs')).toEqual([]);
        expect(await fingerprint(of)).toEqual(empty);
      } finally {
        await database.close();
      }
    });

    it.each(['viewer', 'revoked'] as const)('%s ends the command with its code, and changes nothing', async (name) => {
      const [code, exit] = REFUSED[name]!;
      const before = await fingerprint();
      const ended = await r.syncByCli(r.server.tokens[name]);
      expect(ended.code).toBe(exit);
      expect(ended.stderr).toContain(`[${code}]`);
      expect(printed(ended.stdout)).toMatchObject({ state: 'failed', changes: 0, error: { code } });
      expect(await fingerprint()).toEqual(before);
    });
  });

  it('asked the listed endpoints alone in all of this', () => {
    taken();
    expect([...asked].filter((name) => name !== 'GET /api/system/status').sort()).toEqual([...LISTED].sort());
  });
});
