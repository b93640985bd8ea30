/** Servers and data that are hard on a reader: throughput follows the server, memory does not. */
import { runSync, startSimulatorProcess } from '../processes.ts';
import { closing, type Bench } from '../suite.ts';
import { fewest, firstSync } from './first.ts';
import { growth } from './large.ts';

export async function bad(bench: Bench): Promise<void> {
  await closing(async (use) => {
    const simulator = await use(
      startSimulatorProcess({ version: '26.9', sizes: [{ projects: 40, issues: 1000 }], metrics: 12, latencyMs: 5 }),
    );
    const plain = await runSync(simulator.ready, await bench.freshStore());
    await simulator.slow({ after: 100, ms: 100 });
    const slowed = await runSync(simulator.ready, await bench.freshStore());
    bench.add({
      what: 'peak memory, a server that slows down 20-fold in mid-run',
      value: slowed.peakMb,
      unit: 'MB',
      most: 200,
      note: `${slowed.report.seconds.toFixed(1)} s; ${plain.report.seconds.toFixed(1)} s and ${plain.peakMb.toFixed(0)} MB without`,
    });
  });
  await closing(async (use) => {
    const projects = bench.quick ? 2 : 10;
    const simulator = await use(
      startSimulatorProcess({ version: '26.9', sizes: [{ projects, issues: 2000 }], metrics: 12, message: 16_000 }),
    );
    const run = await runSync(simulator.ready, await bench.freshStore());
    bench.add({
      what: 'peak memory, pages of 8 MB',
      value: run.peakMb,
      unit: 'MB',
      most: 250,
      note: `${run.report.seconds.toFixed(1)} s`,
    });
  });
  if (bench.quick) return;
  await closing(async (use) => {
    const simulator = await use(
      startSimulatorProcess({
        version: '26.9',
        sizes: [
          { projects: 1, issues: 200_000 },
          { projects: 10_000, issues: 5 },
        ],
        metrics: 12,
      }),
    );
    const run = await firstSync(simulator, await bench.freshStore());
    bench.add({
      what: 'peak memory, one project of 200,000 issues among 10,000 small ones',
      value: run.peakMb,
      unit: 'MB',
      most: 200,
      note: `${run.report.seconds.toFixed(0)} s; last quarter / second quarter ${growth(run).toFixed(2)}`,
    });
    const least = fewest(run.report, simulator.ready.projects, 3);
    bench.add({
      what: '… requests / fewest possible',
      value: run.asked.length / least,
      unit: '×',
      most: 1.05,
      note: `${run.asked.length} of ${least}`,
    });
  });
}
