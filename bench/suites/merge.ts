/** The merge alone: rows in memory into a table, against a bare COPY of the same rows into one without indexes. */
import { startMerge, startSimulatorProcess } from '../processes.ts';
import type { Comparison, Cost } from '../processes/merge.ts';
import { median } from '../report.ts';
import { closing, type Bench } from '../suite.ts';

export async function merge(bench: Bench): Promise<void> {
  await closing(async (use) => {
    const each = bench.quick ? 1 : 4;
    const simulator = await use(
      startSimulatorProcess({
        version: '25.12',
        sizes: [{ projects: 10 * each, issues: 5000 }],
        analyses: 50,
        metrics: 112,
      }),
    );
    const process = await use(startMerge(await bench.freshStore()));
    await process.collect(simulator.ready);
    await simulator.close();
    for (const [stream, name] of [
      ['issues', 'issues'],
      ['measures_history', 'points'],
    ] as const) {
      const runs: Comparison[] = [];
      for (let run = 0; run < bench.runs; run++) {
        const got = await process.compare(stream);
        runs.push(got);
        const say = (cost: Cost): string =>
          `${((got.rows / cost.ms) * 1000).toFixed(0)} rows/s (CPU per 1,000: ${((cost.cpuMs / got.rows) * 1000).toFixed(1)} + ${((cost.databaseMs / got.rows) * 1000).toFixed(1)} ms)`;
        bench.say(`${name}: bare ${say(got.bare)}, new ${say(got.fresh)}, unchanged ${say(got.unchanged)}`);
      }
      const rows = runs[0]?.rows ?? 0;
      const of = (pick: (one: Comparison) => number): number => median(runs.map(pick));
      const rate = (pick: (one: Comparison) => number): string =>
        `${((rows / of(pick)) * 1000).toLocaleString('en', { maximumFractionDigits: 0 })} rows/s`;
      bench.add({
        what: `merge of new ${name} / bare COPY of them`,
        value: of((one) => one.bare.ms / one.fresh.ms),
        unit: '×',
        least: 0.25,
        note: `${rate((one) => one.fresh.ms)}; COPY ${rate((one) => one.bare.ms)}; ${rows.toLocaleString('en')} rows`,
      });
      bench.add({
        what: `merge of unchanged ${name} / of new ones, in speed`,
        value: of((one) => one.fresh.ms / one.unchanged.ms),
        unit: '×',
        least: 1.8,
        note: rate((one) => one.unchanged.ms),
      });
      bench.add({ what: `… dead tuples`, value: of((one) => one.unchanged.deadTuples), unit: '', most: 0 });
      bench.add({ what: `… WAL a row`, value: of((one) => one.unchanged.walBytes / one.rows), unit: 'B', most: 5 });
      bench.add({ what: `… sequence values`, value: of((one) => one.unchanged.sequenceValues), unit: '', most: 0 });
    }
  });
}
