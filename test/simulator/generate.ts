/** Data sets of any size, the same for the same seed. */
import { Dataset, layered, newHotspot } from './dataset.ts';
import type { Analysis, Impact, Issue, IssueStatus, Measures, Project, Resolution, Rule, Severity } from './dataset.ts';
import { makeMetric, metricsOf } from './metrics.ts';
import type { Metric } from './metrics.ts';
import { featuresOf } from './versions.ts';
import type { Version } from './versions.ts';

export interface GenerateOptions {
  readonly seed?: number;
  readonly projects?: number;
  /** For each project, or by its number. */
  readonly issuesPerProject?: number | ((project: number) => number);
  readonly hotspots?: number | ((project: number) => number);
  readonly analyses?: number | ((project: number) => number);
  /** How many metrics there are, or which; unless told, those of the server's version. */
  readonly metrics?: number | readonly Metric[];
  /** Every issue has this one creation date; `true` is a date of its own choice. */
  readonly oneSecond?: boolean | number;
  readonly rules?: number;
  readonly filesPerProject?: number;
  readonly directoriesPerProject?: number;
  /** Parts of 1. */
  readonly closed?: number;
  readonly resolved?: number;
  readonly assigned?: number;
  /** First and last analysis; issues are created between them. Seconds. */
  readonly from?: number;
  readonly to?: number;
  /** As the server makes them since 10.x, or the 20 characters of older ones. */
  readonly keys?: 'uuid' | 'short';
  readonly projectKey?: (project: number) => string;
  /** Projects that were never analysed, after the others. */
  readonly neverAnalysed?: number;
  /** Only for the number of metrics. */
  readonly version?: Version;
}

