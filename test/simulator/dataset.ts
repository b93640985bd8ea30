/**
 * What a simulated server knows. Plain objects that a test may write by hand or change; dates are seconds since 1970.
 * Whoever changes issues without the helpers of `mutate.ts` calls `data.touch(project)` afterwards.
 */
import { identifier, isNewCode } from './metrics.ts';
import type { Metric } from './metrics.ts';

export type Severity = 'INFO' | 'MINOR' | 'MAJOR' | 'CRITICAL' | 'BLOCKER';
export type IssueType = 'CODE_SMELL' | 'BUG' | 'VULNERABILITY';
export type IssueStatus = 'OPEN' | 'CONFIRMED' | 'REOPENED' | 'RESOLVED' | 'CLOSED' | 'IN_SANDBOX';
export type Resolution = 'FALSE-POSITIVE' | 'WONTFIX' | 'FIXED' | 'REMOVED';
export type Quality = 'MAINTAINABILITY' | 'RELIABILITY' | 'SECURITY';
export type ImpactSeverity = 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'BLOCKER';

export interface Impact {
  readonly softwareQuality: Quality;
  readonly severity: ImpactSeverity;
}

export interface Rule {
  readonly key: string;
  readonly name: string;
  readonly language: string;
  readonly type: IssueType;
  readonly severity: Severity;
  readonly cleanCodeAttribute: string;
  /** Replaced by an administrator: issues without impacts of their own follow, and their updateDate does not. */
  impacts: readonly Impact[];
}

/** What few issues have. */
export interface IssueExtras {
  readonly impacts?: readonly Impact[];
  readonly cleanCodeAttribute?: string;
  readonly comments?: readonly Comment[];
  readonly flows?: readonly unknown[];
  readonly messageFormattings?: readonly unknown[];
  readonly codeVariants?: readonly string[];
  readonly internalTags?: readonly string[];
  readonly prioritizedRule?: boolean;
  readonly fromSonarQubeUpdate?: boolean;
  readonly linkedTicketStatus?: string;
  readonly ruleDescriptionContextKey?: string;
  readonly quickFixAvailable?: boolean;
}

export interface Comment {
  readonly key: string;
  readonly login: string;
  readonly markdown: string;
  readonly createdAt: number;
}

export interface Issue {
  readonly key: string;
  project: Project;
  /** Path in the project; undefined for an issue of the project itself. */
  path: string | undefined;
  rule: string;
  severity: Severity;
  type: IssueType;
  status: IssueStatus;
  resolution: Resolution | undefined;
  /** Not shown while the issue is CLOSED; the text range is. Undefined for an issue of a whole file. */
  line: number | undefined;
  message: string;
  /** Minutes. */
  effort: number;
  assignee: string | undefined;
  author: string;
  tags: readonly string[];
  scope: 'MAIN' | 'TEST';
  created: number;
  updated: number;
  closed: number | undefined;
  more: IssueExtras | undefined;
}

export interface Hotspot {
  readonly key: string;
  path: string;
  rule: string;
  category: string;
  probability: 'HIGH' | 'MEDIUM' | 'LOW';
  status: 'TO_REVIEW' | 'REVIEWED' | 'CLOSED';
  resolution: 'FIXED' | 'SAFE' | 'ACKNOWLEDGED' | undefined;
  line: number | undefined;
  message: string;
  assignee: string | undefined;
  author: string;
  created: number;
  updated: number;
}

/** Values as the server writes them, by metric key; a function makes them when they are asked for. */
export type Measures = Readonly<Record<string, string>> | ((metric: string) => string | undefined);

export interface Analysis {
  readonly date: number;
  readonly revision: string | undefined;
  readonly measures: Measures;
}

export interface Period {
  readonly mode: string;
  readonly date?: number;
  readonly parameter?: string;
}

export interface Project {
  key: string;
  name: string;
  readonly uuid: string;
  visibility: 'public' | 'private';
  /** Ascending by date. */
  analyses: Analysis[];
  /** An analysis of another branch or a pull request: projects/search shows the latest of all. */
  otherBranchAnalysis: number | undefined;
  issues: Issue[];
  hotspots: Hotspot[];
  /** The present value of what does not follow from issues and hotspots; of `new_…` too. */
  live: Measures;
  period: Period | undefined;
  /** Logins that may browse it, or execute analyses of it; undefined means everyone. */
  browse: readonly string[] | undefined;
  scan: readonly string[] | undefined;
  /** Files that no longer exist but still have issues. */
  deletedFiles: Set<string> | undefined;
}

