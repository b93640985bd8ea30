/** A simulated server as sonar-tools wants it: what it asks beyond what the program may ask is answered here. */
import { startForwarder, type Forwarder } from '../test/real/forwarder.ts';
import type { Rule } from '../test/simulator/dataset.ts';

const VERSION = '25.12.0.117093';

/** Answers that are the same whatever is asked for. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/api/server/version': VERSION,
  '/api/system/info': { Health: 'GREEN', System: { Version: VERSION, Edition: 'Community', 'Server ID': 'bench' } },
  '/api/navigation/global': { version: VERSION, edition: 'community', productionDatabase: true, qualifiers: ['TRK'] },
  '/api/settings/list_definitions': { definitions: [] },
  '/api/new_code_periods/show': { type: 'PREVIOUS_VERSION' },
  '/api/v2/clean-code-policy/mode': { mode: 'MQR', modified: false },
  '/api/languages/list': {
    languages: ['java', 'py', 'js', 'ts', 'cs', 'go'].map((key) => ({ key, name: key })),
  },
  '/api/hotspots/show': {
    component: { path: 'src/main/Hotspot.java' },
    project: {},
    rule: { key: 'java:S2068', vulnerabilityProbability: 'HIGH' },
    changelog: [],
    comment: [],
  },
  '/api/project_branches/list': { branches: [{ name: 'main', isMain: true, type: 'BRANCH', branchId: 'bench' }] },
};

const settings = (keys: string | null): unknown => ({
  settings: (keys?.split(',') ?? ['sonar.core.serverBaseURL']).map((key) => ({ key, value: '', inherited: true })),
});

function ruleList(all: readonly Rule[], key: string | null): unknown {
  const rules = all
    .filter((rule) => key === null || rule.key === key)
    .map(({ key, name, language, type, severity, cleanCodeAttribute, impacts }) => ({
      ...{ key, repo: key.split(':')[0], name, lang: language, langName: language, type, severity },
      ...{ cleanCodeAttribute, impacts, status: 'READY', isTemplate: false, isExternal: false, tags: [], sysTags: [] },
      createdAt: '2020-01-01T00:00:00+0000',
      mdDesc: name,
    }));
  const total = rules.length;
  return { total, p: 1, ps: 500, paging: { pageIndex: 1, pageSize: 500, total }, rules };
}

/** Answered by the list that the simulator has, which looks alike. */
const SEARCH = '/api/components/search_projects';
const paging = (asked: URLSearchParams): string =>
  String(new URLSearchParams({ p: asked.get('p') ?? '1', ps: asked.get('ps') ?? '100' }));

/** Stands in front of `target` until it is closed; its own answers take as long as the simulator's. */
export const startFront = ({
  target,
  rules,
  latencyMs,
  refused,
}: {
  target: string;
  rules: readonly Rule[];
  latencyMs: number;
  /** Hears of what neither of them answers. */
  refused: (line: string) => void;
}): Promise<Forwarder> =>
  startForwarder(target, {
    latencyMs,
    own: ({ pathname, searchParams }) => {
      if (pathname === '/api/settings/values') return settings(searchParams.get('keys'));
      if (pathname === '/api/rules/search') return ruleList(rules, searchParams.get('q'));
      return ANSWERS[pathname];
    },
    instead: ({ pathname, searchParams }) =>
      pathname === SEARCH ? `/api/projects/search?${paging(searchParams)}` : undefined,
    answered: ({ method, path, status }) => {
      if (status !== 200) refused(`${status} ${method} ${path}`);
    },
  });
