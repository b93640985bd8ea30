/** Rows as the server writes them: order of fields, versions, escapes. */
import { categoryOf, issueStatusOf } from './dataset.ts';
import type { Dataset, Hotspot, Impact, Issue, Project } from './dataset.ts';
import { identifier } from './metrics.ts';
import { attributeOf, shownSeverity } from './query.ts';
import { effortText } from './time.ts';
import type { DateWriter } from './time.ts';
import type { Features } from './versions.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '=': '\\u003d',
  "'": '\\u0027',
};

/** JSON that is safe inside HTML: none of these characters is part of JSON itself. */
export function escapeJson(json: string): string {
  return json.replace(/[<>&=']/g, (character) => ESCAPES[character] ?? character);
}

/** Any value as the server writes it. */
export function json(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

const known = new Map<string, string>();

/** A text as JSON. Most texts of a page were on the page before, so they are kept a while. */
export function quote(text: string): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  const quoted = escapeJson(JSON.stringify(text));
  if (known.size > 100_000) known.clear();
  known.set(text, quoted);
  return quoted;
}

export interface ExtraFields {
  readonly transitions: boolean;
  readonly actions: boolean;
  readonly comments: boolean;
  readonly ruleDescriptionContextKey: boolean;
}

function textRange(key: string, line: number): string {
  // from the key and not from the line: it stays what it is when the line moves
  const start = key.charCodeAt(0) % 24;
  const end = start + 5 + ((key.charCodeAt(1) * 7) % 40);
  return `"textRange":{"startLine":${line},"endLine":${line},"startOffset":${start},"endOffset":${end}},`;
}

/** 32 hexadecimal digits that belong to the issue. */
function hashOf(key: string): string {
  if (key.length === 36) {
    return key.slice(0, 8) + key.slice(9, 13) + key.slice(14, 18) + key.slice(19, 23) + key.slice(24);
  }
  return identifier(key).replaceAll('-', '');
}

const NONE: readonly string[] = [];
const LATE = ',"fromSonarQubeUpdate":false,"internalTags":[],"linkedTicketStatus":"NOT_LINKED"}';
const lists = new WeakMap<readonly string[], string>();

/** Lists of texts are shared by many issues, and replaced, not changed. */
function list(texts: readonly string[]): string {
  const before = lists.get(texts);
  if (before !== undefined) return before;
  const made = json(texts);
  lists.set(texts, made);
  return made;
}

function transitions(issue: Issue): string {
  if (issue.status === 'CLOSED') return '[]';
  return issue.status === 'RESOLVED' ? '["reopen"]' : '["falsepositive","accept","confirm","resolve"]';
}

export class Renderer {
  readonly #data: Dataset;
  readonly #features: Features;
  readonly #dates: DateWriter;
  readonly #rules = new Map<
    string,
    { impacts: readonly Impact[]; attribute: string; engine: string; meaning: string }
  >();

  constructor(data: Dataset, features: Features, dates: DateWriter) {
    this.#data = data;
    this.#features = features;
    this.#dates = dates;
  }

  date(date: number): string {
    return this.#dates.write(date);
  }

  issue(issue: Issue, extra: ExtraFields): string {
    const features = this.#features;
    const { project, path, more, line } = issue;
    const projectKey = quote(project.key);
    // the key of a file is the project's key and the path: one text inside one pair of quotes
    const component = path === undefined ? projectKey : `${projectKey.slice(0, -1)}:${quote(path).slice(1)}`;
    const effort = effortText(issue.effort);
    const rest = this.#ofRule(issue);
    let where = '';
    if (line !== undefined) {
      if (issue.status !== 'CLOSED') where = `"line":${line},`;
      where += `"hash":"${hashOf(issue.key)}",${textRange(issue.key, line)}`;
    }
    let people = '';
    if (issue.assignee !== undefined) people = `"assignee":${quote(issue.assignee)},`;
    let optional = '';
    if (extra.transitions) optional += `"transitions":${transitions(issue)},`;
    if (extra.actions) optional += `"actions":["set_tags","comment","assign"],`;
    if (extra.comments) optional += `"comments":${this.#comments(issue)},`;
    const resolution = issue.resolution === undefined ? '' : `"resolution":"${issue.resolution}",`;
    const closed = issue.closed === undefined ? '' : `"closeDate":"${this.date(issue.closed)}",`;
    let context = '';
    if (extra.ruleDescriptionContextKey && more?.ruleDescriptionContextKey !== undefined) {
      context = `"ruleDescriptionContextKey":${quote(more.ruleDescriptionContextKey)},`;
    }
    let text =
      `{"key":"${issue.key}","rule":${quote(issue.rule)},"severity":"${issue.severity}","component":${component},` +
      `"project":${projectKey},${where}"flows":${more?.flows ? json(more.flows) : '[]'},${resolution}` +
      `"status":"${issue.status}","message":${quote(issue.message)},"effort":"${effort}","debt":"${effort}",` +
      `${people}"author":${quote(issue.author)},"tags":${list(issue.tags)},${optional}` +
      `"creationDate":"${this.date(issue.created)}","updateDate":"${this.date(issue.updated)}",${closed}` +
      `"type":"${issue.type}",${rest.engine}"scope":"${issue.scope}",` +
      `"quickFixAvailable":${more?.quickFixAvailable ?? false},${context}` +
      `"messageFormattings":${more?.messageFormattings ? json(more.messageFormattings) : '[]'}`;
    if (features.codeVariants) text += `,"codeVariants":${list(more?.codeVariants ?? NONE)}`;
    text += rest.meaning;
    if (features.issueStatus) text += `,"issueStatus":"${issueStatusOf(issue)}"`;
    if (features.prioritizedRule) text += `,"prioritizedRule":${more?.prioritizedRule ?? false}`;
    if (features.lateFields) {
      if (!more) return text + LATE;
      text +=
        `,"fromSonarQubeUpdate":${more.fromSonarQubeUpdate ?? false},` +
        `"internalTags":${list(more.internalTags ?? NONE)},` +
        `"linkedTicketStatus":${quote(more.linkedTicketStatus ?? 'NOT_LINKED')}`;
    }
    return text + '}';
  }

  /** What an issue has from its rule, unless it has its own. */
  #ofRule(issue: Issue): { engine: string; meaning: string } {
    const impacts = this.#data.impactsOf(issue);
    const attribute = attributeOf(this.#data, issue);
    const before = this.#rules.get(issue.rule);
    if (before?.impacts === impacts && before.attribute === attribute) return before;
    const external = issue.rule.startsWith('external_');
    const engine = external ? issue.rule.slice('external_'.length).split(':')[0] : undefined;
    const shown = impacts.map(({ softwareQuality, severity }) => ({
      softwareQuality,
      severity: shownSeverity(severity, this.#features),
    }));
    const made = {
      impacts,
      attribute,
      engine: engine === undefined ? '' : `"externalRuleEngine":${quote(engine)},`,
      meaning: this.#features.cleanCode
        ? `,"cleanCodeAttribute":"${attribute}","cleanCodeAttributeCategory":"${categoryOf(attribute)}",` +
          `"impacts":${json(shown)}`
        : '',
    };
    this.#rules.set(issue.rule, made);
    return made;
  }

  #comments(issue: Issue): string {
    return json(
      (issue.more?.comments ?? []).map((comment) => ({
        key: comment.key,
        login: comment.login,
        htmlText: comment.markdown,
        markdown: comment.markdown,
        updatable: true,
        createdAt: this.date(comment.createdAt),
      })),
    );
  }

  /** The files and projects that the rows of a page name. */
  components(
    rows: readonly { project: Project; path: string | undefined; scope?: string }[],
    enabled: boolean,
  ): string {
    const files = new Map<string, string>();
    const projects = new Set<Project>();
    for (const { project, path, scope } of rows) {
      projects.add(project);
      if (path === undefined) continue;
      const key = `${project.key}:${path}`;
      if (files.has(key)) continue;
      const there = enabled ? `"enabled":${!project.deletedFiles?.has(path)},` : '';
      const name = path.slice(path.lastIndexOf('/') + 1);
      files.set(
        key,
        `{"key":${quote(key)},${there}"qualifier":"${scope === 'TEST' ? 'UTS' : 'FIL'}","name":${quote(name)},` +
          `"longName":${quote(path)},"path":${quote(path)}}`,
      );
    }
    const there = enabled ? '"enabled":true,' : '';
    const heads = [...projects].map(
      (project) =>
        `{"key":${quote(project.key)},${there}"qualifier":"TRK","name":${quote(project.name)},` +
        `"longName":${quote(project.name)}}`,
    );
    return `[${[...files.values(), ...heads].join(',')}]`;
  }

  hotspot(project: Project, hotspot: Hotspot): string {
    let text =
      `{"key":"${hotspot.key}","component":${quote(`${project.key}:${hotspot.path}`)},"project":${quote(project.key)},` +
      `"securityCategory":"${hotspot.category}","vulnerabilityProbability":"${hotspot.probability}",` +
      `"status":"${hotspot.status}",`;
    if (hotspot.resolution !== undefined) text += `"resolution":"${hotspot.resolution}",`;
    if (hotspot.line !== undefined) text += `"line":${hotspot.line},`;
    text += `"message":${quote(hotspot.message)},`;
    if (hotspot.assignee !== undefined) text += `"assignee":${quote(hotspot.assignee)},`;
    text +=
      `"author":${quote(hotspot.author)},"creationDate":"${this.date(hotspot.created)}",` +
      `"updateDate":"${this.date(hotspot.updated)}",${hotspot.line === undefined ? '' : textRange(hotspot.key, hotspot.line)}"flows":[],"ruleKey":${quote(hotspot.rule)},` +
      `"messageFormattings":[]`;
    return text + '}';
  }
}
