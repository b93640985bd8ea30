/** The endpoints that a connector may ask, with the checks of the real ones in their order. */
import { mayAdminister, mayBrowse, mayScan, visibleProjects } from './auth.ts';
import type { Caller } from './auth.ts';
import { categoryOf, directoryOf, issueStatusOf, lastAnalysisDate, valueOf } from './dataset.ts';
import type { Dataset, Hotspot, Issue, Project } from './dataset.ts';
import { INDEXING } from './faults.ts';
import type { Faults } from './faults.ts';
import { hasHistory, isNewCode } from './metrics.ts';
import type { Metric } from './metrics.ts';
import { ApiError, bad } from './params.ts';
import type { Params } from './params.ts';
import { attributeOf, facet, shownSeverity } from './query.ts';
import type { FacetContext, Filter, IssueIndex, Query, SortField } from './query.ts';
import { json, quote } from './render.ts';
import type { ExtraFields, Renderer } from './render.ts';
import { parseSince } from './time.ts';
import type { DateWriter } from './time.ts';
import {
  ADDITIONAL_FIELDS,
  CATEGORIES,
  IMPACT_SEVERITIES,
  QUALITIES,
  RESOLUTIONS,
  SCOPES,
  SEVERITIES,
  TYPES,
} from './versions.ts';
import type { Features } from './versions.ts';

export interface World {
  readonly data: Dataset;
  readonly features: Features;
  readonly faults: Faults;
  readonly index: IssueIndex;
  readonly renderer: Renderer;
  readonly dates: DateWriter;
  readonly serverId: string;
  /** Versions without hotspots show those of the data set all the same. */
  readonly keepHotspots: boolean;
  readonly metrics: () => readonly Metric[];
  readonly users: () => readonly { login: string; name: string }[];
  /** Seconds. */
  readonly now: number;
}

/** The JSON of an answer; in pieces where it is long, because one text of a page's size costs the collector dearly. */
export type Json = string | readonly string[];

export type Endpoint = (world: World, caller: Caller, params: Params) => Json;

const MAIN = 'main';

function forbidden(): ApiError {
  return new ApiError(403, 'Insufficient privileges');
}

// ---------------------------------------------------------------------------------------------------- projects/search

const sortedProjects = new WeakMap<Dataset, { stamp: number; projects: Project[] }>();

