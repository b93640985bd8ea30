import { z } from 'zod';
import type { Emit, ProjectRef } from '../../protocol/sync.ts';
import { boolean, defineStream, mark, required, text, timestamp } from '../../protocol/stream.ts';
import { ask, noTally, page, projectProblem } from '../ask.ts';
import type { SonarClient } from '../client.ts';
import { begin, readListing, type Begun, type ListPage } from '../listing.ts';
import { PAGE_SIZE, WINDOW } from '../window.ts';

export const project = z.object({
  key: z.string(),
  name: z.string(),
  qualifier: z.string(),
  visibility: z.string().optional(),
  lastAnalysisDate: z.string().optional(),
  revision: z.string().optional(),
  managed: z.boolean().optional(),
  projectUuid: z.string().optional(),
});
export type Project = z.infer<typeof project>;

/** `projects/search` has no 10,000 window and no sort parameter; it is ordered by lower(name). */
export const answer = z.object({
  paging: z.object({ total: z.number() }),
  components: z.array(project),
});

export const projects = defineStream<Project>({
  name: 'projects',
  table: 'sonarqube_projects',
  description: 'Every project the server lists, analysed or not.',
  endpoint: 'projects/search',
  key: ['connection_id', 'source_key'],
  columns: {
    source_key: required(text('Project key, unique on its server.', (p) => p.key)),
    name: required(text('Display name.', (p) => p.name)),
    qualifier: text('Kind of component: TRK is a project.', (p) => p.qualifier),
    visibility: text('public or private.', (p) => p.visibility),
    last_analysis_date: timestamp(
      'Latest analysis over all branches and pull requests; empty when never analysed.',
      (p) => p.lastAnalysisDate,
    ),
    api_accessible: mark(
      'boolean',
      'Can the project still be read with the token? False when it is gone or closed to it.',
    ),
    metrics_synced_to: mark('timestamptz', 'The measure history is imported up to this analysis.'),
    issues_synced_at: mark('timestamptz', 'When issues and hotspots were last confirmed against the server.'),
    metrics_synced_at: mark('timestamptz', 'When measures were last confirmed against the server.'),
    revision: text('Commit of the last analysis of the main branch, where the scanner sent one.', (p) => p.revision),
    managed: boolean('Is the project managed by an external system? SonarQube 10.2 and later.', (p) => p.managed),
    project_uuid: text(
      "The server's own id, which survives a change of key; SonarQube 2025.6 and later.",
      (p) => p.projectUuid,
    ),
  },
  // names are searched and listed in this order; the whole of a long one would not fit into an index
  indexes: ['(connection_id, left(lower(name), 200), id)'],
  whenGone: { api_accessible: 'false' },
});

/** What decides whether a project must be looked at again: different, not later (it can go back when a branch is purged). */
export function fingerprint(p: Project): string {
  return [p.lastAnalysisDate, p.revision, p.name, p.visibility].map((part) => part ?? '').join('|');
}

/** Where the list of projects comes from. */
export interface Listing {
  /** `admin`: `projects/search`; `browse`: what the token may browse. */
  readonly access: 'admin' | 'browse';
  /** With access `browse`: the keys to read, instead of a list. */
  readonly named?: readonly string[];
}

export const ALL_PROJECTS: Listing = { access: 'admin' };

/** The list of projects, whose first page has been asked for. */
export interface BegunProjects {
  /** Resolves when the server has answered as it should. */
  readonly answered: Promise<unknown>;
  /** Reads the list whole, once. */
  readonly read: (emit: Emit) => Promise<readonly ProjectRef[]>;
}

export function beginProjects(client: SonarClient, listing: Listing): BegunProjects {
  if (listing.access === 'admin') {
    const pages = begin((p) => pageOfAll(client, p));
    return { answered: pages.first, read: (emit) => readAll(pages, emit) };
  }
  const { named } = listing;
  if (named) return { answered: Promise.resolve(), read: (emit) => readNamed(client, named, emit) };
  const pages = begin((p) => pageOfBrowsable(client, p));
  return { answered: pages.first, read: (emit) => readBrowsable(pages, emit) };
}

/** `projects/search`: 500 a page, no window. */
async function pageOfAll(client: SonarClient, p: number): Promise<ListPage<Project>> {
  return ask(client, 'projects/search', { p, ps: 500 }, answer, ({ paging, components }, reply) => ({
    total: paging.total,
    records: components,
    reply,
  }));
}

