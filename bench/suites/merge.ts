/** The merge alone: rows in memory into a table, against a bare COPY of the same rows into one without indexes. */
import { startMerge, startSimulatorProcess } from '../processes.ts';
import type { Comparison, Cost } from '../processes/merge.ts';
import { median } from '../report.ts';
import { closing, type Bench } from '../suite.ts';

const total = ({ cpuMs, databaseMs }: Cost): number => cpuMs + databaseMs;

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
        bench.say(
          `${name}: bare ${say(got.bare)}, new ${say(got.fresh)}, of known projects ${say(got.known)}, unchanged ${say(got.unchanged)}`,
        );
      }
      const rows = runs[0]?.rows ?? 0;
      const of = (pick: (one: Comparison) => number): number => median(runs.map(pick));
      const rate = (pick: (one: Comparison) => number): string =>
        `${((rows / of(pick)) * 1000).toLocaleString('en', { maximumFractionDigits: 0 })} rows/s`;
      for (const [which, pick] of [
        ['new', (one: Comparison) => one.fresh],
        ['new, of known projects', (one: Comparison) => one.known],
      ] as const) {
        bench.add({
          what: `write of ${name} (${which}) / bare COPY of them`,
          value: of((one) => one.bare.ms / pick(one).ms),
          unit: '×',
          least: 0.25,
          note: `${rate((one) => pick(one).ms)}; COPY ${rate((one) => one.bare.ms)}; by CPU ${of((one) => total(one.bare) / total(pick(one))).toFixed(2)}; ${rows.toLocaleString('en')} rows`,
        });
      }
      bench.add({
        what: `merge of unchanged ${name} / of new ones, in speed`,
        value: of((one) => one.known.ms / one.unchanged.ms),
        unit: '×',
        least: 1.8,
        note: `${rate((one) => one.unchanged.ms)}; by CPU ${of((one) => total(one.known) / total(one.unchanged)).toFixed(2)}`,
      });
      bench.add({ what: `… dead tuples`, value: of((one) => one.unchanged.deadTuples), unit: '', most: 0 });
      bench.add({ what: `… WAL a row`, value: of((one) => one.unchanged.walBytes / one.rows), unit: 'B', most: 5 });
      bench.add({ what: `… sequence values`, value: of((one) => one.unchanged.sequenceValues), unit: '', most: 0 });
    }
  });
}
