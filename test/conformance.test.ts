/**
 * Every stream over every recording of a real server: what was answered is what is stored. The recordings are made by
 * `scripts/record.ts`; a request that they do not hold means that the program asks otherwise now: record them anew.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withinStore } from '../src/app/store.ts';
import { sync, type SyncReport } from '../src/app/sync.ts';
import type { Database } from '../src/db/database.ts';
import { testDatabase } from '../src/db/database.testing.ts';
import { readRecording, type Exchange } from '../src/sample/recording.ts';
import { SAMPLE, SAMPLE_TOKEN, startSampleServer, type SampleServer } from '../src/sample/server.ts';

const RECORDINGS: readonly [string, URL][] = [
  ['26.9', SAMPLE],
  ['10.0', new URL('recordings/sonarqube-10.0.jsonl.gz', import.meta.url)],
];

type Json = Record<string, unknown>;

describe.each(RECORDINGS)('recording of %s', (version, file) => {
  let database: Database;
  let server: SampleServer;
  let recording: Map<string, Exchange>;
  let first: SyncReport;

  /** Distinct records in the answers of an endpoint, by their key. */
  const recorded = (endpoint: string, list: string): Map<string, Json> =>
    new Map(
      [...recording.values()]
        .filter(({ request, status }) => request.startsWith(`/api/${endpoint}?`) && status === 200)
        .flatMap(({ body }) => (JSON.parse(body) as Record<string, Json[]>)[list] ?? [])
        .map((record) => [String(record['key']), record]),
    );
  const stored = async (table: string): Promise<Map<string, Json>> => {
    const { rows } = await database.query<Json>(`select * from ${table}`);
    return new Map(rows.map((row) => [String(row['source_key']), row]));
  };
  const run = async (): Promise<SyncReport> =>
    sync(await withinStore(database), {
      baseUrl: server.url,
      token: SAMPLE_TOKEN,
      signal: new AbortController().signal,
    });

  beforeAll(async () => {
    recording = await readRecording(file);
    server = await startSampleServer(file);
    database = await testDatabase();
    first = await run();
  });
  afterAll(async () => {
    await server.close();
    await database.close();
  });

  test('ends complete, a second run changes nothing, and both ask only what was recorded', async () => {
    expect(first).toMatchObject({ state: 'complete', error: null });
    expect(await run()).toMatchObject({ state: 'complete', changes: 0 });
    expect(server.unanswered).toEqual([]);
  });

  test.each([
    ['projects/search', 'components', 'sonarqube_projects', { name: 'name', visibility: 'visibility' }],
    ['metrics/search', 'metrics', 'sonarqube_metrics', { name: 'name', type: 'source_type', domain: 'domain' }],
    [
      'issues/search',
      'issues',
      'sonarqube_issues',
      {
        rule: 'rule',
        severity: 'severity',
        status: 'status',
        type: 'issue_type',
        message: 'message',
        line: 'line',
        effort: 'effort',
        hash: 'hash',
        component: 'component',
      },
    ],
    [
      'hotspots/search',
      'hotspots',
      'sonarqube_security_hotspots',
      {
        status: 'status',
        resolution: 'resolution',
        securityCategory: 'security_category',
        ruleKey: 'rule_key',
        line: 'line',
      },
    ],
  ])('%s: every record is a row, value by value', async (endpoint, list, table, fields) => {
    const wanted = recorded(endpoint, list);
    const found = await stored(table);
    expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
    if (version === '10.0' || endpoint !== 'hotspots/search') expect(wanted.size).toBeGreaterThan(0);
    for (const [key, record] of wanted) {
      for (const [field, column] of Object.entries(fields)) {
        expect(found.get(key)?.[column] ?? null, `${column} of ${key}`).toEqual(record[field] ?? null);
      }
    }
  });

  test('measures: every current value, and every point of history that has one', async () => {
    const measures = [...recording.values()]
      .filter(({ request, status }) => request.startsWith('/api/measures/component?') && status === 200)
      .flatMap(({ body }) => {
        const { component } = JSON.parse(body) as {
          component: { key: string; measures: { metric: string; value?: string; period?: { value?: string } }[] };
        };
        return component.measures.map(
          (one) => `${component.key} ${one.metric} ${one.value ?? one.period?.value ?? ''}`,
        );
      });
    const current = await database.query<{ text: string }>(
      `select p.source_key || ' ' || m.source_key || ' ' || coalesce(c.value, '') as text from sonarqube_current_measures c
         join sonarqube_projects p on p.id = c.project_id join sonarqube_metrics m on m.id = c.metric_id`,
    );
    expect(measures.length).toBeGreaterThan(0);
    expect(current.rows.map(({ text }) => text)).toEqual(
      expect.arrayContaining(measures.filter((text) => !text.startsWith('real-private '))),
    );

    const points = [...recording.values()]
      .filter(({ request, status }) => request.startsWith('/api/measures/search_history?') && status === 200)
      .flatMap(({ request, body }) => {
        const project = new URL(request, 'http://x').searchParams.get('component');
        const { measures: series } = JSON.parse(body) as {
          measures: { metric: string; history: { date: string; value?: string }[] }[];
        };
        return series.flatMap(({ metric, history }) =>
          history
            .filter(({ value }) => value !== undefined)
            .map(({ date, value }) => `${project} ${metric} ${new Date(date).toISOString()} ${value}`),
        );
      });
    const history = await database.query<{ project: string; metric: string; date: string; value: string }>(
      `select p.source_key as project, m.source_key as metric, pm.date, pm.value from sonarqube_project_metrics pm
         join sonarqube_projects p on p.id = pm.project_id join sonarqube_metrics m on m.id = pm.metric_id`,
    );
    expect(points.length).toBeGreaterThan(0);
    expect(history.rows.map(({ project, metric, date, value }) => `${project} ${metric} ${date} ${value}`)).toEqual(
      expect.arrayContaining(points),
    );
  });

  test('holds no credential', () => {
    const text = readFileSync(file);
    expect(text.length).toBeGreaterThan(0);
    for (const { request, body } of recording.values())
      expect(`${request} ${body}`).not.toMatch(/\bsq[uap]_[0-9a-f]{40}\b/);
  });
});
