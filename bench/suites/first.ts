/** First syncs of the standard set, beside the floor and the bare merge of the same rows. */
import {
  startFloor,
  startMerge,
  startSimulatorProcess,
  runSync,
  type SimulatorProcess,
  type StoreArgs,
  type Synced,
} from '../processes.ts';
import type { Asked, SimulatorSetup } from '../processes/simulator.ts';
import { MOST_AT_ONCE } from '../../src/source/pace.ts';
import { median } from '../report.ts';
import { startFront } from '../peer-front.ts';
import { peer } from '../peers.ts';
import { closing, Scratch, type Bench } from '../suite.ts';

/** 36,800 issues, 595 hotspots and about 44,600 points of 60 projects. */
export const STANDARD: SimulatorSetup = {
  version: '25.12',
  sizes: [
    { projects: 20, issues: 614 },
    { projects: 40, issues: 613 },
  ],
  analyses: 14,
  metrics: 84,
  hotspots: 595,
};

/**
 * Requests in flight that the floor may choose from: as many as the program itself may have. At 50 ms fewer than all of them
 * only wait longer.
 */
export const LEVELS = [2, 4, MOST_AT_ONCE];

/** A run and its requests. */
export interface First extends Synced {
  readonly asked: readonly Asked[];
}

/** A first sync into a new store. */
export async function firstSync(simulator: SimulatorProcess, store: StoreArgs): Promise<First> {
  await simulator.taken();
  const synced = await runSync(simulator.ready, store);
  const asked = await simulator.taken();
  return { ...synced, asked };
}

/** The fewest requests that could bring it: pages of 500, three a project, and the lists. */
export function fewest(report: Synced['report'], projects: number, lists: number): number {
  const issues = report.progress.streams['issues']?.read ?? 0;
  return Math.ceil(issues / 500) + 3 * projects + lists;
}

export async function first(bench: Bench): Promise<void> {
  await closing(async (use) => {
    const simulator = await use(startSimulatorProcess(STANDARD));
    const floor = await use(startFloor(simulator.ready.url, simulator.ready.token));
    const merge = await use(startMerge(await bench.freshStore()));
    const rows = await merge.collect(simulator.ready);
    bench.say(`rows: ${JSON.stringify(rows)}`);

    for (const latency of bench.quick ? [5, 50] : [0, 5, 50]) {
      await simulator.latency(latency);
      const ours: number[] = [];
      const floors: number[] = [];
      const merges: number[] = [];
      let last: First | undefined;
      for (let run = 0; run < bench.runs; run++) {
        last = await firstSync(simulator, await bench.freshStore());
        ours.push(last.report.seconds * 1000);
        const asked = last.asked.map(({ url, status }) => ({ path: url, status }));
        const levels: number[] = [];
        for (const parallel of latency === 50 ? [MOST_AT_ONCE] : LEVELS)
          levels.push(await floor.run({ asked, parallel }));
        floors.push(Math.min(...levels));
        if (latency === 5) merges.push((await merge.whole()).ms);
        bench.say(
          `${latency} ms: sync ${ours.at(-1)?.toFixed(0)} ms (CPU ${last.cpuMs.toFixed(0)} ms, peak ${last.peakMb.toFixed(0)} MB), floor ${floors.at(-1)?.toFixed(0)} ms, merge ${merges.at(-1)?.toFixed(0) ?? '–'} ms`,
        );
      }
      const [sync, bare, bound] = [median(ours), median(merges), median(floors)];
      const note = `${sync.toFixed(0)} ms; floor ${bound.toFixed(0)} ms`;
      if (latency === 50)
        bench.add({ what: 'first sync / floor, 50 ms', value: sync / bound, unit: '×', most: 1.1, note });
      else if (latency === 5) {
        const [name, limit] = bare > bound ? ['bare merge', bare] : ['floor', bound];
        bench.add({
          what: 'first sync / max(floor, bare merge), 5 ms',
          value: sync / limit,
          unit: '×',
          most: 1.15,
          note: `${note}; bare merge ${bare.toFixed(0)} ms; the larger is the ${name}`,
        });
      } else bench.add({ what: 'first sync / floor, 0 ms', value: sync / bound, unit: '×', note });
      if (latency === 5 && last) {
        const least = fewest(last.report, simulator.ready.projects, 3);
        bench.add({
          what: 'requests of a first sync / fewest possible',
          value: last.asked.length / least,
          unit: '×',
          most: 1.05,
          note: `${last.asked.length} of ${least}`,
        });
      }
    }

    if (!bench.quick) await beside(bench, simulator);
    await simulator.latency(5);
    const byUrl: number[] = [];
    let version = '';
    for (let run = 0; run < (bench.quick ? 1 : bench.runs); run++) {
      const fresh = await bench.freshUrl();
      version = fresh.version;
      byUrl.push((await firstSync(simulator, fresh.store)).report.seconds);
    }
    bench.add({
      what: 'first sync into a PostgreSQL by URL, 5 ms',
      value: median(byUrl),
      unit: 's',
      note: `PostgreSQL ${version}`,
    });
  });
}

/** sonar-tools on the same server; it needs two commands for what one sync brings. */
async function beside(bench: Bench, simulator: SimulatorProcess): Promise<void> {
  const scratch = new Scratch();
  const latencyMs = 5;
  await simulator.latency(latencyMs);
  const refused: string[] = [];
  const front = await startFront({
    target: simulator.ready.url,
    rules: await simulator.rules(),
    latencyMs,
    refused: (line) => refused.push(line),
  });
  try {
    const folder = await scratch.folder();
    const server = { url: front.url, token: simulator.ready.token };
    const findings = await peer(bench, server, 'sonar-findings-export', folder);
    const measures = await peer(bench, server, 'sonar-measures-export', folder);
    if (refused.length > 0) throw new Error(`it asked what nobody answers, such as ${refused[0] ?? ''}`);
    const runs: First[] = [];
    for (let run = 0; run < bench.runs; run++) runs.push(await firstSync(simulator, await bench.freshStore()));
    const ours = runs[0]?.report;
    const seconds = median(runs.map(({ report }) => report.seconds));
    const theirs = findings.seconds + measures.seconds;
    const read = (stream: string): number => ours?.progress.streams[stream]?.read ?? 0;
    const text = (count: number): string => count.toLocaleString('en');
    bench.add({
      what: 'sonar-tools / first sync, simulator at 5 ms',
      value: theirs / seconds,
      unit: '×',
      least: 5,
      note: `${findings.seconds.toFixed(1)} s for ${text(findings.rows)} findings, ${measures.seconds.toFixed(1)} s for ${text(measures.rows)} points; we ${seconds.toFixed(1)} s for ${text(read('issues') + read('hotspots'))} and ${text(read('measures_history'))}`,
    });
  } catch (error) {
    bench.say(`sonar-tools does not run on the simulator: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await front.close();
    await scratch.clean();
  }
}
