/** Data sets: the same for the same seed, of any shape. */
import { describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { generate, startSimulator } from './index.ts';

describe('generate', () => {
  it('gives the same rows for the same seed and others for another', () => {
    const keys = (seed: number): string[] =>
      generate({ seed, issuesPerProject: 50 }).projects.flatMap((project) => project.issues.map((issue) => issue.key));
    expect(keys(1)).toEqual(keys(1));
    expect(keys(1)).not.toEqual(keys(2));
    expect(new Set(keys(1)).size).toBe(150);
    for (const key of keys(1)) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    for (const issue of generate({ keys: 'short' }).projects[0]!.issues) expect(issue.key).toMatch(/^[\w-]{20}$/);
  });

  it('makes data that hold together', () => {
    const data = generate({ projects: 4, issuesPerProject: 300, analyses: 12 });
    for (const project of data.projects) {
      const last = project.analyses.at(-1)!.date;
      expect(project.analyses.map((one) => one.date)).toEqual(
        project.analyses.map((one) => one.date).sort((a, b) => a - b),
      );
      for (const issue of project.issues) {
        expect(issue.updated).toBeGreaterThanOrEqual(issue.created);
        expect(issue.updated).toBeLessThanOrEqual(last);
        expect(issue.closed === undefined).toBe(issue.status !== 'CLOSED');
        expect(issue.resolution === undefined).toBe(issue.status !== 'CLOSED' && issue.status !== 'RESOLVED');
      }
      const open = project.issues.filter((issue) => issue.resolution === undefined).length;
      expect(data.measure(project, 'violations')).toBe(String(open));
    }
  });

  it('keeps the history and the present in step', async () => {
    const sim = await startSimulator({
      data: generate({ projects: 1, issuesPerProject: 40, analyses: 1500, projectKey: () => 'p' }),
    });
    const page = await ask(sim, 'measures/search_history?component=p&metrics=violations,ncloc,coverage&ps=1000&p=2');
    expect(page.json.paging.total).toBe(1500);
    const live = await ask(sim, 'measures/component?component=p&metricKeys=violations,ncloc,coverage');
    for (const { metric, history } of page.json.measures) {
      expect(history).toHaveLength(500);
      const now = live.json.component.measures.find((one) => one.metric === metric);
      expect(history.at(-1)?.value).toBe(now?.value);
    }
    await sim.close();
  });

  it('serves large sets page by page', async () => {
    const data = generate({ projects: 1, issuesPerProject: 100_000, projectKey: () => 'p' });
    const sim = await startSimulator({ data, warm: true, log: false });
    const seen = new Set<string>();
    let after = '';
    // the walk of a client: windows of 10,000 from date to date
    for (let window = 0; window < 40; window++) {
      let last = '';
      let total = 0;
      for (let p = 1; p <= 20; p++) {
        const reply = await ask(sim, `issues/search?componentKeys=p&s=CREATION_DATE&ps=500&p=${p}${after}`);
        total = reply.json.total;
        for (const row of reply.json.issues) {
          seen.add(row.key);
          last = String(row['creationDate']);
        }
        if (p * 500 >= total) break;
      }
      if (total <= 10_000) break;
      after = `&createdAfter=${encodeURIComponent(last)}`;
    }
    expect(seen.size).toBe(100_000);
    await sim.close();
  });
});
