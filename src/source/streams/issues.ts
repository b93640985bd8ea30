import { z } from 'zod';
import type { Emit } from '../../protocol/sync.ts';
import {
  boolean,
  defineStream,
  integer,
  json,
  reference,
  required,
  tagSet,
  text,
  timestamp,
} from '../../protocol/stream.ts';
import { ask, page } from '../ask.ts';
import type { Reply, SonarClient } from '../client.ts';
import type { Answer, Query, SearchRow } from '../enumerate.ts';
import { parseDate } from '../window.ts';

export const issue = z.object({
  key: z.string(),
  component: z.string(),
  project: z.string(),
  rule: z.string(),
  severity: z.string().optional(),
  type: z.string().optional(),
  status: z.string(),
  resolution: z.string().optional(),
  issueStatus: z.string().optional(),
  effort: z.string().optional(),
  debt: z.string().optional(),
  message: z.string().optional(),
  line: z.number().optional(),
  hash: z.string().optional(),
  textRange: z.record(z.string(), z.number()).optional(),
  assignee: z.string().optional(),
  author: z.string().optional(),
  tags: z.array(z.string()).optional(),
  scope: z.string().optional(),
  quickFixAvailable: z.boolean().optional(),
  cleanCodeAttribute: z.string().optional(),
  cleanCodeAttributeCategory: z.string().optional(),
  impacts: z.array(z.object({ softwareQuality: z.string(), severity: z.string() })).optional(),
  ruleDescriptionContextKey: z.string().optional(),
  creationDate: z.string(),
  updateDate: z.string(),
  closeDate: z.string().optional(),
});
export type Issue = z.infer<typeof issue>;

/** `paging.total` is exact above 10,000 too; `components` names the path of every file on the page. */
export const answer = z.object({
  paging: z.object({ total: z.number() }),
  issues: z.array(issue),
  components: z.array(z.object({ key: z.string(), path: z.string().optional() })).default([]),
  facets: z
    .array(z.object({ property: z.string(), values: z.array(z.object({ val: z.string(), count: z.number() })) }))
    .default([]),
});

const impact = (quality: 'MAINTAINABILITY' | 'RELIABILITY' | 'SECURITY') => (i: Issue) =>
  i.impacts?.find((one) => one.softwareQuality === quality)?.severity;

/**
 * 10.0 to 10.3 send no issueStatus; this is the mapping of `IssueStatus.of` in the later servers, so that a query on
 * issue_status means the same on every version.
 */
export function issueStatus(i: Pick<Issue, 'status' | 'resolution' | 'issueStatus'>): string {
  if (i.issueStatus !== undefined) return i.issueStatus;
  if (i.status === 'CLOSED') return 'FIXED';
  if (i.status === 'RESOLVED') {
    if (i.resolution === 'FALSE-POSITIVE') return 'FALSE_POSITIVE';
    return i.resolution === 'WONTFIX' ? 'ACCEPTED' : 'FIXED';
  }
  return i.status === 'REOPENED' ? 'OPEN' : i.status;
}

export const issues = defineStream<Issue>({
  name: 'issues',
  table: 'sonarqube_issues',
  description: 'Every issue of the main branch of every project: open, resolved and closed.',
  endpoint: 'issues/search',
  key: ['connection_id', 'source_key'],
  columns: {
    source_key: required(
      text('Issue key, unique on its server; a fixed issue that comes back gets a new one.', (i) => i.key),
    ),
    component: text('Key of the file or folder the issue is in.', (i) => i.component),
    rule: text('Rule that raised it, as repository:key.', (i) => i.rule),
    severity: text('BLOCKER, CRITICAL, MAJOR, MINOR or INFO.', (i) => i.severity),
    project_id: reference('projects', 'The project the issue belongs to.', (i) => i.project),
    effort: text('Time to fix in SonarQube text such as 1h30min; a day has 8 hours.', (i) => i.effort),
    debt: text('The same as effort, kept for older queries.', (i) => i.debt),
    status: text(
      'OPEN, CONFIRMED, REOPENED, RESOLVED or CLOSED; deprecated by SonarQube, see issue_status.',
      (i) => i.status,
    ),
    issue_status: text('OPEN, CONFIRMED, ACCEPTED, FALSE_POSITIVE, FIXED or IN_SANDBOX.', issueStatus),
    issue_type: text('CODE_SMELL, BUG or VULNERABILITY.', (i) => i.type),
    clean_code_attribute_category: text(
      'ADAPTABLE, CONSISTENT, INTENTIONAL or RESPONSIBLE; 10.2 and later.',
      (i) => i.cleanCodeAttributeCategory,
    ),
    clean_code_attribute: text('For example CLEAR or TRUSTWORTHY; 10.2 and later.', (i) => i.cleanCodeAttribute),
    created_at: timestamp(
      'Date of the line that raised it (from blame) or of the first analysis that saw it.',
      (i) => i.creationDate,
    ),
    updated_at: timestamp(
      'Last change by a person or an analysis; a line that merely moved does not change it.',
      (i) => i.updateDate,
    ),
    synced_at: { ...timestamp('When this row was last written here.', () => null), writer: 'managed' },
    resolution: text('FIXED, REMOVED, WONTFIX or FALSE-POSITIVE; empty while unresolved.', (i) => i.resolution),
    close_date: timestamp('When an analysis closed it.', (i) => i.closeDate),
    message: text('What the rule says about this place.', (i) => i.message),
    line: integer('Line in the file; empty for closed, file and project level issues.', (i) => i.line),
    hash: text('Fingerprint of the line, which the server follows when the line moves.', (i) => i.hash),
    text_range: json('Start and end as {startLine, endLine, startOffset, endOffset}.', (i) => i.textRange),
    assignee: text('Login of the person it is assigned to.', (i) => i.assignee),
    author: text('Author of the line, from the version control system.', (i) => i.author),
    scope: text('MAIN or TEST.', (i) => i.scope),
    quick_fix_available: boolean('Can an IDE fix it?', (i) => i.quickFixAvailable),
    impact_maintainability: text(
      'Severity of its impact on maintainability; 10.2 and later.',
      impact('MAINTAINABILITY'),
    ),
    impact_reliability: text('Severity of its impact on reliability; 10.2 and later.', impact('RELIABILITY')),
    impact_security: text('Severity of its impact on security; 10.2 and later.', impact('SECURITY')),
    tag_set_id: tagSet('Its tags, as a set; read sonarqube_issue_tags instead.', (i) => i.tags ?? []),
    rule_description_context_key: text(
      'Which variant of the rule description applies.',
      (i) => i.ruleDescriptionContextKey,
    ),
  },
  indexes: ['(project_id, deleted_at)', '(issue_status, issue_type, severity)', '(updated_at)'],
  events: ['issue_status', 'resolution', 'severity', 'assignee', 'issue_type'],
  closedWhen: "status = 'CLOSED'",
  whenGone: {
    status: "'CLOSED'",
    resolution: "coalesce(resolution, 'REMOVED')",
    issue_status: "'FIXED'",
    close_date: 'coalesce(close_date, $GONE_AT)',
  },
});