function projectsByName(data: Dataset): Project[] {
  const stamp = data.stamp(undefined, 'rows');
  const known = sortedProjects.get(data);
  if (known?.stamp === stamp && known.projects.length === data.projects.length) return known.projects;
  const named = data.projects.map((project) => ({ project, lower: project.name.toLowerCase() }));
  named.sort((a, b) => compare(a.lower, b.lower) || compare(a.project.name, b.project.name));
  const projects = named.map(({ project }) => project);
  sortedProjects.set(data, { stamp, projects });
  return projects;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const projectsSearch: Endpoint = ({ data, features, dates }, caller, params) => {
  params.closed('qualifiers', ['TRK', 'VW', 'APP']);
  const qualifiers = params.list('qualifiers') ?? ['TRK'];
  const visibility = params.one('visibility', ['private', 'public']);
  const provisioned = params.boolean('onProvisionedOnly') ?? false;
  const q = params.text('q')?.toLowerCase();
  const keys = params.limited('projects', 1000);
  // an old server does not know this one, and then answers with every project
  const keysIgnoringCase = features.projectKeys ? params.limited('projectKeys', 1000) : undefined;
  const analyzedBefore = params.date('analyzedBefore', dates.shift);
  const { p, ps } = params.plainPage(500);
  if (!mayAdminister(caller)) throw forbidden();
  const tests: ((project: Project) => boolean)[] = [];
  if (!qualifiers.includes('TRK')) tests.push(() => false);
  if (visibility) tests.push((project) => project.visibility === visibility);
  if (provisioned) tests.push((project) => lastAnalysisDate(project) === undefined);
  if (q) tests.push((project) => project.key.toLowerCase().includes(q) || project.name.toLowerCase().includes(q));
  if (keys) {
    const wanted = new Set(keys);
    tests.push((project) => wanted.has(project.key));
  }
  if (keysIgnoringCase) {
    const wanted = new Set(keysIgnoringCase.map((key) => key.toLowerCase()));
    tests.push((project) => wanted.has(project.key.toLowerCase()));
  }
  if (analyzedBefore) {
    tests.push((project) => (lastAnalysisDate(project) ?? Infinity) < analyzedBefore.at);
  }
  let projects = projectsByName(data);
  if (tests.length > 0) projects = projects.filter((project) => tests.every((test) => test(project)));
  const components = projects.slice((p - 1) * ps, p * ps).map((project) => {
    const last = lastAnalysisDate(project);
    const revision = project.analyses.at(-1)?.revision;
    return {
      key: project.key,
      name: project.name,
      qualifier: 'TRK',
      visibility: project.visibility,
      ...(last === undefined ? {} : { lastAnalysisDate: dates.write(last) }),
      ...(revision === undefined ? {} : { revision }),
      ...(features.managed ? { managed: false } : {}),
      ...(features.projectUuid ? { projectUuid: project.uuid } : {}),
    };
  });
  return json({ paging: { pageIndex: p, pageSize: ps, total: projects.length }, components });
};

/** Needs Browse alone, and leaves out what the caller may not browse. Its window is that of every search. */
const componentsSearch: Endpoint = ({ data }, caller, params) => {
  params.closed('qualifiers', ['TRK', 'VW', 'APP']);
  const { p, ps } = params.page(500);
  const q = params.text('q')?.toLowerCase();
  const visible = visibleProjects(caller, data);
  const projects = projectsByName(data).filter(
    (project) =>
      (visible?.includes(project) ?? true) &&
      (q === undefined || project.key.toLowerCase().includes(q) || project.name.toLowerCase().includes(q)),
  );
  const components = projects
    .slice((p - 1) * ps, p * ps)
    .map(({ key, name }) => ({ key, name, qualifier: 'TRK', project: key }));
  return json({ paging: { pageIndex: p, pageSize: ps, total: projects.length }, components });
};

// ------------------------------------------------------------------------------------------------------ issues/search

interface Asked {
  readonly projects: Project[] | undefined;
  readonly filter: Filter | undefined;
}

/** What `components` names: projects, files or directories, but not a mixture. Unknown ones are left out. */
function components(data: Dataset, keys: readonly string[] | undefined): Asked {
  if (!keys) return { projects: undefined, filter: undefined };
  const projects = new Set<Project>();
  const places: { project: Project; path: string; qualifier: 'FIL' | 'DIR' }[] = [];
  for (const key of keys) {
    const project = data.project(key);
    if (project) {
      projects.add(project);
      continue;
    }
    const place = placeOf(data, key);
    if (place) places.push(place);
  }
  const qualifiers = new Set<string>(places.map((place) => place.qualifier));
  if (projects.size > 0) qualifiers.add('TRK');
  if (qualifiers.size > 1) {
    const found = ['TRK', 'DIR', 'FIL'].filter((qualifier) => qualifiers.has(qualifier));
    throw bad(`All components must have the same qualifier, found ${found.join(',')}`);
  }
  if (places.length === 0) return { projects: [...projects], filter: undefined };
  const names = new Set(places.map((place) => `${place.project.uuid} ${place.path}`));
  const files = qualifiers.has('FIL');
  return {
    projects: [...new Set(places.map((place) => place.project))],
    filter: {
      name: 'components',
      text: [...names].join(','),
      test: (issue) => {
        if (issue.path === undefined) return false;
        if (files) return names.has(`${issue.project.uuid} ${issue.path}`);
        return places.some((place) => place.project === issue.project && directoryOf(issue.path ?? '') === place.path);
      },
    },
  };
}

function placeOf(data: Dataset, key: string): { project: Project; path: string; qualifier: 'FIL' | 'DIR' } | undefined {
  for (let colon = key.lastIndexOf(':'); colon > 0; colon = key.lastIndexOf(':', colon - 1)) {
    const project = data.project(key.slice(0, colon));
    if (!project) continue;
    const path = key.slice(colon + 1);
    if (project.deletedFiles?.has(path)) return undefined;
    if (project.issues.some((issue) => issue.path === path)) return { project, path, qualifier: 'FIL' };
    const isDirectory = (issue: Issue): boolean => issue.path !== undefined && directoryOf(issue.path) === path;
    if (project.issues.some(isDirectory)) return { project, path, qualifier: 'DIR' };
  }
  return undefined;
}

function oneOf(
  name: string,
  values: readonly string[] | undefined,
  of: (issue: Issue) => string | undefined,
): Filter[] {
  if (!values) return [];
  if (values.length === 1) {
    const only = values[0];
    return [{ name, text: values.join(), test: (issue) => of(issue) === only }];
  }
  const set = new Set<string | undefined>(values);
  return [{ name, text: [...set].sort().join(), test: (issue) => set.has(of(issue)) }];
}

function anyOf(name: string, values: readonly string[] | undefined, of: (issue: Issue) => readonly string[]): Filter[] {
  if (!values) return [];
  const set = new Set(values);
  return [{ name, text: [...set].sort().join(), test: (issue) => of(issue).some((value) => set.has(value)) }];
}

/** Declared by the server and not built here: silence would look like a filter that lets everything through. */
const NOT_SIMULATED = [
  ...['cwe', 'owaspTop10', 'owaspTop10-2021', 'owaspAsvs-4.0', 'owaspAsvsLevel', 'pciDss-3.2', 'pciDss-4.0'],
  ...['sansTop25', 'onlyMine', 'fixedInPullRequest', 'linkedTicketStatus'],
];

const issuesSearch: Endpoint = (world, caller, params) => {
  const { data, features, dates, now, renderer, index } = world;
  const { lists } = features;
  for (const name of NOT_SIMULATED) {
    if (params.text(name)) throw new ApiError(501, `The simulator does not know the filter '${name}'`);
  }

  const additional = params.closed('additionalFields', ADDITIONAL_FIELDS) ?? [];
  const asc = params.boolean('asc') ?? true;
  const sort = params.one('s', lists.sorts) as SortField | undefined;
  const facets = params.closed('facets', lists.facets) ?? [];
  const page = params.windowPage(500);
  const branch = params.text('branch');
  const pullRequest = params.text('pullRequest');
  if (branch && pullRequest) throw new ApiError(500, 'An error has occurred. Please contact your administrator');

  const keys = params.list(...(features.newNames ? ['componentKeys', 'components'] : ['componentKeys']));
  const asked = components(data, keys);
  const projectKeys = params.list('projects');
  const projects = projectKeys
    ? projectKeys.map((key) => data.project(key)).filter((project) => project !== undefined)
    : undefined;
  const both =
    asked.projects && projects ? asked.projects.filter((one) => projects.includes(one)) : (asked.projects ?? projects);

  const named: Record<string, readonly string[] | undefined> = {};
  const closed = (name: string, allowed: readonly string[]): readonly string[] | undefined =>
    (named[name] = params.closed(name, allowed));
  const open = (name: string): readonly string[] | undefined => (named[name] = params.list(name));

  const filters: Filter[] = [];
  if (asked.filter) filters.push(asked.filter);
  if ((branch && branch !== MAIN) || pullRequest) {
    filters.push({ name: 'branch', text: 'none', test: () => false });
  }
  const assignees = open('assignees')?.map((login) => (login === '__me__' ? caller.user.login : login));
  named['assignees'] = assignees;
  named['projects'] = both?.map((project) => project.key);
  for (const rule of open('rules') ?? []) if (!/^[^:]+:.+$/.test(rule)) throw bad(`Invalid rule key: ${rule}`);
  filters.push(
    ...oneOf('statuses', closed('statuses', lists.statuses), (issue) => issue.status),
    ...oneOf('resolutions', closed('resolutions', RESOLUTIONS), (issue) => issue.resolution),
    ...oneOf('severities', closed('severities', SEVERITIES), (issue) => issue.severity),
    ...oneOf('types', closed('types', TYPES), (issue) => issue.type),
    ...oneOf('scopes', closed('scopes', SCOPES), (issue) => issue.scope),
    ...oneOf('rules', named['rules'], (issue) => issue.rule),
    ...oneOf('files', open('files'), (issue) => issue.path),
    ...oneOf('assignees', assignees, (issue) => issue.assignee),
    ...anyOf('tags', open('tags'), (issue) => issue.tags),
    ...oneOf('languages', open('languages'), (issue) => data.rule(issue.rule).language || undefined),
    ...oneOf('issues', params.list('issues'), (issue) => issue.key),
  );
  const authors = (named['author'] = params.repeated('author'));
  filters.push(...oneOf('author', authors, (issue) => issue.author || undefined));
  const directories = open('directories');
  if (directories) {
    const test = features.directoriesArePrefixes
      ? (issue: Issue) =>
          issue.path !== undefined && directories.some((one) => directoryOf(issue.path ?? '').startsWith(one))
      : (issue: Issue) => issue.path !== undefined && directories.includes(directoryOf(issue.path));
    filters.push({ name: 'directories', text: directories.join(), test });
  }
  const resolved = params.boolean('resolved');
  if (resolved !== undefined) {
    const test = (issue: Issue): boolean => (issue.resolution !== undefined) === resolved;
    filters.push({ name: 'resolved', text: String(resolved), test });
  }
  const assigned = params.boolean('assigned');
  if (assigned !== undefined) {
    const test = (issue: Issue): boolean => (issue.assignee !== undefined) === assigned;
    filters.push({ name: 'assigned', text: String(assigned), test });
  }
  if (features.codeVariants) {
    filters.push(...anyOf('codeVariants', open('codeVariants'), (issue) => issue.more?.codeVariants ?? []));
  }
  if (features.cleanCode) {
    filters.push(
      ...anyOf('impactSeverities', closed('impactSeverities', IMPACT_SEVERITIES), (issue) =>
        data.impactsOf(issue).map((impact) => shownSeverity(impact.severity, features)),
      ),
      ...anyOf('impactSoftwareQualities', closed('impactSoftwareQualities', QUALITIES), (issue) =>
        data.impactsOf(issue).map((impact) => impact.softwareQuality),
      ),
      ...oneOf('cleanCodeAttributeCategories', closed('cleanCodeAttributeCategories', CATEGORIES), (issue) =>
        categoryOf(attributeOf(data, issue)),
      ),
    );
  }
  if (features.issueStatus) {
    filters.push(...oneOf('issueStatuses', closed('issueStatuses', lists.issueStatuses), issueStatusOf));
  }
  if (features.prioritizedRule) {
    const prioritized = params.boolean('prioritizedRule');
    if (prioritized !== undefined) {
      const test = (issue: Issue): boolean => (issue.more?.prioritizedRule ?? false) === prioritized;
      filters.push({ name: 'prioritizedRule', text: String(prioritized), test });
    }
  }
  if (params.closed('sonarsourceSecurity', lists.sonarsourceSecurity)) {
    throw new ApiError(501, `The simulator does not know the filter 'sonarsourceSecurity' of issues`);
  }

  const bounds = createdBounds(params, dates.shift, now);
  if (bounds.at !== undefined) {
    const { at } = bounds;
    filters.push({ name: 'createdAt', text: String(at), test: (issue) => issue.created === at });
  }
  if (params.boolean('inNewCodePeriod') === true) {
    if (both?.length !== 1) throw bad('One and only one component must be provided when searching in new code period');
    const since = both[0]?.period?.date ?? Infinity;
    filters.push({ name: 'inNewCodePeriod', text: String(since), test: (issue) => issue.created > since });
  }

  const needProject = facets.filter((name) => name === 'files' || name === 'directories');
  if (needProject.length > 0 && (!both || both.length === 0)) {
    throw bad(`Facet(s) '${needProject.join(',')}' require to also filter by project`);
  }
  const query: Query = {
    projects: both,
    visible: visibleProjects(caller, data),
    from: bounds.from,
    to: bounds.to,
    filters,
    sort: sort ?? 'DEFAULT',
    ascending: asc,
  };
  refuseWhileIndexing(world, both);
  const selection = index.select(query);
  const rows = selection.page(page.p, page.ps).filter((issue) => data.lost.size === 0 || !data.lost.has(issue.key));

  const all = additional.includes('_all');
  const extra: ExtraFields = {
    transitions: all || additional.includes('transitions'),
    actions: all || additional.includes('actions'),
    comments: all || additional.includes('comments'),
    ruleDescriptionContextKey: all || additional.includes('ruleDescriptionContextKey'),
  };
  const paging = `"paging":{"pageIndex":${page.p},"pageSize":${page.ps},"total":${selection.total}}`;
  const parts = [
    `{"total":${selection.total},"p":${page.p},"ps":${page.ps},${paging},"effortTotal":${selection.effort},"issues":[`,
  ];
  for (const [i, issue] of rows.entries()) parts.push(i === 0 ? '' : ',', renderer.issue(issue, extra));
  parts.push(`],"components":`, renderer.components(rows, true));
  if (all || additional.includes('rules')) parts.push(`,"rules":${rulesOf(data, rows)}`);
  if (all || additional.includes('users')) parts.push(`,"users":${usersOf(world, rows)}`);
  if (all || additional.includes('languages')) parts.push(`,"languages":${languagesOf(data)}`);
  const context: FacetContext = {
    data,
    features,
    login: caller.user.login,
    now,
    day: (date) => dates.day(date),
    shift: dates.shift,
    named,
  };
  const facetJson = lists.facets
    .filter((name) => facets.includes(name))
    .map((name) => ({ property: name, values: facet(index, query, name, context) }));
  parts.push(`,"facets":${json(facetJson)}}`);
  return parts;
};

function createdBounds(
  params: Params,
  shift: number,
  now: number,
): { from: number | undefined; to: number | undefined; at: number | undefined } {
  const after = params.date('createdAfter', shift);
  const before = params.date('createdBefore', shift);
  const at = params.date('createdAt', shift);
  const inLast = params.text('createdInLast');
  let from = after?.at;
  if (inLast) {
    if (after) throw bad('Parameters createdAfter and createdInLast cannot be set simultaneously');
    from = parseSince(inLast, now);
    if (from === undefined) throw bad(`'${inLast}' is not a valid period`);
  }
  const to = before && (before.dayOnly ? before.at + 86_400 : before.at);
  if (from !== undefined && from > now) throw bad('Start bound cannot be in the future');
  if (from !== undefined && to !== undefined && from >= to) {
    throw bad('Start bound cannot be larger or equal to end bound');
  }
  return { from, to, at: at?.at };
}

function refuseWhileIndexing({ faults }: World, projects: readonly Project[] | undefined): void {
  const { indexing } = faults;
  if (!indexing || (indexing !== 'all' && indexing.size === 0)) return;
  if (indexing === 'all' || !projects || projects.some((project) => indexing.has(project.key))) {
    throw new ApiError(503, INDEXING);
  }
}

function rulesOf(data: Dataset, rows: readonly Issue[]): string {
  const rules = [...new Set(rows.map((issue) => issue.rule))].map((key) => data.rule(key));
  return json(
    rules.map(({ key, name, language }) => ({ key, name, lang: language, status: 'READY', langName: language })),
  );
}

function usersOf(world: World, rows: readonly Issue[]): string {
  const logins = new Set(rows.map((issue) => issue.assignee));
  const users = world.users().filter((user) => logins.has(user.login));
  return json(users.map(({ login, name }) => ({ login, name, active: true })));
}

function languagesOf(data: Dataset): string {
  const keys = new Set([...data.rules.values()].map((rule) => rule.language));
  return json([...keys].filter((key) => key !== '').map((key) => ({ key, name: key })));
}

// ---------------------------------------------------------------------------------------------------- hotspots/search

const PROBABILITY = ['LOW', 'MEDIUM', 'HIGH'];

const hotspotsSearch: Endpoint = (world, caller, params) => {
  const { data, features, renderer } = world;
  const newName = features.newNames ? 'project' : 'projectKey';
  const key = params.text(...(features.newNames ? ['projectKey', 'project'] : ['projectKey']));
  const keys = params.list('hotspots');
  for (const name of NOT_SIMULATED) {
    if (params.text(name)) throw new ApiError(501, `The simulator does not know the filter '${name}'`);
  }
  const status = params.one('status', ['TO_REVIEW', 'REVIEWED']);
  const resolution = params.one('resolution', ['FIXED', 'SAFE', 'ACKNOWLEDGED']);
  const categories = params.closed('sonarsourceSecurity', features.lists.sonarsourceSecurity);
  const files = params.list('files');
  const inNewCode = params.boolean('inNewCodePeriod') ?? false;
  const branch = params.text('branch');
  const { p, ps } = params.windowPage(undefined);
  if (!key && !keys) {
    throw bad(`A value must be provided for either parameter '${newName}' or parameter 'hotspots'`);
  }
  if (keys && keys.length > 500) throw bad('Number of issue keys must be less than 500');
  if (resolution && status !== 'REVIEWED') {
    throw bad(
      `Value '${resolution}' of parameter 'resolution' can only be provided if value of parameter 'status' is 'REVIEWED'`,
    );
  }
  let rows: { project: Project; hotspot: Hotspot }[];
  if (key) {
    const project = data.project(key);
    if (!project) {
      throw new ApiError(
        404,
        features.number < 1000 ? `Component key '${key}' not found` : `Project '${key}' not found`,
      );
    }
    if (branch && branch !== MAIN) throw new ApiError(404, `Component '${key}' on branch '${branch}' not found`);
    if (!mayBrowse(caller, project)) throw forbidden();
    refuseWhileIndexing(world, [project]);
    const wanted = keys && new Set(keys);
    rows = project.hotspots
      .filter((hotspot) => !wanted || wanted.has(hotspot.key))
      .map((hotspot) => ({ project, hotspot }));
    if (inNewCode) {
      const since = project.period?.date ?? Infinity;
      rows = rows.filter(({ hotspot }) => hotspot.created > since);
    }
  } else {
    rows = (keys ?? []).map((one) => data.hotspot(one)).filter((one) => one !== undefined);
    for (const { project } of rows) if (!mayBrowse(caller, project)) throw forbidden();
  }
  const hidden = !features.hotspots && !world.keepHotspots;
  rows = rows.filter(
    ({ project, hotspot }) =>
      !hidden &&
      hotspot.status !== 'CLOSED' &&
      !data.lost.has(hotspot.key) &&
      (!status || hotspot.status === status) &&
      (!resolution || hotspot.resolution === resolution) &&
      (!categories || categories.includes(hotspot.category)) &&
      (!files || files.includes(hotspot.path)) &&
      data.project(project.key) === project,
  );
  const { lists } = features;
  rows.sort(
    (a, b) =>
      PROBABILITY.indexOf(b.hotspot.probability) - PROBABILITY.indexOf(a.hotspot.probability) ||
      lists.sonarsourceSecurity.indexOf(a.hotspot.category) - lists.sonarsourceSecurity.indexOf(b.hotspot.category) ||
      compare(a.hotspot.rule, b.hotspot.rule) ||
      compare(a.project.uuid, b.project.uuid) ||
      compare(a.hotspot.path, b.hotspot.path) ||
      (a.hotspot.line ?? -1) - (b.hotspot.line ?? -1) ||
      compare(a.hotspot.key, b.hotspot.key),
  );
  const shown = rows.slice((p - 1) * ps, p * ps);
  const places = shown.map(({ project, hotspot }) => ({ project, path: hotspot.path }));
  return (
    `{"paging":{"pageIndex":${p},"pageSize":${ps},"total":${rows.length}},"hotspots":[` +
    shown.map(({ project, hotspot }) => renderer.hotspot(project, hotspot)).join(',') +
    `],"components":${renderer.components(places, false)}}`
  );
};

// ----------------------------------------------------------------------------------------------------------- measures

/** Metrics that have been renamed and still answer under the old name. */
const OLD_METRICS: Readonly<Record<string, string>> = { wont_fix_issues: 'accepted_issues' };

function component(world: World, params: Params): Project {
  const key = params.required('component');
  const project = world.data.project(key);
  const analysed = project && (project.analyses.length > 0 || project.issues.length > 0);
  if (!project || (!analysed && !world.features.emptyProjectIsFound)) {
    throw new ApiError(404, `Component key '${key}' not found`);
  }
  const branch = params.text('branch');
  const pullRequest = params.text('pullRequest');
  if (branch && branch !== MAIN) throw new ApiError(404, `Component '${key}' on branch '${branch}' not found`);
  if (pullRequest) throw new ApiError(404, `Component '${key}' of pull request '${pullRequest}' not found`);
  return project;
}

interface Resolved {
  readonly asked: string;
  readonly metric: Metric;
}

function resolveMetrics(world: World, keys: readonly string[]): { found: Resolved[]; missing: string[] } {
  const byKey = new Map(world.metrics().map((metric) => [metric.key, metric]));
  const found: Resolved[] = [];
  const missing: string[] = [];
  for (const asked of new Set(keys)) {
    const metric = byKey.get(asked) ?? byKey.get(OLD_METRICS[asked] ?? '');
    if (metric) found.push({ asked, metric });
    else missing.push(asked);
  }
  return { found, missing };
}

/** The order of measures means nothing; here it is that of a hash. */
function scatter(key: string): number {
  let hash = 7;
  for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0;
  return Math.imul(hash, 0x9e3779b1) >>> 8;
}

const measuresComponent: Endpoint = (world, caller, params) => {
  const { features, data, dates } = world;
  const additional = params.closed('additionalFields', ['metrics', 'period']) ?? [];
  params.required('component');
  params.required('metricKeys');
  const keys = params.list('metricKeys') ?? [];
  const project = component(world, params);
  const allowed = mayBrowse(caller, project) || (features.measuresWithScan && mayScan(caller, project));
  if (!allowed) throw forbidden();
  const { found, missing } = resolveMetrics(world, keys);
  if (missing.length > 0) throw new ApiError(404, `The following metric keys are not found: ${missing.join(', ')}`);
  if (additional.includes('metrics') && found.some(({ metric }) => metric.type === 'STRING')) {
    throw bad(`Unsupported metric type 'STRING' for numerical value`);
  }
  const hotspotsHidden = !features.hotspots && !world.keepHotspots;
  const measures: { metric: string; value?: string; bestValue?: boolean; period?: unknown }[] = [];
  for (const { asked, metric } of found) {
    let value = data.measure(project, metric.key);
    if (hotspotsHidden && metric.key.includes('security_hotspots')) {
      value = metric.key === 'security_hotspots' && value !== undefined ? '0' : undefined;
    }
    if (value === undefined) continue;
    const best = metric.bestValue === undefined ? {} : { bestValue: Number(value) === Number(metric.bestValue) };
    if (isNewCode(metric.key)) {
      if (project.period) measures.push({ metric: asked, period: { index: 1, value, ...best } });
    } else measures.push({ metric: asked, value, ...best });
  }
  measures.sort((a, b) => scatter(a.metric) - scatter(b.metric));
  const { period } = project;
  return json({
    component: { key: project.key, name: project.name, qualifier: 'TRK', measures },
    ...(additional.includes('metrics') ? { metrics: found.map(({ metric }) => describeMetric(metric)) } : {}),
    ...(additional.includes('period') && period
      ? {
          period: {
            index: 1,
            mode: period.mode,
            ...(period.date === undefined ? {} : { date: dates.write(period.date) }),
            ...(period.parameter === undefined ? {} : { parameter: period.parameter }),
          },
        }
      : {}),
  });
};

function describeMetric(metric: Metric): unknown {
  const { key, name, description, domain, type, direction, qualitative, hidden, decimalScale, bestValue } = metric;
  return {
    ...{ key, name, description, domain, type, higherValuesAreBetter: direction === 1, qualitative, hidden },
    ...(decimalScale === undefined ? {} : { decimalScale }),
    ...(bestValue === undefined ? {} : { bestValue }),
  };
}

const searchHistory: Endpoint = (world, caller, params) => {
  const { dates } = world;
  params.required('component');
  params.required('metrics');
  const keys = params.list('metrics') ?? [];
  const { p, ps } = params.plainPage(1000);
  const from = params.date('from', dates.shift)?.at ?? -Infinity;
  const end = params.date('to', dates.shift);
  const to = end ? end.at + (end.dayOnly ? 86_400 : 0) + 1 : Infinity;
  const project = component(world, params);
  if (!mayBrowse(caller, project)) throw forbidden();
  const { found, missing } = resolveMetrics(world, keys);
  if (missing.length > 0) throw bad(`Metrics ${missing.join(', ')} are not found`);
  const all = project.analyses.filter((analysis) => analysis.date >= from && analysis.date < to);
  const analyses = all.slice((p - 1) * ps, p * ps);
  const heads = analyses.map((analysis) => `{"date":"${dates.write(analysis.date)}"`);
  const parts = [`{"paging":{"pageIndex":${p},"pageSize":${ps},"total":${all.length}},"measures":[`];
  for (const [n, { asked, metric }] of found.entries()) {
    const kept = hasHistory(metric.key);
    parts.push(n === 0 ? '' : ',', `{"metric":${quote(asked)},"history":[`);
    for (let i = 0; i < analyses.length; i++) {
      const value = kept ? valueOf(analyses[i]!.measures, metric.key) : undefined;
      const start = (i === 0 ? '' : ',') + heads[i]!;
      parts.push(value === undefined ? `${start}}` : `${start},"value":${plain(value)}}`);
    }
    parts.push(']}');
  }
  parts.push(']}');
  return parts;
};

/** Values are many and short: most need no escapes. */
function plain(value: string): string {
  return /^[\w.,;-]*$/.test(value) ? `"${value}"` : json(value);
}

// ------------------------------------------------------------------------------------------------------ metrics/search

const metricsSearch: Endpoint = (world, _caller, params) => {
  const { p, ps } = params.windowPage(500);
  const metrics = world
    .metrics()
    .toSorted((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()) || scatter(a.key) - scatter(b.key));
  const shown = metrics.slice((p - 1) * ps, p * ps).map((metric) => {
    const { id, key, type, name, description, domain, direction, qualitative, hidden, decimalScale } = metric;
    return {
      ...{ id, key, type, name, description, domain, direction, qualitative, hidden },
      ...(decimalScale === undefined ? {} : { decimalScale }),
    };
  });
  return json({ metrics: shown, total: metrics.length, p, ps });
};

export const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ['/api/projects/search', projectsSearch],
  ['/api/components/search', componentsSearch],
  ['/api/issues/search', issuesSearch],
  ['/api/hotspots/search', hotspotsSearch],
  ['/api/measures/component', measuresComponent],
  ['/api/measures/search_history', searchHistory],
  ['/api/metrics/search', metricsSearch],
]);

/** The one address that needs nobody to be logged in. */
export const STATUS_PATH = '/api/system/status';

export function systemStatus(world: World, status: 'UP' | 'STARTING'): string {
  return json({ id: world.serverId, version: world.features.full, status });
}
