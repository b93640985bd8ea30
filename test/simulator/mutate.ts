/** Changes as people, analyses and administrators make them, with the dates that the real server would write. */
import { layered, newHotspot, newIssue } from './dataset.ts';
import type {
  Analysis,
  Dataset,
  Hotspot,
  Impact,
  Issue,
  IssueInput,
  IssueType,
  Project,
  ProjectInput,
  Severity,
} from './dataset.ts';
import { identifier } from './metrics.ts';
import type { Metric } from './metrics.ts';

export type Transition = 'accept' | 'falsepositive' | 'resolve' | 'confirm' | 'unconfirm' | 'reopen';

export interface AnalysisInput {
  /** Start of the scan, on the scanner's clock: may lie before or after now. Now unless told. */
  readonly date?: number;
  readonly revision?: string;
  /** New issues; without `created` they get the date of the analysis, with SCM it is the blame date of the line. */
  readonly add?: readonly IssueInput[];
  /** Keys that are fixed: CLOSED, FIXED, without a line. */
  readonly close?: readonly string[];
  /** Keys whose line moves by so much: neither key nor updateDate changes. */
  readonly move?: Readonly<Record<string, number>>;
  /** Old path → new path: same keys, updateDate of the analysis. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Values that are neither counted nor as before, such as ncloc; `new_…` too. */
  readonly measures?: Readonly<Record<string, string>>;
  /** Days after which closed issues are deleted at the end of the analysis; unless told they are kept. */
  readonly purgeClosedAfterDays?: number;
}

export class Mutator {
  readonly #data: Dataset;
  readonly #now: () => number;

  constructor(data: Dataset, now: () => number) {
    this.#data = data;
    this.#now = now;
  }

  project(key: string): Project {
    const project = this.#data.project(key);
    if (!project) throw new Error(`There is no project ${key}`);
    return project;
  }

  issue(key: string): Issue {
    const issue = this.#data.issue(key);
    if (!issue) throw new Error(`There is no issue ${key}`);
    return issue;
  }

  /** Something a person does to an issue. */
  change(key: string | Issue, change: (issue: Issue) => void): Issue {
    const issue = typeof key === 'string' ? this.issue(key) : key;
    change(issue);
    issue.updated = this.#now();
    this.#data.touch(issue.project, 'changes');
    return issue;
  }

  transition(key: string | Issue, transition: Transition): Issue {
    return this.change(key, (issue) => {
      if (issue.status === 'CLOSED') throw new Error(`Issue ${issue.key} is closed`);
      issue.resolution = undefined;
      switch (transition) {
        case 'accept':
          issue.status = 'RESOLVED';
          issue.resolution = 'WONTFIX';
          break;
        case 'falsepositive':
          issue.status = 'RESOLVED';
          issue.resolution = 'FALSE-POSITIVE';
          break;
        case 'resolve':
          issue.status = 'RESOLVED';
          issue.resolution = 'FIXED';
          break;
        case 'confirm':
          issue.status = 'CONFIRMED';
          break;
        case 'unconfirm':
        case 'reopen':
          issue.status = 'REOPENED';
          break;
      }
    });
  }

  accept(key: string | Issue): Issue {
    return this.transition(key, 'accept');
  }

  reopen(key: string | Issue): Issue {
    return this.transition(key, 'reopen');
  }

  assign(key: string | Issue, login: string | undefined): Issue {
    return this.change(key, (issue) => (issue.assignee = login));
  }

  tag(key: string | Issue, tags: readonly string[]): Issue {
    return this.change(key, (issue) => (issue.tags = tags));
  }

  severity(key: string | Issue, severity: Severity): Issue {
    return this.change(key, (issue) => (issue.severity = severity));
  }

  type(key: string | Issue, type: IssueType): Issue {
    return this.change(key, (issue) => (issue.type = type));
  }

  comment(key: string | Issue, markdown: string, login = 'admin'): Issue {
    return this.change(key, (issue) => {
      const before = issue.more?.comments ?? [];
      const comment = {
        key: identifier(`comment ${issue.key} ${before.length}`),
        login,
        markdown,
        createdAt: this.#now(),
      };
      issue.more = { ...issue.more, comments: [...before, comment] };
    });
  }