export type IssueInput = Partial<Omit<Issue, 'project'>>;
export type ProjectInput = Partial<Omit<Project, 'issues' | 'hotspots'>> & {
  readonly key: string;
  readonly issues?: readonly IssueInput[];
  readonly hotspots?: readonly Partial<Hotspot>[];
};

/** An issue with every field there, always in the same order: that keeps a million of them small and fast. */
export function newIssue(project: Project, input: IssueInput, rule?: Rule): Issue {
  return {
    key: input.key ?? identifier(`${project.key} ${project.issues.length} ${Math.random()}`),
    project,
    path: input.path,
    rule: input.rule ?? rule?.key ?? 'java:S1135',
    severity: input.severity ?? rule?.severity ?? 'MAJOR',
    type: input.type ?? rule?.type ?? 'CODE_SMELL',
    status: input.status ?? 'OPEN',
    resolution: input.resolution,
    line: input.line,
    message: input.message ?? rule?.name ?? 'Complete the task associated to this TODO comment.',
    effort: input.effort ?? 5,
    assignee: input.assignee,
    author: input.author ?? '',
    tags: input.tags ?? [],
    scope: input.scope ?? 'MAIN',
    created: input.created ?? 1_700_000_000,
    updated: input.updated ?? input.created ?? 1_700_000_000,
    closed: input.closed,
    more: input.more,
  };
}

export function newHotspot(project: Project, input: Partial<Hotspot>): Hotspot {
  return {
    key: input.key ?? identifier(`hotspot ${project.key} ${project.hotspots.length} ${Math.random()}`),
    path: input.path ?? 'src/main.py',
    rule: input.rule ?? 'python:S5852',
    category: input.category ?? 'dos',
    probability: input.probability ?? 'MEDIUM',
    status: input.status ?? 'TO_REVIEW',
    resolution: input.resolution,
    line: input.line,
    message: input.message ?? 'Make sure the regex used here cannot lead to denial of service.',
    assignee: input.assignee,
    author: input.author ?? '',
    created: input.created ?? 1_700_000_000,
    updated: input.updated ?? input.created ?? 1_700_000_000,
  };
}

export function newProject(input: ProjectInput): Project {
  const project: Project = {
    key: input.key,
    name: input.name ?? input.key,
    uuid: input.uuid ?? identifier(`project ${input.key}`),
    visibility: input.visibility ?? 'public',
    analyses: input.analyses ?? [],
    otherBranchAnalysis: input.otherBranchAnalysis,
    issues: [],
    hotspots: [],
    live: input.live ?? {},
    period: input.period,
    browse: input.browse,
    scan: input.scan,
    deletedFiles: input.deletedFiles,
  };
  for (const issue of input.issues ?? []) project.issues.push(newIssue(project, issue));
  for (const hotspot of input.hotspots ?? []) project.hotspots.push(newHotspot(project, hotspot));
  return project;
}

export function valueOf(measures: Measures, metric: string): string | undefined {
  return typeof measures === 'function' ? measures(metric) : measures[metric];
}

/** The measures of `over`, and where it has none, those of `under`. */
export function layered(over: Measures, under: Measures): Measures {
  return (metric) => valueOf(over, metric) ?? valueOf(under, metric);
}

/** What a change leaves as it is: `changes` are those that move no row in or out and no creation date. */
export type Touch = 'rows' | 'changes';

interface Stamp {
  rows: number;
  changes: number;
}

export interface DatasetInput {
  readonly projects?: readonly ProjectInput[];
  readonly rules?: readonly Rule[];
  readonly metrics?: readonly Metric[];
}

const LANGUAGES: Readonly<Record<string, string>> = {
  javascript: 'js',
  typescript: 'ts',
  python: 'py',
  csharpsquid: 'cs',
};

export class Dataset {
  projects: Project[] = [];
  readonly rules = new Map<string, Rule>();
  /** The metrics there are; undefined: those of the server's version. */
  metrics: readonly Metric[] | undefined;
  /** Keys of issues that the index still names and the database lost: counted, never shown. */
  readonly lost = new Set<string>();
  readonly #stamps = new WeakMap<Project, Stamp>();
  readonly #all: Stamp = { rows: 0, changes: 0 };
  #byKey: Map<string, Project> | undefined;
  readonly #measures = new WeakMap<Project, { rows: number; changes: number; values: Record<string, string> }>();

  constructor(input: DatasetInput = {}) {
    for (const rule of input.rules ?? []) this.rules.set(rule.key, rule);
    this.metrics = input.metrics;
    for (const project of input.projects ?? []) this.addProject(project);
  }

  addProject(input: ProjectInput): Project {
    const project = newProject(input);
    this.projects.push(project);
    this.touch(project);
    return project;
  }