/** A small fast random number generator (sfc32); 32 bits at a time. */
class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) | 0;
    this.#c = 0x2545f491;
    for (let i = 0; i < 12; i++) this.next();
  }

  next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return t >>> 0;
  }

  below(limit: number): number {
    return Math.floor((this.next() / 4_294_967_296) * limit);
  }

  chance(part: number): boolean {
    return this.next() / 4_294_967_296 < part;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const HEX = Buffer.from('0123456789abcdef');
const BASE64 = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_');
const room = Buffer.alloc(36, '-');

/** Made in a buffer, so that each is one flat string and not a rope of pieces. */
function uuid(random: Random): string {
  let bits = 0;
  let left = 0;
  for (let i = 0; i < 36; i++) {
    if (i === 8 || i === 13 || i === 18 || i === 23) continue;
    if (left === 0) {
      bits = random.next();
      left = 8;
    }
    room[i] = HEX[bits & 15]!;
    bits >>>= 4;
    left--;
  }
  room[14] = 0x34;
  return room.toString('latin1', 0, 36);
}

function shortKey(random: Random): string {
  for (let i = 0; i < 20; i++) room[i] = BASE64[random.next() & 63]!;
  room[0] = 0x41;
  room[1] = 0x59;
  const key = room.toString('latin1', 0, 20);
  room.fill('-');
  return key;
}

const LANGUAGES = [
  ['java', 'java', 'java'],
  ['python', 'py', 'py'],
  ['javascript', 'js', 'js'],
  ['typescript', 'ts', 'ts'],
  ['csharpsquid', 'cs', 'cs'],
  ['go', 'go', 'go'],
] as const;

const ATTRIBUTES = ['CONVENTIONAL', 'CLEAR', 'LOGICAL', 'FOCUSED', 'TRUSTWORTHY', 'IDENTIFIABLE', 'COMPLETE'];
const TEXTS = [
  'Refactor this method to reduce its Cognitive Complexity from 23 to the 15 allowed.',
  'Define a constant instead of duplicating this literal "application/json" 4 times.',
  "Remove this unused private field 'counter' & its <setter>.",
  'Complete the task associated to this TODO comment.',
  'Use a `try-with-resources` or close this "InputStream" in a "finally" clause.',
  "Rename this local variable to match the regular expression '^[a-z][a-zA-Z0-9]*$'.",
  'Make sure that command line arguments are used safely here; naïve quoting ≠ safety 🙂.',
  'Replace this if-then-else statement by a single return statement.',
];
const TAGS: readonly (readonly string[])[] = [
  [],
  ['convention'],
  ['brain-overload'],
  ['cwe', 'error-handling'],
  ['unused'],
  ['design', 'convention', 'pitfall'],
  ['performance'],
  ['bad-practice', 'confusing'],
];
const SEVERITY_MIX: readonly Severity[] = [
  ...(['MAJOR', 'MAJOR', 'MAJOR', 'MINOR', 'MINOR', 'CRITICAL', 'CRITICAL', 'INFO', 'BLOCKER'] as const),
];
const CATEGORIES = [
  'dos',
  'sql-injection',
  'weak-cryptography',
  'auth',
  'csrf',
  'permission',
  'others',
  'encrypt-data',
];
const EFFORTS = [1, 2, 5, 5, 10, 15, 20, 30, 60, 90, 480, 0];

function makeRules(count: number, random: Random): Rule[] {
  const rules: Rule[] = [];
  for (let i = 0; i < count; i++) {
    const [repository, language] = LANGUAGES[i % LANGUAGES.length]!;
    const kind = i % 10;
    const type = kind === 3 || kind === 7 ? 'BUG' : kind === 9 ? 'VULNERABILITY' : 'CODE_SMELL';
    const severity = random.pick(SEVERITY_MIX);
    const quality = type === 'BUG' ? 'RELIABILITY' : type === 'VULNERABILITY' ? 'SECURITY' : 'MAINTAINABILITY';
    const impactSeverity = (
      { INFO: 'INFO', MINOR: 'LOW', MAJOR: 'MEDIUM', CRITICAL: 'HIGH', BLOCKER: 'BLOCKER' } as const
    )[severity];
    const impacts: Impact[] = [{ softwareQuality: quality, severity: impactSeverity }];
    if (i % 7 === 6 && quality !== 'RELIABILITY') impacts.push({ softwareQuality: 'RELIABILITY', severity: 'LOW' });
    rules.push({
      key: `${repository}:S${1000 + i * 7}`,
      name: TEXTS[i % TEXTS.length]!,
      language,
      type,
      severity,
      cleanCodeAttribute: ATTRIBUTES[i % ATTRIBUTES.length]!,
      impacts,
    });
  }
  return rules;
}

function mix(text: string, number: number): number {
  let hash = 0x811c9dc5 ^ number;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}

/** Values of one analysis, made when they are asked for: nothing is stored for millions of points. */
function measuresAt(
  metrics: ReadonlyMap<string, Metric>,
  seed: number,
  age: number,
  size: number,
  hotspots: boolean,
): Measures {
  return (key) => {
    if (key === 'security_hotspots_reviewed' && !hotspots) return undefined;
    const metric = metrics.get(key);
    if (!metric || metric.hidden) return undefined;
    const fixed = mix(key, seed);
    // a tenth of the metrics mean nothing to a project: no tests, no public API
    if (fixed % 10 === 9 && !ALWAYS.has(key)) return undefined;
    const wave = mix(key, seed ^ Math.imul(age + 1, 0x9e3779b1));
    switch (metric.type) {
      case 'INT':
      case 'WORK_DUR':
        return String(Math.floor((fixed % (size + 7)) * (1 - age / 400)) + (wave % 5));
      case 'PERCENT':
      case 'FLOAT':
        return ((fixed % 900) / 10 + (wave % 100) / 10).toFixed(1);
      case 'RATING':
        return `${(wave % 5) + 1}.0`;
      case 'LEVEL':
        return wave % 3 === 0 ? 'ERROR' : 'OK';
      case 'BOOL':
        return wave % 2 === 0 ? 'true' : 'false';
      case 'MILLISEC':
        return String(1000 + (wave % 100_000));
      case 'STRING':
        return String(size * 30);
      case 'DATA':
        return key === 'ncloc_language_distribution'
          ? `java=${size + (wave % 9)};js=${fixed % 1000}`
          : `{"INFO":0,"LOW":${wave % 9},"MEDIUM":${fixed % 9},"HIGH":1,"BLOCKER":0,"total":${(wave % 9) + (fixed % 9) + 1}}`;
    }
  };
}

const ALWAYS = new Set(['ncloc', 'lines', 'coverage', 'duplicated_lines_density', 'alert_status', 'sqale_rating']);

function chooseMetrics(options: GenerateOptions): { list: readonly Metric[]; fixed: boolean } {
  const all = metricsOf(featuresOf(options.version ?? '26.9').number);
  const { metrics } = options;
  if (metrics === undefined) return { list: all, fixed: false };
  if (typeof metrics !== 'number') return { list: metrics, fixed: true };
  const list = all.slice(0, metrics);
  for (let i = list.length; i < metrics; i++)
    list.push(makeMetric(`custom_metric_${i}|INT|Custom Metric ${i}|Custom|-`));
  return { list, fixed: true };
}

function per(value: number | ((project: number) => number) | undefined, project: number, fallback: number): number {
  return typeof value === 'function' ? value(project) : (value ?? fallback);
}

/** Makes a data set; 1,000,000 issues take about two seconds and 300 MB. */
export function generate(options: GenerateOptions = {}): Dataset {
  const random = new Random(options.seed ?? 1);
  const rules = makeRules(options.rules ?? 40, random);
  const { list, fixed } = chooseMetrics(options);
  const data = new Dataset({ rules, ...(fixed ? { metrics: list } : {}) });
  // whatever the version of the server, a metric that it adds later has values too
  const known = new Map(metricsOf(Infinity).map((metric) => [metric.key, metric]));
  for (const metric of metricsOf(0)) known.set(metric.key, metric);
  for (const metric of list) known.set(metric.key, metric);
  const projects = options.projects ?? 3;
  for (let i = 0; i < projects; i++) makeProject(data, options, i, rules, known, random);
  for (let i = 0; i < (options.neverAnalysed ?? 0); i++) {
    data.addProject({ key: `never-analysed-${i}`, name: `Never analysed ${i}` });
  }
  data.touch();
  return data;
}

function makeProject(
  data: Dataset,
  options: GenerateOptions,
  number: number,
  rules: readonly Rule[],
  metrics: ReadonlyMap<string, Metric>,
  random: Random,
): void {
  const key = options.projectKey?.(number) ?? `org.example:project-${number}`;
  const count = per(options.issuesPerProject, number, 100);
  const from = options.from ?? 1_577_872_800;
  const to = options.to ?? 1_760_000_000;
  const analysisCount = Math.max(1, per(options.analyses, number, 5));
  const dates: number[] = [];
  for (let i = 0; i < analysisCount; i++) {
    dates.push(analysisCount === 1 ? to : Math.floor(from + ((to - from) * i) / (analysisCount - 1)));
  }
  const period = dates.length > 1 ? { mode: 'PREVIOUS_VERSION', date: dates.at(-2)!, parameter: '1.0' } : undefined;
  const project = data.addProject({
    key,
    name: `Project ${number}`,
    visibility: number % 5 === 4 ? 'private' : 'public',
    uuid: uuid(random),
    period,
  });
  addIssues(project, options, count, dates, rules, random);
  addHotspots(project, options, number, dates, rules, random);
  const seed = random.next();
  const size = count * 10 + 100;
  project.analyses = dates.map((date, i): Analysis => {
    const measures = measuresAt(metrics, seed, analysisCount - 1 - i, size, project.hotspots.length > 0);
    return { date, revision: mix(key, i).toString(16).padStart(8, '0').repeat(5), measures };
  });
  project.live = project.analyses.at(-1)?.measures ?? {};
  // what the last analysis counted is what is there
  const last = project.analyses.at(-1);
  data.touch(project);
  if (last) {
    project.analyses[project.analyses.length - 1] = {
      ...last,
      measures: layered(data.countedMeasures(project), last.measures),
    };
  }
}

function addIssues(
  project: Project,
  options: GenerateOptions,
  count: number,
  dates: readonly number[],
  rules: readonly Rule[],
  random: Random,
): void {
  const directories = options.directoriesPerProject ?? Math.max(1, Math.min(60, Math.ceil(count / 120)));
  const fileCount = options.filesPerProject ?? Math.max(1, Math.min(4000, Math.ceil(count / 12)));
  const files: string[] = [];
  for (let i = 0; i < fileCount; i++) {
    const [, , suffix] = LANGUAGES[i % LANGUAGES.length]!;
    files.push(flat(`src/main/d${i % directories}/File${i}.${suffix}`));
  }
  const authors = Array.from({ length: 12 }, (_, i) => flat(`developer${i}@example.org`));
  const logins = Array.from({ length: 8 }, (_, i) => flat(`developer${i}`));
  const first = dates[0]!;
  const last = dates.at(-1)!;
  // commits: issues of one commit have its date
  const commits: number[] = [];
  const oldest = first - 900 * 86_400;
  for (let i = 0, n = Math.max(1, Math.ceil(count / 8)); i < n; i++) {
    commits.push(oldest + random.below(last - oldest + 1));
  }
  const second = options.oneSecond === true ? first : options.oneSecond === false ? undefined : options.oneSecond;
  const makeKey = options.keys === 'short' ? shortKey : uuid;
  const closedPart = options.closed ?? 0.12;
  const resolvedPart = options.resolved ?? 0.05;
  const assignedPart = options.assigned ?? 0.3;
  const issues = new Array<Issue>(count);
  for (let i = 0; i < count; i++) {
    const rule = rules[Math.floor(rules.length * (random.next() / 4_294_967_296) ** 1.5)]!;
    const created = second ?? commits[random.below(commits.length)]!;
    const found = second ?? nextAnalysis(dates, created);
    let status: IssueStatus = 'OPEN';
    let resolution: Resolution | undefined;
    let updated = found;
    let closed: number | undefined;
    const fate = random.next() / 4_294_967_296;
    if (fate < closedPart) {
      status = 'CLOSED';
      resolution = 'FIXED';
      closed = updated = Math.max(found, dates[random.below(dates.length)]!);
    } else if (fate < closedPart + resolvedPart) {
      status = 'RESOLVED';
      resolution = random.chance(0.6) ? 'WONTFIX' : 'FALSE-POSITIVE';
      updated = found + random.below(Math.max(1, last - found));
    } else if (fate < closedPart + resolvedPart + 0.04) {
      status = random.chance(0.5) ? 'CONFIRMED' : 'REOPENED';
      updated = found + random.below(Math.max(1, last - found));
    }
    issues[i] = {
      key: makeKey(random),
      project,
      path: files[random.below(fileCount)],
      rule: rule.key,
      severity: rule.severity,
      type: rule.type,
      status,
      resolution,
      line: random.chance(0.98) ? 1 + random.below(900) : undefined,
      message: TEXTS[random.next() & 7]!,
      effort: EFFORTS[random.below(EFFORTS.length)]!,
      assignee: random.chance(assignedPart) ? logins[random.below(logins.length)] : undefined,
      author: random.chance(0.9) ? authors[random.below(authors.length)]! : '',
      tags: TAGS[random.next() & 7]!,
      scope: random.chance(0.93) ? 'MAIN' : 'TEST',
      created,
      updated,
      closed,
      more: undefined,
    };
  }
  project.issues = issues;
}

function nextAnalysis(dates: readonly number[], date: number): number {
  let low = 0;
  let high = dates.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (dates[middle]! < date) low = middle + 1;
    else high = middle;
  }
  return dates[low]!;
}

/** A string of one piece. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function addHotspots(
  project: Project,
  options: GenerateOptions,
  number: number,
  dates: readonly number[],
  rules: readonly Rule[],
  random: Random,
): void {
  const count = per(options.hotspots, number, 4);
  for (let i = 0; i < count; i++) {
    const reviewed = random.chance(0.3);
    project.hotspots.push(
      newHotspot(project, {
        key: options.keys === 'short' ? shortKey(random) : uuid(random),
        path: `src/main/d${i % 7}/Hot${i % 97}.java`,
        rule: random.pick(rules).key,
        category: random.pick(CATEGORIES),
        probability: random.pick(['HIGH', 'MEDIUM', 'LOW'] as const),
        status: reviewed ? 'REVIEWED' : 'TO_REVIEW',
        resolution: reviewed ? random.pick(['FIXED', 'SAFE', 'ACKNOWLEDGED'] as const) : undefined,
        line: 1 + random.below(500),
        author: 'developer1@example.org',
        created: random.pick(dates),
        updated: dates.at(-1)!,
      }),
    );
  }
}
