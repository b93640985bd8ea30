/** Much of everything, once: a million issues, ten million points. */
import { openDatabase } from '../../src/db/database.ts';
import { runSync, startSimulatorProcess, type Synced } from '../processes.ts';
import type { SimulatorSetup } from '../processes/simulator.ts';
import { median } from '../report.ts';
import { closing, type Bench } from '../suite.ts';

/** Projects of 10,000 issues; and 1,000 projects × 100 analyses × as many metrics as have 100 values in each analysis. */
const ISSUES: SimulatorSetup = { version: '26.9', sizes: [{ projects: 100, issues: 10_000 }], metrics: 12 };
const POINTS: SimulatorSetup = { version: '26.9', sizes: [{ projects: 1000, issues: 1 }], analyses: 100, metrics: 177 };

/** Memory in the last quarter of a run against that in its second quarter: 1 is flat. */
export function growth({ memory }: Synced): number {
  const quarter = Math.floor(memory.length / 4);
  return Math.max(...memory.slice(-quarter)) / Math.max(...memory.slice(quarter, 2 * quarter));
}

export async function large(bench: Bench): Promise<void> {
  await closing(async (use) => {
    const simulator = await use(startSimulatorProcess(ISSUES));
    const run = await runSync(simulator.ready, await bench.freshStore());
    bench.add({
      what: 'peak memory, 1,000,000 issues',
      value: run.peakMb,
      unit: 'MB',
      most: 200,
      note: `${run.report.seconds.toFixed(0)} s; last quarter / second quarter ${growth(run).toFixed(2)}`,
    });
  });
  await closing(async (use) => {
    const simulator = await use(startSimulatorProcess(POINTS));
    const store = await bench.freshStore();
    const run = await runSync(simulator.ready, store);
    const points = run.report.progress.streams['measures_history']?.read ?? 0;
    const note = `${points.toLocaleString('en')} points; last quarter / second quarter ${growth(run).toFixed(2)}`;
    bench.add({ what: 'peak memory, 10,000,000 points', value: run.peakMb, unit: 'MB', most: 200, note });
    bench.add({
      what: '10,000,000 points stored in',
      value: (run.report.seconds / 60) * (10_000_000 / points),
      unit: 'min',
      most: 10,
      note: `${points.toLocaleString('en')} in ${run.report.seconds.toFixed(0)} s`,
    });
    const database = await openDatabase({ ...store, poolSize: 1 });
    try {
      const times: number[] = [];
      for (let n = 0; n < 5; n++) {
        const began = performance.now();
        await database.query(NEWEST);
        times.push(performance.now() - began);
      }
      bench.add({ what: 'newest value of one metric for all projects', value: median(times), unit: 'ms', most: 200 });
    } finally {
      await database.close();
    }
  });
}

const NEWEST = `select p.source_key, c.value from sonarqube_current_measures c
  join sonarqube_projects p on p.id = c.project_id join sonarqube_metrics m on m.id = c.metric_id where m.source_key = 'ncloc'`;