  project(key: string): Project | undefined {
    if (this.#byKey?.size !== this.projects.length) {
      this.#byKey = new Map(this.projects.map((project) => [project.key, project]));
    }
    const found = this.#byKey.get(key);
    return found?.key === key ? found : undefined;
  }

  /** Says that something changed, so that no answer comes from a stale index. */
  touch(project?: Project, what: Touch = 'rows'): void {
    const stamps = [this.#all];
    for (const one of project ? [project] : this.projects) stamps.push(this.#stampOf(one));
    for (const stamp of stamps) {
      stamp.changes++;
      if (what === 'rows') stamp.rows++;
    }
    if (what === 'rows') this.#byKey = undefined;
  }

  #stampOf(project: Project): Stamp {
    let stamp = this.#stamps.get(project);
    if (!stamp) this.#stamps.set(project, (stamp = { rows: 0, changes: 0 }));
    return stamp;
  }

  /** A number that differs after every change of that kind, of one project or of any. */
  stamp(project: Project | undefined, what: Touch): number {
    const stamp = project ? this.#stampOf(project) : this.#all;
    return what === 'rows' ? stamp.rows : stamp.changes;
  }

  rule(key: string): Rule {
    const known = this.rules.get(key);
    if (known) return known;
    const repository = key.split(':')[0] ?? '';
    const made: Rule = {
      key,
      name: `Rule ${key}`,
      language: repository.startsWith('external_') ? '' : (LANGUAGES[repository] ?? repository),
      type: 'CODE_SMELL',
      severity: 'MAJOR',
      cleanCodeAttribute: 'CONVENTIONAL',
      impacts: [{ softwareQuality: 'MAINTAINABILITY', severity: 'MEDIUM' }],
    };
    this.rules.set(key, made);
    return made;
  }

  issue(key: string, project?: Project): Issue | undefined {
    for (const one of project ? [project] : this.projects) {
      const found = one.issues.find((issue) => issue.key === key);
      if (found) return found;
    }
    return undefined;
  }

  hotspot(key: string): { project: Project; hotspot: Hotspot } | undefined {
    for (const project of this.projects) {
      const hotspot = project.hotspots.find((one) => one.key === key);
      if (hotspot) return { project, hotspot };
    }
    return undefined;
  }

  impactsOf(issue: Issue): readonly Impact[] {
    return issue.more?.impacts ?? this.rule(issue.rule).impacts;
  }

  /** The present measure of a project: counted from its issues and hotspots where it follows from them. */
  measure(project: Project, metric: string): string | undefined {
    if (!isNewCode(metric)) {
      const counted = this.#counted(project);
      if (Object.hasOwn(counted, metric)) return counted[metric];
      if (metric === 'security_hotspots_reviewed') return undefined;
    }
    return valueOf(project.live, metric);
  }

  /** Everything that is counted, for the measures that an analysis keeps. */
  countedMeasures(project: Project): Record<string, string> {
    return { ...this.#counted(project) };
  }

  #counted(project: Project): Record<string, string> {
    const rows = this.stamp(project, 'rows');
    const changes = this.stamp(project, 'changes');
    const known = this.#measures.get(project);
    if (known?.rows === rows && known.changes === changes) return known.values;
    const values = countMeasures(this, project);
    this.#measures.set(project, { rows, changes, values });
    return values;
  }
}

function countMeasures(data: Dataset, project: Project): Record<string, string> {
  const counts = new Map<string, number>();
  for (const key of COUNTED) counts.set(key, 0);
  const add = (key: string, by = 1): void => {
    counts.set(key, (counts.get(key) ?? 0) + by);
  };
  for (const issue of project.issues) {
    if (issue.status === 'CLOSED') continue;
    if (issue.resolution === 'WONTFIX') {
      add('accepted_issues');
      add('wont_fix_issues');
      continue;
    }
    if (issue.resolution === 'FALSE-POSITIVE') add('false_positive_issues');
    if (issue.resolution !== undefined || issue.status === 'IN_SANDBOX') continue;
    add('violations');
    add(VIOLATIONS_OF[issue.severity]);
    add(issue.status === 'OPEN' ? 'open_issues' : issue.status === 'REOPENED' ? 'reopened_issues' : 'confirmed_issues');
    const [kind, effort] = COUNTS_OF[issue.type];
    add(kind);
    add(effort, issue.effort);
    let worst = 0;
    for (const impact of data.impactsOf(issue)) {
      const [quality, remediation] = QUALITY_COUNTS[impact.softwareQuality];
      add(quality);
      add(remediation, issue.effort);
      worst = Math.max(worst, IMPACT_ORDER.indexOf(impact.severity));
    }
    add(IMPACT_COUNTS[worst]!);
  }
  const values: Record<string, string> = {};
  // nothing was measured before the first analysis
  if (project.analyses.length === 0 && project.issues.length === 0 && project.hotspots.length === 0) return values;
  for (const [key, count] of counts) values[key] = String(count);
  let open = 0;
  let reviewed = 0;
  for (const hotspot of project.hotspots) {
    if (hotspot.status === 'TO_REVIEW') open++;
    else if (hotspot.status === 'REVIEWED') reviewed++;
  }
  values['security_hotspots'] = String(open);
  if (open + reviewed > 0) values['security_hotspots_reviewed'] = ((reviewed * 100) / (open + reviewed)).toFixed(1);
  return values;
}

const IMPACT_ORDER: readonly ImpactSeverity[] = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'BLOCKER'];