  /** An administrator changes what a rule means: its issues look different, and no date says so. */
  ruleImpacts(rule: string, impacts: readonly Impact[]): void {
    this.#data.rule(rule).impacts = impacts;
    this.#data.touch(undefined, 'changes');
  }

  createProject(input: ProjectInput): Project {
    return this.#data.addProject(input);
  }

  deleteProject(key: string): void {
    const project = this.project(key);
    this.#data.projects = this.#data.projects.filter((one) => one !== project);
    this.#data.touch();
  }

  /** Another key, the same issues under the same keys; no date moves. */
  renameProject(key: string, newKey: string, newName?: string): void {
    const project = this.project(key);
    project.key = newKey;
    if (newName !== undefined) project.name = newName;
    this.#data.touch(project);
  }

  /** Who may browse, and who may execute analyses; undefined is everyone. */
  restrict(
    key: string,
    rights: { browse?: readonly string[] | undefined; scan?: readonly string[] | undefined },
  ): void {
    const project = this.project(key);
    if ('browse' in rights) project.browse = rights.browse;
    if ('scan' in rights) project.scan = rights.scan;
    this.#data.touch(project);
  }

  /** Publishes an analysis: issues, measures and history change at once. */
  analysis(key: string, input: AnalysisInput = {}): Analysis {
    const data = this.#data;
    const project = this.project(key);
    const date = input.date ?? this.#now();
    const last = project.analyses.at(-1);
    if (last && date <= last.date) {
      throw new Error(`The server refuses an analysis that is not later than the last one of ${key}`);
    }
    for (const [from, to] of Object.entries(input.rename ?? {})) this.#renameFile(project, from, to, date);
    for (const issueKey of input.close ?? []) {
      const issue = this.#own(project, issueKey);
      issue.status = 'CLOSED';
      issue.resolution = 'FIXED';
      issue.closed = date;
      issue.updated = date;
    }
    for (const [issueKey, by] of Object.entries(input.move ?? {})) {
      const issue = this.#own(project, issueKey);
      if (issue.line !== undefined) issue.line += by;
    }
    for (const [i, issue] of (input.add ?? []).entries()) {
      const made = {
        ...issue,
        key: issue.key ?? identifier(`issue ${project.uuid} ${date} ${i} ${project.issues.length}`),
        created: issue.created ?? date,
        updated: issue.updated ?? date,
      };
      project.issues.push(newIssue(project, made, issue.rule === undefined ? undefined : data.rule(issue.rule)));
    }
    if (input.measures) project.live = layered(input.measures, project.live);
    if (last) project.period = { mode: 'PREVIOUS_VERSION', date: last.date };
    data.touch(project);
    if (input.purgeClosedAfterDays !== undefined) this.purgeClosed(key, input.purgeClosedAfterDays);
    // kept as they are now: later changes must not rewrite history
    const kept = { ...data.countedMeasures(project), ...input.measures };
    const analysis: Analysis = { date, revision: input.revision, measures: layered(kept, project.live) };
    project.analyses.push(analysis);
    data.touch(project);
    return analysis;
  }

