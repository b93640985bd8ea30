/** A first sync brings everything there is, from every version; a second one right away changes nothing. */
import { describe, expect, test, vi } from 'vitest';
import { actions, generate, type Version } from '../simulator/index.ts';
import { expectEqual, rig, serverMeasures } from './rig.ts';

const VERSIONS: readonly Version[] = ['10.0', '10.7', '25.12', '26.9'];

describe.each(VERSIONS)('SonarQube %s', (version) => {
  test('everything arrives, the ledger proves it, and a second run changes 0 rows', async () => {
    const data = generate({
      version,
      projects: 7,
      issuesPerProject: 180,
      hotspots: 12,
      analyses: 4,
      neverAnalysed: 1,
      seed: 3,
    });
    await using r = await rig({ version, data, keepHotspots: true });

    const first = await r.sync();
    expect(first.error).toBeNull();
    expect(first).toMatchObject({ state: 'complete', mode: 'full', shortfalls: [] });
    await expectEqual(r);

    const ledger = await r.rows<{ state: string; n: number }>(
      'select state, count(*)::int as n from sonarqube_completeness group by 1',
    );
    expect(ledger).toEqual([{ state: 'complete', n: 2 + 8 * 4 }]);

    r.requests();
    const second = await r.sync();
    expect(second).toMatchObject({ state: 'complete', mode: 'incremental', changes: 0 });
    const asked = r.requests();
    const total = Object.values(asked).reduce((sum, count) => sum + count, 0);
    expect(total - (asked['projects/search'] ?? 0), 'requests of a run that finds nothing new').toBeLessThanOrEqual(5);
  });

  test('current measures and the scorecard query give the value the server gives', async () => {
    const data = generate({ version, projects: 2, issuesPerProject: 10, analyses: 3, seed: 11 });
    await using r = await rig({ version, data });
    await r.sync();
    const { key } = r.sim.data.projects[0]!;
    const metrics = r.sim.metrics().map((metric) => metric.key);
    const server = await serverMeasures(r.sim, key, metrics);
    const stored = await r.rows<{ metric: string; value: string }>(
      `select m.source_key as metric, c.value from sonarqube_current_measures c
         join sonarqube_metrics m on m.id = c.metric_id join sonarqube_projects p on p.id = c.project_id
        where p.source_key = $1`,
      [key],
    );
    expect(new Map(stored.map(({ metric, value }) => [metric, value]))).toEqual(server);

    const scorecard = await r.rows<{ value: string }>(
      `select pm.value, pm.date
         from sonarqube_projects p
         join sonarqube_project_metrics pm on pm.project_id = p.id
         join sonarqube_metrics m          on m.id = pm.metric_id
        where p.source_key = $1 and m.name = 'Coverage' and pm.value is not null
        order by pm.date desc limit 1`,
      [key],
    );
    expect(scorecard[0]?.value).toBe(server.get('coverage'));
  });
});

test('the lists and the newest changes are asked for side by side, and the list that greets the server is used', async () => {
  const data = generate({ version: '25.12', projects: 3, issuesPerProject: 4, analyses: 1 });
  await using r = await rig({ version: '25.12', data, latencyMs: 300 });
  const run = r.sync();
  await vi.waitFor(() => expect(r.sim.log).toHaveLength(3));
  expect(r.sim.log.map(({ status }) => status)).not.toContain(200);
  r.sim.latency = 0;
  expect((await run).state).toBe('complete');
  expect(r.requests()).toMatchObject({ 'projects/search': 1, 'metrics/search': 1 });
  await expectEqual(r);
});

test('of a server that does not answer rightly nothing is stored', async () => {
  await using r = await rig({ data: generate({ projects: 1, issuesPerProject: 1, analyses: 1 }) });
  for (const action of [actions.forbidden(), { kind: 'answer', status: 200, body: '{"paging":{}}' } as const]) {
    r.sim.faults.always('projects/search', action);
    await expect(r.sync()).rejects.toThrow();
    r.sim.faults.clear();
    expect(await r.rows('select id from soundings.connections')).toEqual([]);
  }
  expect((await r.sync()).state).toBe('complete');
});

test('tables have the columns of the contract, in its order, before any of ours', async () => {
  await using r = await rig({ data: generate({ projects: 1, issuesPerProject: 1, analyses: 1 }) });
  const contract: Record<string, string> = {
    sonarqube_projects:
      'id source_key name qualifier visibility last_analysis_date api_accessible metrics_synced_to issues_synced_at metrics_synced_at',
    sonarqube_issues:
      'id source_key component rule severity project_id effort debt status issue_status issue_type clean_code_attribute_category clean_code_attribute created_at updated_at synced_at',
    sonarqube_tags: 'id name',
    sonarqube_issue_tags: 'id issue_id tag_id',
    sonarqube_security_hotspots:
      'id source_key component project_id security_category vulnerability_probability status rule_key created_at updated_at deleted_at',
    sonarqube_metrics: 'id source_id source_key source_type name domain api_accessible',
    sonarqube_project_metrics: 'id project_id metric_id date value period_mode period_parameter period_date',
  };
  for (const [table, columns] of Object.entries(contract)) {
    const wanted = columns.split(' ');
    const found = await r.rows<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
      [table],
    );
    expect(
      found.slice(0, wanted.length).map(({ name }) => name),
      table,
    ).toEqual(wanted);
  }
});
