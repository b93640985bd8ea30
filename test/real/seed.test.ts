/**
 * What the other tests against real servers rely on: that a filled server holds what seed.ts promises, and that a
 * server can be read, changed and analysed again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from './api.ts';
import { mutate, readIssues, readServer, summarize, type Row, type Truth } from './oracle.ts';
import { isModern } from './scanner.ts';
import { COMMENT, DATES, DEVELOPER, PROJECTS } from './seed.ts';
import { startServer, VERSIONS, type RealServer } from './server.ts';
import { HARD_PATHS, OVERFLOW } from './sources.ts';

const log = (line: string): void => console.log(line);
const chosen = process.env['SOUNDINGS_REAL_VERSIONS']?.split(',') ?? Object.values(VERSIONS);

describe.each(chosen)('SonarQube %s, filled', (version) => {
  let server: RealServer;
  let truth: Truth;
  const issuesOf = (project: string): Row[] => [...(truth.projects.get(project)?.issues.values() ?? [])];
  const countOf = (project: string, test: (issue: Row) => boolean): number => issuesOf(project).filter(test).length;

  beforeAll(async () => {
    server = await startServer({ version, log });
    const begun = Date.now();
    truth = await readServer(server);
    log(`read in ${Date.now() - begun} ms`);
    summarize(truth).forEach(log);
  });
  afterAll(async () => {
    await (server as RealServer | undefined)?.stop();
  });

  it('has its projects', () => {
    expect([...truth.projects.keys()].sort()).toEqual([...PROJECTS].sort());
    expect(truth.projects.get('real-empty')?.lastAnalysisDate).toBeUndefined();
    expect(truth.projects.get('real-empty')?.issues.size).toBe(0);
    expect(truth.metrics.size).toBeGreaterThan(100);
  });

  it('has more issues in one second than a search can reach', () => {
    const issues = issuesOf('real-overflow').filter((issue) => String(issue['rule']).startsWith('external_probe:'));
    expect(issues).toHaveLength(OVERFLOW.files * OVERFLOW.perFile);
    expect(new Set(issues.map((issue) => issue['creationDate']))).toEqual(new Set(DATES['real-overflow']));
    expect(issues.filter((issue) => issue['rule'] === 'external_probe:rule-0')).toHaveLength(
      OVERFLOW.files * OVERFLOW.common,
    );
    expect(new Set(issues.map((issue) => issue['rule'])).size).toBe(OVERFLOW.rules);
    expect(new Set(issues.map((issue) => issue['severity'])).size).toBe(5);
    expect(new Set(issues.map((issue) => issue['component'])).size).toBe(OVERFLOW.files);
  });

  it('has history, new code, closed and reopened issues', () => {
    const project = truth.projects.get('real-history');
    expect(project?.analyses.map((analysis) => analysis['date'])).toEqual([...DATES['real-history']].reverse());
    const coverage = project?.history.filter((point) => point.metric === 'coverage');
    expect(coverage).toHaveLength(3);
    expect(project?.measures.get('new_violations')?.period).toMatch(/^[1-9]/);
    expect(project?.measures.get('new_coverage')?.period).toBeDefined();
    expect(project?.measures.get('duplicated_lines')?.value).toMatch(/^[1-9]/);
    expect(project?.measures.get('tests')?.value).toBe('4');
    expect(countOf('real-history', (issue) => issue['status'] === 'CLOSED')).toBeGreaterThan(20);
    expect(countOf('real-history', (issue) => issue['status'] === 'REOPENED')).toBeGreaterThan(0);
    for (const type of ['BUG', 'VULNERABILITY', 'CODE_SMELL']) {
      expect(countOf('real-history', (issue) => issue['type'] === type)).toBeGreaterThan(0);
    }
    const created = new Set(issuesOf('real-history').map((issue) => issue['creationDate']));
    expect([...created].sort()).toEqual(DATES['real-history']);
    // what comes back after it was fixed is a new issue
    const back = issuesOf('real-history').filter((issue) => String(issue['component']).endsWith('module_00.py'));
    expect(back.some((issue) => issue['status'] === 'CLOSED')).toBe(true);
    expect(back.some((issue) => issue['creationDate'] === DATES['real-history'][2])).toBe(true);
  });

  it('has issues in files with hard names, dated by git', () => {
    const files = new Set(issuesOf('real-paths').map((issue) => String(issue['component'])));
    expect([...files].sort()).toEqual(HARD_PATHS.map((name) => `real-paths:${name}`).sort());
    const dates = new Set(issuesOf('real-paths').map((issue) => String(issue['creationDate']).slice(0, 4)));
    expect([...dates].sort()).toEqual(['2019', '2021']);
    const authors = new Set(issuesOf('real-paths').map((issue) => issue['author']));
    expect(authors).toEqual(new Set(['zoe+commits@example.org', 'li.lei@example.org']));
  });

  it('has a project that the administrator may not browse', async () => {
    expect(truth.projects.get('real-private')).toMatchObject({ browsable: false, visibility: 'private' });
    const seen = await readServer(server, server.tokens.viewer);
    expect(seen.projects.get('real-private')?.issues.size).toBeGreaterThan(20);
  });

  it('has issues that people worked on', () => {
    const decided = (resolution: string): number =>
      countOf('real-history', (issue) => issue['status'] === 'RESOLVED' && issue['resolution'] === resolution);
    expect(decided('FALSE-POSITIVE')).toBe(5);
    expect(decided('WONTFIX')).toBe(5);
    expect(decided('FIXED')).toBe(2);
    expect(countOf('real-history', (issue) => issue['status'] === 'CONFIRMED')).toBe(3);
    expect(countOf('real-history', (issue) => issue['assignee'] === DEVELOPER)).toBe(12);
    expect(countOf('real-history', (issue) => (issue['tags'] as string[]).includes('looked-at'))).toBe(10);
    expect(countOf('real-history', (issue) => issue['severity'] === 'BLOCKER')).toBeGreaterThan(2);
    expect(countOf('real-overflow', (issue) => (issue['tags'] as string[]).includes('bulk'))).toBe(40);
    // older servers refuse transitions of external issues
    expect(countOf('real-overflow', (issue) => issue['resolution'] === 'WONTFIX')).toBe(isModern(version) ? 40 : 0);
    const commented = issuesOf('real-history').filter((issue) =>
      (issue['comments'] as { markdown: string }[] | undefined)?.some((comment) => comment.markdown === COMMENT),
    );
    expect(commented).toHaveLength(8);
    const hotspots = [...(truth.projects.get('real-history')?.hotspots.values() ?? [])];
    if (isModern(version)) {
      expect(hotspots).toHaveLength(0);
    } else {
      expect(new Set(hotspots.map((hotspot) => hotspot['resolution']))).toEqual(
        new Set([undefined, 'SAFE', 'FIXED', 'ACKNOWLEDGED']),
      );
    }
  });

  it('has tokens of every kind', async () => {
    const valid = async (token: string): Promise<unknown> =>
      connect(server.url, { token }).tryGet('users/current', {}, [401]);
    const { revoked, unknown, ...good } = server.tokens;
    for (const token of Object.values(good)) expect(await valid(token)).toBeDefined();
    for (const token of [revoked, unknown]) expect(await valid(token)).toBeUndefined();
    const { viewer, globalAnalysis, projectAnalysis } = good;
    for (const token of [viewer, globalAnalysis, projectAnalysis]) {
      expect(await connect(server.url, { token }).tryGet('projects/search', {}, [403])).toBeUndefined();
    }
  });

  it('can be changed and analysed again', async () => {
    const open = issuesOf('real-history').filter((issue) => issue['status'] === 'OPEN' && !issue['assignee']);
    const issue = open.find((each) => String(each['component']).endsWith('module_10.py'))!;
    await mutate.transition(server, issue.key, 'accept');
    await mutate.transition(server, issue.key, 'reopen');
    await mutate.transition(server, issue.key, 'confirm');
    await mutate.assign(server, issue.key, DEVELOPER);
    await mutate.setTags(server, issue.key, ['fresh']);
    await mutate.comment(server, issue.key, COMMENT);
    let now = await readIssues(server, 'real-history');
    expect(now.get(issue.key)).toMatchObject({ status: 'CONFIRMED', assignee: DEVELOPER, tags: ['fresh'] });
    expect(now.size).toBe(issuesOf('real-history').length);

    await mutate.rescan(server, 'real-history', 4, log);
    now = await readIssues(server, 'real-history');
    const fixed = [...now.values()].filter((each) => String(each['component']).endsWith('module_07.py'));
    expect(fixed.length).toBeGreaterThan(0);
    expect(fixed.every((each) => each['status'] === 'CLOSED')).toBe(true);
    const added = [...now.values()].filter((each) => String(each['component']).endsWith('module_18.py'));
    expect(added.length).toBeGreaterThan(0);
    expect(now.size).toBe(issuesOf('real-history').length + added.length);
  });
});
