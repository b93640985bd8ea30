/** Each chart against numbers that are computed here, in JavaScript, from what the simulated server has. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chartOf, CHARTS } from '../../src/insights/charts.ts';
import { resolveFilters, type FiltersInput } from '../../src/insights/filters.ts';
import { runChart } from '../../src/insights/run.ts';
import { generate } from '../simulator/index.ts';
import { rig, type Rig } from '../sync/rig.ts';

const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);
/** The simulated world ends an hour ago, so that no age changes its place while the test runs. */
const LAST = NOW - 3600;
const FIRST = LAST - 500 * DAY;

type Row = Record<string, unknown>;

let r: Rig;
beforeAll(async () => {
  const data = generate({
    projects: 6,
    issuesPerProject: 90,
    hotspots: 12,
    analyses: 9,
    closed: 0.3,
    resolved: 0.1,
    from: FIRST,
    to: LAST,
    seed: 11,
  });
  const [odd] = data.projects;
  if (odd) odd.name = `O'Brien "$2" <b>مشروع</b>`;
  // of a version that still has hotspots
  r = await rig({ data, version: '10.7' });
  await r.sync();
  // a project that the server no longer has counts nowhere
  await r.store.database.query(
    `update sonarqube_projects set deleted_at = now() where id = (select max(id) from sonarqube_projects)`,
  );
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

async function run(id: string, input: FiltersInput = {}): Promise<Row[]> {
  const chart = chartOf(id);
  if (!chart) throw new Error(`no chart ${id}`);
  const result = await runChart(r.store.database, chart, resolveFilters(input, new Date()), { timeoutMs: 60_000 });
  for (const row of result.rows) expect(Object.keys(row)).toEqual(chart.columns.map(({ name }) => name));
  return result.rows as Row[];
}

/** Projects that count, of these keys. */
const projects = async (keys: readonly string[] = []): Promise<(Row & { id: number; source_key: string })[]> =>
  (
    await r.rows<Row & { id: number; source_key: string }>(
      'select * from sonarqube_projects where deleted_at is null order by id',
    )
  ).filter(({ source_key }) => keys.length === 0 || keys.includes(source_key));

interface Issue {
  readonly severity: string;
  readonly issue_type: string;
  readonly issue_status: string;
  readonly rule: string;
  readonly resolution: string | null;
  readonly impact_security: string | null;
  readonly created_at: string;
  readonly close_date: string | null;
}

const issues = async (keys: readonly string[] = []): Promise<Issue[]> => {
  const ids = new Set((await projects(keys)).map(({ id }) => id));
  const rows = await r.rows<Row & Issue & { project_id: number; deleted_at: string | null }>(
    'select * from sonarqube_issues',
  );
  return rows.filter(({ project_id, deleted_at }) => ids.has(project_id) && deleted_at === null);
};
const isOpen = ({ issue_status }: Issue): boolean => ['OPEN', 'CONFIRMED'].includes(issue_status);

function countBy<T>(list: readonly T[], key: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of list) counts[key(one)] = (counts[key(one)] ?? 0) + 1;
  return counts;
}

const AGES = ['0-7', '8-30', '31-90', '91-365', '> 365'];
const ageOf = (at: string): string => {
  const days = Math.floor((Date.now() - Date.parse(at)) / 86_400_000);
  return AGES[[7, 30, 90, 365].findIndex((most) => days <= most)] ?? '> 365';
};
/** What a chart by age counts, zeros left out. */
const cells = (rows: readonly Row[], series: string, value: string): Record<string, unknown> =>
  Object.fromEntries(
    rows.filter((row) => row[value] !== 0).map((row) => [`${String(row['age'])} ${String(row[series])}`, row[value]]),
  );

test('the data has something for every chart to show', async () => {
  for (const { id } of CHARTS) expect([id, (await run(id, { from: '2000-01-01' })).length > 0]).toEqual([id, true]);
});

describe.each([
  ['all', []],
  ['one', ['first']],
  ['two', ['first', 'second']],
] as const)('of %s', (_, which) => {
  let keys: string[];
  beforeAll(async () => {
    const all = (await projects()).map(({ source_key }) => source_key);
    keys = which.map((one) => all[one === 'first' ? 0 : 1] ?? '');
  });

  test('issues by severity', async () => {
    const rows = await run('issues-by-severity', { projects: keys });
    expect(Object.fromEntries(rows.map(({ severity, issues: n }) => [severity, n]))).toEqual(
      countBy((await issues(keys)).filter(isOpen), ({ severity }) => severity),
    );
    const order = ['BLOCKER', 'CRITICAL', 'MAJOR', 'MINOR', 'INFO'];
    expect(rows.map(({ severity }) => severity)).toEqual(
      order.filter((one) => rows.some(({ severity }) => severity === one)),
    );
  });

  test('issues by rule', async () => {
    const open = (await issues(keys)).filter(isOpen);
    const counts = countBy(open, ({ rule }) => rule);
    const severe = countBy(
      open.filter(({ severity }) => ['BLOCKER', 'CRITICAL'].includes(severity)),
      ({ rule }) => rule,
    );
    const expected = Object.entries(counts)
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .slice(0, 5)
      .map(([rule, n]) => ({ rule, issues: n, severe: severe[rule] ?? 0 }));
    expect(await run('issues-by-rule', { projects: keys, limit: 5 })).toEqual(expected);
  });

  test('security issues by age', async () => {
    const found = (await issues(keys)).filter(
      (issue) => isOpen(issue) && (issue.issue_type === 'VULNERABILITY' || issue.impact_security !== null),
    );
    const rows = await run('security-issues-by-age', { projects: keys });
    expect(cells(rows, 'severity', 'issues')).toEqual(
      countBy(found, ({ created_at, severity }) => `${ageOf(created_at)} ${severity}`),
    );
    expect([...new Set(rows.map(({ age }) => age))]).toEqual(AGES);
  });

  test('hotspots by age', async () => {
    const ids = new Set((await projects(keys)).map(({ id }) => id));
    const found = (
      await r.rows<{ project_id: number; status: string; created_at: string; vulnerability_probability: string }>(
        'select * from sonarqube_security_hotspots where deleted_at is null',
      )
    ).filter(({ project_id, status }) => ids.has(project_id) && status === 'TO_REVIEW');
    expect(cells(await run('hotspots-by-age', { projects: keys }), 'probability', 'hotspots')).toEqual(
      countBy(found, (one) => `${ageOf(one.created_at)} ${one.vulnerability_probability}`),
    );
  });

  test.each(['day', 'week', 'month'] as const)('opened and closed, by %s', async (interval) => {
    const [from, to] = [day(NOW - 200 * DAY), day(NOW - 20 * DAY)];
    const within = (at: string | null): at is string => at !== null && at.slice(0, 10) >= from && at.slice(0, 10) <= to;
    const all = await issues(keys);
    const opened = countBy(all.map(({ created_at }) => created_at).filter(within), (at) => startOf(at, interval));
    const closed = countBy(all.map(({ close_date }) => close_date).filter(within), (at) => startOf(at, interval));
    const rows = await run('opened-closed', { projects: keys, from, to, interval });
    expect(rows).toEqual(
      intervalsOf(from, to, interval).map((date) => ({ date, opened: opened[date] ?? 0, closed: closed[date] ?? 0 })),
    );
  });

  test('time to fix', async () => {
    const [from, to] = [day(NOW - 400 * DAY), day(NOW)];
    const groups = new Map<string, number[]>();
    for (const { resolution, created_at, close_date, severity } of await issues(keys)) {
      if (resolution !== 'FIXED' || close_date === null) continue;
      if (close_date.slice(0, 10) < from || close_date.slice(0, 10) > to) continue;
      const key = `${startOf(close_date, 'month')} ${severity}`;
      groups.set(key, [...(groups.get(key) ?? []), (Date.parse(close_date) - Date.parse(created_at)) / 86_400_000]);
    }
    const rows = await run('time-to-fix', { projects: keys, from, to });
    expect(rows.map(({ month, severity }) => `${String(month)} ${String(severity)}`).sort()).toEqual(
      [...groups.keys()].sort(),
    );
    for (const { month, severity, median, p90, issues: n } of rows) {
      const days = groups.get(`${String(month)} ${String(severity)}`) ?? [];
      expect(n).toBe(days.length);
      expect(median).toBeCloseTo(percentile(days, 0.5), 1);
      expect(p90).toBeCloseTo(percentile(days, 0.9), 1);
    }
  });

  test.each(['week', 'month'] as const)(
    'what changes over time: the newest values until the end of each %s',
    async (interval) => {
      const [from, to] = [day(NOW - 420 * DAY), day(NOW)];
      const series = await history(keys);
      const expected = intervalsOf(from, to, interval).map((date) => {
        const end = endOf(date, interval, to);
        const newest = series.map((points) => points.filter(({ at }) => at < end).at(-1)?.values ?? {});
        const sum = (name: string): number => newest.reduce((total, values) => total + (values[name] ?? 0), 0);
        const having = (...names: string[]): typeof newest =>
          newest.filter((values) => names.every((name) => name in values));
        // of two values that belong together both are of one analysis
        const together = (...names: string[]): Record<string, number>[] =>
          series.flatMap((points) => {
            const both = points.filter(({ at, own }) => at < end && names.every((name) => name in own)).at(-1);
            return both ? [both.own] : [];
          });
        const total = (
          list: readonly Record<string, number>[],
          of: (values: Record<string, number>) => number,
        ): number => list.reduce((sumOf, values) => sumOf + of(values), 0);
        const covered = together('coverage', 'lines_to_cover');
        const weight = total(covered, (v) => v['lines_to_cover'] ?? 0);
        const sized = together('duplicated_lines', 'lines');
        return {
          date,
          vulnerabilities: having('vulnerabilities').length > 0 ? sum('vulnerabilities') : null,
          code_smells: having('code_smells').length > 0 ? sum('code_smells') : null,
          debt: having('sqale_index').length > 0 ? sum('sqale_index') / 480 : null,
          coverage:
            weight === 0 ? null : total(covered, (v) => (v['coverage'] ?? 0) * (v['lines_to_cover'] ?? 0)) / weight,
          duplication:
            sized.length === 0
              ? null
              : (100 * total(sized, (v) => v['duplicated_lines'] ?? 0)) / total(sized, (v) => v['lines'] ?? 0),
          projects: having('vulnerabilities').length,
        };
      });
      const filters = { projects: keys, from, to, interval };
      const check = async (id: string, names: readonly (keyof (typeof expected)[number])[]): Promise<void> => {
        const rows = new Map((await run(id, filters)).map((row) => [row['date'], row]));
        for (const want of expected) {
          for (const name of names) {
            const got = rows.get(want.date)?.[name] ?? null;
            const value = want[name];
            if (value === null) expect([id, want.date, name, got]).toEqual([id, want.date, name, null]);
            else expect(got, `${id} ${want.date} ${name}`).toBeCloseTo(Number(value), 1);
          }
        }
      };
      await check('vulnerabilities-over-time', ['vulnerabilities', 'projects']);
      await check('maintainability-over-time', ['code_smells', 'debt']);
      await check('coverage-over-time', ['coverage']);
      await check('duplications-over-time', ['duplication']);
    },
  );

  test('ratings and the worst projects are what the server measures now', async () => {
    const found = await projects(keys);
    const now = await currentMeasures();
    const rated = await run('ratings', { projects: keys, limit: 100 });
    const names: Record<string, string> = {
      Security: 'security_rating',
      Reliability: 'reliability_rating',
      Maintainability: 'sqale_rating',
      'Security review': 'security_review_rating',
    };
    expect(rated).toHaveLength(found.length * 4);
    for (const { project_key, rating, value, project } of rated) {
      const of = found.find(({ source_key }) => source_key === project_key);
      expect(project).toBe(of?.['name']);
      expect(value).toBe(now.get(`${of?.id ?? 0} ${names[String(rating)] ?? ''}`) ?? null);
    }
    // the worst first
    const worst = [...new Set(rated.map(({ project_key }) => project_key))].map((key) =>
      Math.max(...rated.filter((row) => row['project_key'] === key).map(({ value }) => Number(value ?? 0))),
    );
    expect(worst).toEqual([...worst].sort((a, b) => b - a));

    const table = await run('worst-projects', { projects: keys, limit: 100 });
    expect(table.map(({ project_key }) => project_key).sort()).toEqual(
      found.map(({ source_key }) => source_key).sort(),
    );
    for (const row of table) {
      const id = found.find(({ source_key }) => source_key === row['project_key'])?.id ?? 0;
      for (const [column, metric] of Object.entries({
        blocker: 'blocker_violations',
        critical: 'critical_violations',
        vulnerabilities: 'vulnerabilities',
        coverage: 'coverage',
        security_rating: 'security_rating',
      }))
        expect([column, row[column]]).toEqual([column, now.get(`${id} ${metric}`) ?? null]);
    }
    const severe = table.map(({ blocker, critical }) => Number(blocker ?? 0) + Number(critical ?? 0));
    expect(severe).toEqual([...severe].sort((a, b) => b - a));
  });

  test('freshness and completeness are the ledger’s', async () => {
    const found = await projects(keys);
    expect(await run('freshness', { projects: keys })).toMatchObject([
      { projects: found.length, closed_to_us: 0, never: 0, freshest: 0, stalest: 0 },
    ]);
    const ledger = (
      await r.rows<{ stream: string; state: string; project: string }>('select * from sonarqube_completeness')
    ).filter(({ project }) => keys.length === 0 || keys.includes(project));
    expect(
      Object.fromEntries(
        (await run('completeness', { projects: keys })).map(({ stream, state, slices }) => [
          `${String(stream)} ${String(state)}`,
          slices,
        ]),
      ),
    ).toEqual(countBy(ledger, ({ stream, state }) => `${stream} ${state}`));
  });
});

test('a limit is a limit, and a connection that there is not has no numbers', async () => {
  expect(new Set((await run('ratings', { limit: 2 })).map(({ project_key }) => project_key)).size).toBe(2);
  expect(await run('worst-projects', { limit: 3 })).toHaveLength(3);
  for (const { id } of CHARTS) expect([id, await run(id, { connection: 999_999 })]).toEqual([id, []]);
});

test.each(["o'brien", '$1', '$2 or true', "'; drop table sonarqube_issues; --", 'مشروع', '\\', "\\'; select 1"])(
  'a project key is a text and nothing else: %s',
  async (key) => {
    for (const { id } of CHARTS) await expect(run(id, { projects: [key] })).resolves.toEqual([]);
  },
);

type Interval = 'day' | 'week' | 'month';

const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** The first day of the interval that a moment lies in; weeks begin on Monday. */
function startOf(at: string, interval: Interval): string {
  if (interval === 'month') return `${at.slice(0, 7)}-01`;
  const date = new Date(`${at.slice(0, 10)}T00:00:00Z`);
  if (interval === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

function next(date: string, interval: Interval): string {
  const at = new Date(`${date}T00:00:00Z`);
  if (interval === 'month') at.setUTCMonth(at.getUTCMonth() + 1);
  else at.setUTCDate(at.getUTCDate() + (interval === 'week' ? 7 : 1));
  return at.toISOString().slice(0, 10);
}

function intervalsOf(from: string, to: string, interval: Interval): string[] {
  const list: string[] = [];
  for (let date = startOf(from, interval); date <= to; date = next(date, interval)) list.push(date);
  return list;
}

/** The first moment that is no longer of the interval, or of the time that was asked for. */
const endOf = (date: string, interval: Interval, to: string): number =>
  Math.min(Date.parse(next(date, interval)), Date.parse(next(to, 'day')));

/** As PostgreSQL's percentile_cont: between two values, in proportion. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
}

const HISTORY = [
  'vulnerabilities',
  'code_smells',
  'sqale_index',
  'coverage',
  'lines_to_cover',
  'duplicated_lines',
  'lines',
];

interface Point {
  readonly at: number;
  /** Of this analysis. */
  readonly own: Record<string, number>;
  /** Known by then. */
  readonly values: Record<string, number>;
}

/** Each project's analyses in order, with every value that is known at each. */
async function history(keys: readonly string[]): Promise<Point[][]> {
  const found = await projects(keys);
  const rows = await r.rows<{ project_id: number; date: string; key: string; value: string | null }>(
    `select pm.project_id, pm.date, m.source_key as key, pm.value
       from sonarqube_project_metrics pm join sonarqube_metrics m on m.id = pm.metric_id order by pm.date`,
  );
  return found.map(({ id }) => {
    const points: Point[] = [];
    for (const { project_id, date, key, value } of rows) {
      if (project_id !== id || !HISTORY.includes(key) || value === null) continue;
      const at = Date.parse(date);
      const last = points.at(-1);
      if (last?.at === at) last.values[key] = last.own[key] = Number(value);
      else points.push({ at, own: { [key]: Number(value) }, values: { ...last?.values, [key]: Number(value) } });
    }
    return points;
  });
}

async function currentMeasures(): Promise<Map<string, number>> {
  const rows = await r.rows<{ project_id: number; key: string; value: string | null }>(
    `select c.project_id, m.source_key as key, c.value
       from sonarqube_current_measures c join sonarqube_metrics m on m.id = c.metric_id where c.deleted_at is null`,
  );
  return new Map(
    rows
      .filter(({ value }) => value !== null)
      .map(({ project_id, key, value }) => [`${project_id} ${key}`, Number(value)]),
  );
}
