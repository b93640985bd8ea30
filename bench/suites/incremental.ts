/** Syncs after the first: nothing changed, and one project in a hundred did. */
import { runSync, startSimulatorProcess, type Synced } from '../processes.ts';
import type { Asked } from '../processes/simulator.ts';
import { median } from '../report.ts';
import { closing, type Bench } from '../suite.ts';

const beyondLists = (asked: readonly Asked[]): number =>
  asked.filter(({ url }) => !url.startsWith('/api/projects/search')).length;

export async function incremental(bench: Bench): Promise<void> {
  await closing(async (use) => {
    const simulator = await use(
      startSimulatorProcess({
        version: '25.12',
        sizes: [{ projects: 1000, issues: 30 }],
        analyses: 3,
        metrics: 30,
        hotspots: 500,
        latencyMs: 5,
      }),
    );
    const store = await bench.freshStore();
    const again = async (): Promise<Synced & { requests: number }> => {
      await simulator.taken();
      const synced = await runSync(simulator.ready, store);
      return { ...synced, requests: beyondLists(await simulator.taken()) };
    };
    const whole = await again();
    bench.add({
      what: 'first sync of 1,000 projects, 30,000 issues, 5 ms',
      value: whole.report.seconds,
      unit: 's',
      note: `${whole.requests} requests`,
    });
    await again(); // the first after it settles what its end left open
    type Again = Awaited<ReturnType<typeof again>>;
    const most = (runs: readonly Again[]): number => Math.max(...runs.map(({ requests }) => requests));
    const ms = (runs: readonly Again[]): string =>
      `${median(runs.map(({ report }) => report.seconds * 1000)).toFixed(0)} ms`;
    const same: Again[] = [];
    const changed: Again[] = [];
    const after: Again[] = [];
    for (let run = 0; run < bench.runs; run++) same.push(await again());
    for (let run = 0; run < bench.runs; run++) {
      await simulator.analyse(100);
      changed.push(await again());
      // what changed within the quarter of an hour before is read once more: the server's index may lag
      after.push(await again());
    }
    bench.add({
      what: 'no-change sync of 1,000 projects, requests beyond projects/search',
      value: most(same),
      unit: '',
      most: 5,
      note: ms(same),
    });
    bench.add({
      what: '1 %-changed sync of 1,000 projects',
      value: median(changed.map(({ report }) => report.seconds)),
      unit: 's',
      note: `${median(changed.map(({ requests }) => requests))} requests, ${median(changed.map(({ report }) => report.changes))} rows changed`,
    });
    bench.add({
      what: '… and right after it with nothing changed, requests beyond projects/search',
      value: most(after),
      unit: '',
      note: `${ms(after)}; what 10 projects changed is read once more for a quarter of an hour`,
    });
  });
}
