import { z } from 'zod';
import type { Emit, Tally } from '../../protocol/sync.ts';
import { defineStream, integer, json, managed, reference, required, text, timestamp } from '../../protocol/stream.ts';
import { ask, page } from '../ask.ts';
import type { Params, SonarClient } from '../client.ts';
import { readListing, type Listing } from '../listing.ts';
import { PAGE_SIZE, WINDOW } from '../window.ts';

export const hotspot = z.object({
  key: z.string(),
  component: z.string(),
  project: z.string(),
  securityCategory: z.string().optional(),
  vulnerabilityProbability: z.string().optional(),
  status: z.string(),
  resolution: z.string().optional(),
  line: z.number().optional(),
  message: z.string().optional(),
  assignee: z.string().optional(),
  author: z.string().optional(),
  creationDate: z.string(),
  updateDate: z.string(),
  textRange: z.record(z.string(), z.number()).optional(),
  ruleKey: z.string().optional(),
});
export type Hotspot = z.infer<typeof hotspot>;

/** Fixed order, no dates, no facets; closed hotspots are never returned. */
export const answer = z.object({
  paging: z.object({ total: z.number() }),
  hotspots: z.array(hotspot),
  components: z.array(z.object({ key: z.string(), path: z.string().optional() })).default([]),
});

export const hotspots = defineStream<Hotspot>({
  name: 'hotspots',
  table: 'sonarqube_security_hotspots',
  description:
    'Every security hotspot of every project, to review and reviewed. SonarQube 2026.4 and later has none: they became issues.',
  endpoint: 'hotspots/search',
  key: ['connection_id', 'source_key'],
  columns: {
    source_key: required(text('Hotspot key; it stays when the server turns the hotspot into an issue.', (h) => h.key)),
    component: text('Key of the file the hotspot is in.', (h) => h.component),
    project_id: reference('projects', 'The project the hotspot belongs to.', (h) => h.project),
    security_category: text("SonarSource's category, for example sql-injection.", (h) => h.securityCategory),
    vulnerability_probability: text('HIGH, MEDIUM or LOW.', (h) => h.vulnerabilityProbability),
    status: text('TO_REVIEW or REVIEWED.', (h) => h.status),
    rule_key: text('Rule that raised it, as repository:key.', (h) => h.ruleKey),
    created_at: timestamp('Date of the line or of the first analysis that saw it.', (h) => h.creationDate),
    updated_at: timestamp('Last change by a person or an analysis.', (h) => h.updateDate),
    deleted_at: managed('timestamptz', 'When it was no longer reachable through the API; empty while it is.'),
    resolution: text('FIXED, SAFE or ACKNOWLEDGED once reviewed.', (h) => h.resolution),
    line: integer('Line in the file.', (h) => h.line),
    message: text('What the rule says about this place.', (h) => h.message),
    assignee: text('Login of the reviewer.', (h) => h.assignee),
    author: text('Author of the line, from the version control system.', (h) => h.author),
    text_range: json('Start and end as {startLine, endLine, startOffset, endOffset}.', (h) => h.textRange),
  },
  indexes: ['(project_id)'],
});

/** How hotspots can be split: by what was decided first, then by category, of which every hotspot has exactly one. */
const DECISIONS: readonly Params[] = [
  { status: 'TO_REVIEW' },
  ...['SAFE', 'FIXED', 'ACKNOWLEDGED'].map((resolution) => ({ status: 'REVIEWED', resolution })),
];
const CATEGORIES: readonly Params[] = (
  'buffer-overflow permission sql-injection command-injection path-traversal-injection ldap-injection xpath-injection ' +
  'rce dos ssrf csrf xss log-injection http-response-splitting open-redirect xxe object-injection weak-cryptography ' +
  'auth insecure-conf file-manipulation encrypt-data traceability others'
)
  .split(' ')
  .map((category) => ({ sonarsourceSecurity: category }));

/** Reads every hotspot of a project. More than 10,000 are split by decision, then by category. */
export async function readHotspots(
  client: SonarClient,
  project: string,
  emit: Emit,
): Promise<Omit<Tally, 'project' | 'stream'>> {
  const whole = await readPart(client, { projectKey: project }, [DECISIONS, CATEGORIES], emit);
  await emit({ type: 'size', stream: 'hotspots', rows: whole.totalAfter });
  return {
    totalBefore: whole.totalBefore,
    totalAfter: whole.totalAfter,
    seen: whole.keys.size,
    holes: whole.holes,
    keys: whole.keys,
    readable: true, // without Browse the endpoint answers 403
    ...(whole.unreached > 0 && {
      problem: {
        state: 'short' as const,
        reason: `${whole.unreached} hotspots of one category and decision lie beyond the server's 10,000 results`,
      },
    }),
  };
}

type Part = Listing & { readonly unreached: number };

async function readPart(
  client: SonarClient,
  filter: Params,
  splits: readonly (readonly Params[])[],
  emit: Emit,
): Promise<Part> {
  let beyond = 0;
  const listing = await readListing<Hotspot>({
    pageSize: PAGE_SIZE,
    identity: (h) => h.key,
    fetch: async (p) => {
      const params = { ...filter, p, ps: PAGE_SIZE };
      return ask(client, 'hotspots/search', params, answer, ({ paging, hotspots }, reply) => {
        beyond = Math.max(0, paging.total - WINDOW);
        return { total: Math.min(paging.total, WINDOW), records: hotspots, reply };
      });
    },
    emit: ({ records, reply }) => emit(page('hotspots', records, reply)),
  });
  if (beyond === 0) return { ...listing, unreached: 0 };
  const total = listing.totalAfter + beyond;
  const keys = new Set(listing.keys);
  const [split, ...rest] = splits;
  for (const value of split ?? []) {
    for (const key of (await readPart(client, { ...filter, ...value }, rest, emit)).keys) keys.add(key);
    if (keys.size >= total) break;
  }
  return { totalBefore: total, totalAfter: total, keys, holes: 0, unreached: Math.max(0, total - keys.size) };
}