async function readAll(pages: Begun<ListPage<Project>>, emit: Emit): Promise<readonly ProjectRef[]> {
  const found = new Map<string, ProjectRef>();
  const listing = await readListing<Project>({
    pageSize: 500,
    identity: (p) => p.key,
    fetch: pages.page,
    emit: async ({ total, records, reply }) => {
      for (const p of records) {
        found.set(p.key, {
          key: p.key,
          fingerprint: fingerprint(p),
          notes: { lastAnalysisDate: p.lastAnalysisDate ?? null },
        });
      }
      await emit({ type: 'size', stream: 'projects', rows: total });
      await emit(page('projects', records, reply));
    },
  });
  await emit({
    type: 'tally',
    tally: { stream: 'projects', project: null, ...listing, seen: listing.keys.size, readable: false },
  });
  return [...found.values()];
}

/** A project as the endpoints that need no Administer System show it: nothing tells whether it was analysed since. */
const component = z.object({ key: z.string(), name: z.string(), qualifier: z.string() });
const componentsAnswer = z.object({ paging: z.object({ total: z.number() }), components: z.array(component) });
const componentAnswer = z.object({ component });

/** What these two endpoints say of a project; other fields they may send are not checked, and not stored. */
const bare = ({ key, name, qualifier }: z.infer<typeof component>): z.infer<typeof component> => ({
  key,
  name,
  qualifier,
});

/** Without a date every run asks each project anew; the time makes it different from the last one. */
const undated = ({ key }: { key: string }): ProjectRef => ({ key, fingerprint: new Date().toISOString(), notes: {} });

/** A page of `components/search`, of which the first 10,000 are shown; `all` counts them all. */
type BrowsablePage = ListPage<z.infer<typeof component>> & { readonly all: number };

async function pageOfBrowsable(client: SonarClient, p: number): Promise<BrowsablePage> {
  const params = { qualifiers: 'TRK', p, ps: PAGE_SIZE };
  return ask(client, 'components/search', params, componentsAnswer, ({ paging, components }, reply) => ({
    total: Math.min(paging.total, WINDOW),
    all: paging.total,
    records: components.map(bare),
    reply,
  }));
}

/** The projects that the token may browse. */
async function readBrowsable(pages: Begun<BrowsablePage>, emit: Emit): Promise<readonly ProjectRef[]> {
  const found = new Map<string, ProjectRef>();
  let total = 0;
  const listing = await readListing<Project>({
    pageSize: PAGE_SIZE,
    identity: (p) => p.key,
    fetch: async (p) => {
      const answered = await pages.page(p);
      total = answered.all;
      return answered;
    },
    emit: async ({ records, reply }) => {
      for (const p of records) found.set(p.key, undated(p));
      await emit({ type: 'size', stream: 'projects', rows: total });
      await emit(page('projects', records, reply));
    },
  });
  const reason = `the server lists ${total} projects, and shows the first ${WINDOW} of them without “Administer System”`;
  await emit({
    type: 'tally',
    tally: {
      stream: 'projects',
      project: null,
      ...listing,
      ...(total > WINDOW && { totalBefore: total, totalAfter: total, problem: { state: 'short' as const, reason } }),
      seen: listing.keys.size,
      readable: false,
    },
  });
  return [...found.values()];
}

/** The projects named in the settings, one request each; they are not all there are, so no tally is made of them. */
async function readNamed(client: SonarClient, keys: readonly string[], emit: Emit): Promise<readonly ProjectRef[]> {
  await emit({ type: 'size', stream: 'projects', rows: keys.length });
  const refs = await Promise.all(
    keys.map(async (key): Promise<ProjectRef | null> => {
      try {
        const params = { component: key, metricKeys: 'ncloc' };
        return await ask(client, 'measures/component', params, componentAnswer, async ({ component }, reply) => {
          await emit(page('projects', [bare(component)], reply));
          return undated(component);
        });
      } catch (error) {
        const found = projectProblem(error);
        if (!found) throw error;
        await emit({ type: 'tally', tally: noTally('measures', key, found.problem) });
        return null;
      }
    }),
  );
  return refs.filter((ref) => ref !== null);
}