  #own(project: Project, key: string): Issue {
    const issue = this.#data.issue(key, project);
    if (!issue) throw new Error(`There is no issue ${key} in ${project.key}`);
    return issue;
  }

  #renameFile(project: Project, from: string, to: string, date: number): void {
    for (const issue of project.issues) {
      if (issue.path === from && issue.status !== 'CLOSED') {
        issue.path = to;
        issue.updated = date;
      }
    }
    for (const hotspot of project.hotspots) {
      if (hotspot.path === from) {
        hotspot.path = to;
        hotspot.updated = date;
      }
    }
    (project.deletedFiles ??= new Set()).add(from);
    project.deletedFiles.delete(to);
  }

  /** Deletes closed issues older than so many days; 0 means all of them. Says how many. */
  purgeClosed(key: string, olderThanDays = 0): number {
    const project = this.project(key);
    const limit = this.#now() - olderThanDays * 86_400;
    const before = project.issues.length;
    project.issues = project.issues.filter(
      (issue) => issue.closed === undefined || (olderThanDays > 0 && issue.closed > limit),
    );
    this.#data.touch(project);
    return before - project.issues.length;
  }

  /** Takes issues away without a trace, as a restored backup would. */
  removeIssues(keys: readonly string[]): void {
    const gone = new Set(keys);
    for (const project of this.#data.projects) {
      if (!project.issues.some((issue) => gone.has(issue.key))) continue;
      project.issues = project.issues.filter((issue) => !gone.has(issue.key));
      this.#data.touch(project);
    }
  }

  /** The index goes on naming these rows (issues or hotspots), the database has them no more. */
  loseRows(keys: readonly string[]): void {
    for (const key of keys) this.#data.lost.add(key);
  }

  /** An administrator deletes one analysis, or housekeeping thins them out. */
  deleteAnalysis(key: string, date: number): void {
    const project = this.project(key);
    const before = project.analyses.length;
    project.analyses = project.analyses.filter((analysis) => analysis.date !== date);
    if (project.analyses.length === before) throw new Error(`${key} has no analysis of ${date}`);
    this.#data.touch(project);
  }

  addHotspot(key: string, input: Partial<Hotspot> = {}): Hotspot {
    const project = this.project(key);
    const now = this.#now();
    const hotspot = newHotspot(project, {
      created: now,
      updated: now,
      ...input,
      key: input.key ?? identifier(`hotspot ${project.uuid} ${project.hotspots.length} ${now}`),
    });
    project.hotspots.push(hotspot);
    this.#data.touch(project);
    return hotspot;
  }

  /** A person reviews a hotspot, or opens it again without a resolution. */
  reviewHotspot(key: string, resolution: Hotspot['resolution']): Hotspot {
    const { project, hotspot } = this.#hotspot(key);
    hotspot.status = resolution === undefined ? 'TO_REVIEW' : 'REVIEWED';
    hotspot.resolution = resolution;
    hotspot.updated = this.#now();
    this.#data.touch(project, 'changes');
    return hotspot;
  }

  /** A hotspot that the last analysis no longer found: it is not listed again. */
  closeHotspot(key: string): void {
    const { project, hotspot } = this.#hotspot(key);
    hotspot.status = 'CLOSED';
    this.#data.touch(project, 'changes');
  }

  /** As newer versions do: the same key is an issue from then on. */
  convertHotspot(key: string): Issue {
    const { project, hotspot } = this.#hotspot(key);
    const now = this.#now();
    project.hotspots = project.hotspots.filter((one) => one !== hotspot);
    const reviewed = hotspot.status === 'REVIEWED';
    const acknowledged = reviewed && hotspot.resolution === 'ACKNOWLEDGED';
    const closed = reviewed && !acknowledged;
    const issue = newIssue(project, {
      key: hotspot.key,
      path: hotspot.path,
      rule: hotspot.rule,
      type: 'VULNERABILITY',
      severity: hotspot.probability === 'HIGH' ? 'CRITICAL' : hotspot.probability === 'MEDIUM' ? 'MAJOR' : 'MINOR',
      status: acknowledged ? 'CONFIRMED' : closed ? 'CLOSED' : 'OPEN',
      resolution: closed ? (hotspot.resolution === 'SAFE' ? 'WONTFIX' : 'FIXED') : undefined,
      line: hotspot.line,
      message: hotspot.message,
      effort: 0,
      assignee: hotspot.assignee,
      author: hotspot.author,
      tags: ['former-hotspot'],
      created: hotspot.created,
      updated: now,
      closed: closed ? now : undefined,
      more: { impacts: [{ softwareQuality: 'SECURITY', severity: 'MEDIUM' }] },
    });
    project.issues.push(issue);
    this.#data.touch(project);
    return issue;
  }

  convertHotspots(projectKey: string): Issue[] {
    return [...this.project(projectKey).hotspots].map((hotspot) => this.convertHotspot(hotspot.key));
  }

  #hotspot(key: string): { project: Project; hotspot: Hotspot } {
    const found = this.#data.hotspot(key);
    if (!found) throw new Error(`There is no hotspot ${key}`);
    return found;
  }

  /** Metrics that an upgrade or a plug-in brings. `present` are those there are; see `simulator.metrics()`. */
  addMetrics(present: readonly Metric[], more: readonly Metric[]): void {
    this.#data.metrics = [...present, ...more];
  }

  /** An analysis of another branch or a pull request: projects/search shows its date, nothing else changes. */
  analyseOtherBranch(key: string, date?: number): void {
    const project = this.project(key);
    project.otherBranchAnalysis = date ?? this.#now();
    this.#data.touch(project);
  }
}