const IMPACT_COUNTS = IMPACT_ORDER.map((severity) => `software_quality_${severity.toLowerCase()}_issues`);

const VIOLATIONS_OF: Readonly<Record<Severity, string>> = {
  INFO: 'info_violations',
  MINOR: 'minor_violations',
  MAJOR: 'major_violations',
  CRITICAL: 'critical_violations',
  BLOCKER: 'blocker_violations',
};

const COUNTS_OF: Readonly<Record<IssueType, readonly [string, string]>> = {
  CODE_SMELL: ['code_smells', 'sqale_index'],
  BUG: ['bugs', 'reliability_remediation_effort'],
  VULNERABILITY: ['vulnerabilities', 'security_remediation_effort'],
};

const QUALITY_COUNTS: Readonly<Record<Quality, readonly [string, string]>> = {
  MAINTAINABILITY: ['software_quality_maintainability_issues', 'software_quality_maintainability_remediation_effort'],
  RELIABILITY: ['software_quality_reliability_issues', 'software_quality_reliability_remediation_effort'],
  SECURITY: ['software_quality_security_issues', 'software_quality_security_remediation_effort'],
};

const COUNTED = [
  ...['violations', 'bugs', 'vulnerabilities', 'code_smells', 'sqale_index', 'reliability_remediation_effort'],
  ...['security_remediation_effort', 'open_issues', 'reopened_issues', 'confirmed_issues', 'accepted_issues'],
  ...['wont_fix_issues', 'false_positive_issues', 'blocker_violations', 'critical_violations', 'major_violations'],
  ...['minor_violations', 'info_violations'],
  ...['maintainability', 'reliability', 'security', 'blocker', 'high', 'medium', 'low', 'info'].map(
    (word) => `software_quality_${word}_issues`,
  ),
  ...['maintainability', 'reliability', 'security'].map((word) => `software_quality_${word}_remediation_effort`),
];

/** The status of 10.4 and later, from the old status and resolution. */
export function issueStatusOf(issue: Issue): string {
  switch (issue.status) {
    case 'OPEN':
    case 'REOPENED':
      return 'OPEN';
    case 'CONFIRMED':
      return 'CONFIRMED';
    case 'CLOSED':
      return 'FIXED';
    case 'IN_SANDBOX':
      return 'IN_SANDBOX';
    case 'RESOLVED':
      if (issue.resolution === 'FALSE-POSITIVE') return 'FALSE_POSITIVE';
      return issue.resolution === 'WONTFIX' ? 'ACCEPTED' : 'FIXED';
  }
}

/** The directory of a path as the server names it; '/' for files at the top. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '/' : path.slice(0, slash);
}

const CATEGORY_OF: Readonly<Record<string, string>> = {
  FORMATTED: 'CONSISTENT',
  CONVENTIONAL: 'CONSISTENT',
  IDENTIFIABLE: 'CONSISTENT',
  CLEAR: 'INTENTIONAL',
  LOGICAL: 'INTENTIONAL',
  COMPLETE: 'INTENTIONAL',
  EFFICIENT: 'INTENTIONAL',
  FOCUSED: 'ADAPTABLE',
  DISTINCT: 'ADAPTABLE',
  MODULAR: 'ADAPTABLE',
  TESTED: 'ADAPTABLE',
  TRUSTWORTHY: 'RESPONSIBLE',
  LAWFUL: 'RESPONSIBLE',
  RESPECTFUL: 'RESPONSIBLE',
};

export function categoryOf(attribute: string): string {
  return CATEGORY_OF[attribute] ?? 'CONSISTENT';
}

/** The date that projects/search shows: of the last analysis of any branch. */
export function lastAnalysisDate(project: Project): number | undefined {
  const main = project.analyses.at(-1)?.date;
  const other = project.otherBranchAnalysis;
  return other !== undefined && (main === undefined || other > main) ? other : main;
}
