/**
 * Fills a server: people, tokens, projects with thousands of issues, with history, with hard file names, one that the
 * administrator may not browse, one never analysed; and issues that people worked on.
 */
import { connect, type Api, type Credentials } from './api.ts';
import { installScanner, type Log } from './install.ts';
import { analyse, isModern } from './scanner.ts';
import type { RealServer } from './server.ts';

/** Tokens of every kind. */
export interface Tokens {
  /** User token of the administrator. */
  admin: string;
  /** User token of a plain user, who may browse every project, real-private too. */
  viewer: string;
  /** Global analysis token (of the administrator). */
  globalAnalysis: string;
  /** Project analysis token for real-history; empty when the server has no such project. */
  projectAnalysis: string;
  /** User token of the administrator with an expiration date, the day after tomorrow. */
  expiring: string;
  /** Was a user token; revoked. */
  revoked: string;
  /** Looks like a token, never was one. */
  unknown: string;
}

/** Keys of the projects that seed makes. */
export const PROJECTS = ['real-overflow', 'real-history', 'real-paths', 'real-private', 'real-empty'] as const;

/** The login of the person to whom issues are assigned. */
export const DEVELOPER = 'real-dev';

/** The dates of the analyses that seed makes. */
export const DATES = {
  'real-history': ['2025-11-03T08:00:00+0000', '2026-02-10T09:30:00+0000', '2026-06-20T10:15:30+0000'],
  'real-overflow': ['2026-03-04T05:06:07+0000'],
  'real-paths': ['2026-04-05T06:07:08+0000'],
  'real-private': ['2026-05-06T07:08:09+0000'],
} as const;

/** A comment with characters that are easily spoilt. */
export const COMMENT = 'Looked at: *bold*, "quoted", back\\slash, æøå 漢字 🙂, <b>tag</b> & more';

/** An issue as api/issues/search gives it; only what seeding looks at. */
interface Found {
  key: string;
  rule: string;
  component: string;
  line?: number;
  impacts?: { softwareQuality: string }[];
}

/** Makes the users that are missing and a new set of tokens; the old ones of the same names end. */
export async function mintTokens(
  url: string,
  admin: { login: string; password: string },
  viewer: { login: string; password: string },
): Promise<Tokens> {
  const asAdmin = connect(url, admin);
  for (const [login, name] of [
    [viewer.login, 'Real Viewer'],
    [DEVELOPER, 'Dévi “Real” Developer'],
  ] as const) {
    await asAdmin.tryPost(
      'users/create',
      { login, name, password: viewer.password, email: `${login}@example.org` },
      [400],
    );
  }
  const make = async (who: Credentials, name: string, more: Record<string, string>): Promise<string> => {
    const api = connect(url, who);
    await api.tryPost('user_tokens/revoke', { name }, [400, 404]);
    const made = await api.tryPost<{ token: string }>('user_tokens/generate', { name, ...more }, [404]);
    return made?.token ?? '';
  };
  const day = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  const tokens: Tokens = {
    admin: await make(admin, 'real-admin', { type: 'USER_TOKEN' }),
    viewer: await make(viewer, 'real-viewer', { type: 'USER_TOKEN' }),
    globalAnalysis: await make(admin, 'real-global', { type: 'GLOBAL_ANALYSIS_TOKEN' }),
    projectAnalysis: await make(admin, 'real-project', { type: 'PROJECT_ANALYSIS_TOKEN', projectKey: 'real-history' }),
    expiring: await make(admin, 'real-expiring', { type: 'USER_TOKEN', expirationDate: day }),
    revoked: await make(admin, 'real-revoked', { type: 'USER_TOKEN' }),
    unknown: `squ_${'0'.repeat(40)}`,
  };
  await asAdmin.post('user_tokens/revoke', { name: 'real-revoked' });
  return tokens;
}

/**
 * Without this, what is analysed with a date in the past is cleaned away at once: analyses are thinned out and deleted
 * by their dates, closed issues after 30 days.
 */
async function keepEverything(api: Api): Promise<void> {
  const limits: Record<string, number> = {
    hoursBeforeKeepingOnlyOneSnapshotByDay: 876_000,
    weeksBeforeKeepingOnlyOneSnapshotByWeek: 5_200,
    weeksBeforeKeepingOnlyOneSnapshotByMonth: 5_200,
    weeksBeforeKeepingOnlyAnalysesWithVersion: 5_200,
    weeksBeforeDeletingAllSnapshots: 5_200,
    daysBeforeDeletingClosedIssues: 36_500,
    daysBeforeDeletingHistory: 36_500, // unknown to older servers
  };
  for (const [name, value] of Object.entries(limits)) {
    await api.tryPost('settings/set', { key: `sonar.dbcleaner.${name}`, value }, [400]);
  }
}