/** An issue as the enumeration sees it, and the answer it came with. */
export interface IssueRow extends SearchRow {
  readonly updated: string;
  readonly answered: Reply;
  /** Gives the issue away, once: what is handed on must not be held here as well. */
  take(): Issue;
}

class Row implements IssueRow {
  readonly key: string;
  readonly project: string;
  readonly created: number;
  readonly answered: Reply;
  readonly #path: string | undefined;
  #issue: Issue | null;
  #values: SearchRow['values'] | undefined;

  constructor(issue: Issue, path: string | undefined, answered: Reply) {
    this.key = issue.key;
    this.project = issue.project;
    this.created = parseDate(issue.creationDate);
    this.answered = answered;
    this.#path = path;
    this.#issue = issue;
  }

  get updated(): string {
    return this.#held.updateDate;
  }

  /** Only asked for where more issues than a window holds share a second. */
  get values(): SearchRow['values'] {
    return (this.#values ??= facetValues(this.#held, this.#path));
  }

  take(): Issue {
    const issue = this.#held;
    this.#values ??= facetValues(issue, this.#path);
    this.#issue = null;
    return issue;
  }

  get #held(): Issue {
    if (!this.#issue) throw new Error(`issue ${this.key} has been handed on`);
    return this.#issue;
  }
}

/** One page of `issues/search`. `componentKeys`, because 10.0 ignores `components` and answers with the whole instance. */
export async function searchIssues(client: SonarClient, query: Query): Promise<Answer<IssueRow>> {
  const params = {
    ...query.filter,
    s: query.sort,
    asc: query.ascending,
    p: query.page,
    ps: query.pageSize,
    facets: query.facets,
    additionalFields: 'ruleDescriptionContextKey',
  };
  return ask(client, 'issues/search', params, answer, (body, reply) => {
    const paths = new Map(body.components.map((component) => [component.key, component.path]));
    return {
      total: body.paging.total,
      facets: new Map(
        body.facets.map((facet) => [facet.property, new Map(facet.values.map(({ val, count }) => [val, count]))]),
      ),
      rows: body.issues.map((i) => new Row(i, paths.get(i.component), reply)),
    };
  });
}

/** An issue's own value of each dimension that `issues/search` can count and filter by. */
function facetValues(i: Issue, path: string | undefined): SearchRow['values'] {
  const slash = path?.lastIndexOf('/') ?? -1;
  return {
    projects: i.project,
    severities: i.severity ?? '',
    types: i.type ?? '',
    statuses: i.status,
    resolutions: i.resolution ?? '',
    scopes: i.scope ?? '',
    assignees: i.assignee ?? '',
    rules: i.rule,
    files: path ?? '',
    directories: path === undefined ? '' : slash === -1 ? '/' : path.slice(0, slash),
  };
}

/** Hands rows on as pages; rows of one answer stay together. Nothing here holds them while they wait. */
export async function emitIssues(rows: readonly IssueRow[], emit: Emit): Promise<void> {
  await Promise.all(emitted(rows, emit));
}

function emitted(rows: readonly IssueRow[], emit: Emit): Promise<void>[] {
  const pages = Map.groupBy(rows, ({ answered }) => answered);
  return [...pages].map(([answered, own]) =>
    emit(
      page(
        'issues',
        own.map((row) => row.take()),
        answered,
      ),
    ),
  );
}
