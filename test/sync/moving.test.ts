/** The server changes while it is read: nothing is lost, nothing is said to be complete that is not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { generate, type Issue } from '../simulator/index.ts';
import { expectEqual, rig, type Rig } from './rig.ts';

/** One thing that happens on the server between two requests. */
type Happening = 'accept' | 'assign' | 'tag' | 'analysis' | 'purge' | 'remove' | 'hotspot' | 'line';

function happen({ sim }: Rig, what: Happening, pick: number): void {
  const project = sim.data.projects[pick % sim.data.projects.length]!;
  const open = project.issues.filter(({ status }) => status === 'OPEN' || status === 'REOPENED');
  const issue: Issue | undefined = open[pick % Math.max(1, open.length)];
  if (!issue) return;
  const now = sim.now();
  const after = Math.max(now - 3600, (project.analyses.at(-1)?.date ?? 0) + 1);
  switch (what) {
    case 'accept':
      sim.mutate.accept(issue);
      break;
    case 'assign':
      sim.mutate.assign(issue, `developer${String(pick)}`);
      break;
    case 'tag':
      sim.mutate.tag(issue, [`tag${String(pick % 5)}`]);
      break;
    case 'analysis':
      sim.mutate.analysis(project.key, {
        date: after,
        close: [issue.key],
        add: [{ created: now - 86_400 * (1 + (pick % 900)), rule: issue.rule }],
      });
      break;
    case 'purge':
      sim.mutate.purgeClosed(project.key);
      break;
    case 'remove':
      sim.mutate.removeIssues([issue.key]);
      break;
    case 'hotspot':
      sim.mutate.addHotspot(project.key, {});
      break;
    case 'line':
      sim.mutate.analysis(project.key, { date: after, move: { [issue.key]: 1 } });
      break;
  }
}

const happening = fc.record({
  what: fc.constantFrom<Happening>('accept', 'assign', 'tag', 'analysis', 'purge', 'remove', 'hotspot', 'line'),
  pick: fc.nat(1000),
  /** Before which request it happens. */
  at: fc.integer({ min: 1, max: 40 }),
});

test(
  'after the last change one more run makes dated columns equal, and one audit everything',
  { timeout: 240_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 1000 }),
        async (happenings, seed) => {
          const data = generate({
            version: '25.12',
            projects: 4,
            issuesPerProject: 700,
            hotspots: 3,
            analyses: 2,
            seed,
          });
          await using r = await rig({ version: '25.12', data });
          let requests = 0;
          r.sim.faults.on(() => {
            requests += 1;
            for (const { what, pick, at } of happenings) if (at === requests) happen(r, what, pick);
            return undefined;
          });
          const first = await r.sync();
          expect(first.error).toBeNull();
          for (const { what, pick, at } of happenings) if (at > requests) happen(r, what, pick);
          requests = 1000;

          const second = await r.sync();
          expect(second.error).toBeNull();
          const later = new Date(Date.now() + 26 * 3_600_000);
          const audit = await r.sync({ now: () => later });
          expect(audit).toMatchObject({ state: 'complete', shortfalls: [] });
          await expectEqual(r);
          const lines = await r.rows<{ key: string; line: number | null }>(
            'select source_key as key, line from sonarqube_issues where deleted_at is null',
          );
          const server = new Map(
            r.sim.data.projects.flatMap(({ issues }) =>
              issues.map((i) => [i.key, i.status === 'CLOSED' ? null : (i.line ?? null)]),
            ),
          );
          expect(lines.filter(({ key, line }) => server.get(key) !== line)).toEqual([]);
        },
      ),
      { numRuns: 12 },
    );
  },
);

test('a run whose list moved until the end says moving, not complete, and the next one mends it', async () => {
  const data = generate({ version: '25.12', projects: 1, issuesPerProject: 1200, analyses: 1, seed: 2 });
  await using r = await rig({ version: '25.12', data });
  const { key, issues } = r.sim.data.projects[0]!;
  let n = 0;
  const stop = r.sim.faults.on(({ path }) => {
    // every page of issues finds one issue fewer than the page before
    if (path === '/api/issues/search') r.sim.mutate.removeIssues([issues[(n += 1)]!.key]);
    return undefined;
  });
  const report = await r.sync();
  expect(report.shortfalls.map(({ project, stream }) => [project, stream])).toEqual([[key, 'issues']]);
  stop();
  expect(await r.sync()).toMatchObject({ state: 'complete', shortfalls: [] });
  await expectEqual(r);
});