/** Open issues of a project, in an order that does not depend on keys or dates. */
async function openIssues(api: Api, project: string): Promise<Found[]> {
  const { issues } = await api.get<{ issues: Found[] }>('issues/search', {
    componentKeys: project,
    resolved: false,
    ps: 500,
  });
  const name = (issue: Found): string => `${issue.component} ${String(issue.line ?? 0).padStart(6, '0')} ${issue.rule}`;
  return issues.sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

const inFile = (issues: Found[], file: string): Found[] => issues.filter((issue) => issue.component.endsWith(file));

/** Decisions before the last analysis: it reopens what was said to be fixed, and closes what is gone. */
async function triageBefore(server: RealServer): Promise<void> {
  const { api } = server;
  const issues = await openIssues(api, 'real-history');
  const pick = (file: string, from: number, to: number): Found[] => inFile(issues, file).slice(from, to);
  const move = async (issue: Found, transition: string): Promise<void> => {
    await api.post('issues/do_transition', { issue: issue.key, transition });
  };
  for (const issue of pick('module_08.py', 0, 3)) await move(issue, 'resolve'); // still there: will be reopened
  for (const issue of pick('module_06.py', 0, 2)) await move(issue, 'falsepositive'); // will be closed
  for (const issue of pick('module_06.py', 2, 4))
    await api.post('issues/add_comment', { issue: issue.key, text: COMMENT });
}

/** What people do with issues. */
async function triage(server: RealServer, log: Log): Promise<void> {
  const { api } = server;
  const modern = isModern(server.version);
  const accept = modern ? 'accept' : 'wontfix';
  const all = await openIssues(api, 'real-history');
  // module_08 has those that were reopened
  const issues = all.filter((issue) => issue.component.includes('/app/') && !issue.component.endsWith('module_08.py'));
  const each = async (from: number, to: number, route: string, more: Record<string, string>): Promise<void> => {
    for (const issue of issues.slice(from, to)) await api.post(`issues/${route}`, { issue: issue.key, ...more });
  };
  await each(0, 5, 'do_transition', { transition: 'falsepositive' });
  await each(5, 10, 'do_transition', { transition: accept });
  await each(10, 13, 'do_transition', { transition: 'confirm' });
  await each(13, 15, 'do_transition', { transition: 'resolve' });
  await each(8, 20, 'assign', { assignee: DEVELOPER });
  await each(20, 22, 'assign', { assignee: 'admin' });
  await each(15, 25, 'set_tags', { tags: 'real,looked-at' });
  await each(0, 6, 'add_comment', { text: COMMENT });
  await each(0, 1, 'add_comment', { text: 'A second comment.\n\nOn two lines.' });
  await each(25, 28, 'set_severity', { severity: 'BLOCKER' });
  await each(28, 31, 'set_type', { type: 'BUG' });
  const smell = issues
    .slice(31)
    .find((issue) => issue.impacts?.some((each) => each.softwareQuality === 'MAINTAINABILITY'));
  if (smell) await api.post('issues/set_severity', { issue: smell.key, impact: 'MAINTAINABILITY=BLOCKER' });
  // older servers refuse transitions of external issues; the rest of the change happens there too
  const many = await openIssues(api, 'real-overflow');
  const keys = many.slice(0, 40).map((issue) => issue.key);
  await api.post('issues/bulk_change', {
    issues: keys.join(','),
    do_transition: accept,
    assign: DEVELOPER,
    add_tags: 'bulk',
    comment: 'All at once',
  });
  const paths = await openIssues(api, 'real-paths');
  for (const issue of paths.slice(0, 3)) await api.post('issues/add_comment', { issue: issue.key, text: COMMENT });
  log(`triaged ${issues.slice(0, 31).length + keys.length + 3} issues`);

  if (modern) return;
  type Hotspots = { hotspots: { key: string }[] };
  for (const project of ['real-history', 'real-paths']) {
    const { hotspots } = await api.get<Hotspots>('hotspots/search', {
      projectKey: project,
      status: 'TO_REVIEW',
      ps: 500,
    });
    const keysOf = hotspots.map((hotspot) => hotspot.key).sort();
    for (const [i, hotspot] of keysOf.slice(0, 6).entries()) {
      const resolution = ['SAFE', 'FIXED', 'ACKNOWLEDGED'][i % 3] ?? 'SAFE';
      await api.post('hotspots/change_status', { hotspot, status: 'REVIEWED', resolution, comment: COMMENT });
    }
    for (const hotspot of keysOf.slice(6, 9)) await api.post('hotspots/assign', { hotspot, assignee: DEVELOPER });
    for (const hotspot of keysOf.slice(7, 9)) await api.post('hotspots/add_comment', { hotspot, comment: COMMENT });
  }
}

/** Takes the right to browse real-private from everybody but the viewer, the administrator included. */
async function lockPrivate(server: RealServer): Promise<void> {
  const { api, viewer } = server;
  const projectKey = 'real-private';
  for (const permission of ['user', 'codeviewer']) {
    await api.post('permissions/add_user', { projectKey, login: viewer.login, permission });
    await api.tryPost('permissions/remove_user', { projectKey, login: 'admin', permission }, [400, 404]);
    for (const groupName of ['sonar-users', 'sonar-administrators']) {
      await api.tryPost('permissions/remove_group', { projectKey, groupName, permission }, [400, 404]);
    }
  }
}

/** Fills an empty server. Analyses run two at a time. */
export async function seed(server: RealServer, log: Log): Promise<void> {
  const { api } = server;
  await installScanner(server.runtime.cache, log); // before two analyses want it at once
  await keepEverything(api);
  for (const project of PROJECTS) {
    await api.post('projects/create', {
      project,
      name: `The project ${project}`,
      visibility: project === 'real-private' ? 'private' : 'public',
    });
  }
  await api.post('project_tags/set', { project: 'real-history', tags: 'history,seeded' });
  const history = async (): Promise<void> => {
    for (const [i, date] of DATES['real-history'].entries()) {
      if (i === 2) await triageBefore(server);
      await analyse(server, { project: 'real-history', revision: i + 1, date }, log);
    }
  };
  const others = async (): Promise<void> => {
    for (const project of ['real-overflow', 'real-paths', 'real-private'] as const) {
      await analyse(server, { project, revision: 1, date: DATES[project][0] }, log);
    }
  };
  await Promise.all([history(), others()]);
  await triage(server, log);
  await lockPrivate(server);
}
