/** A real SonarQube Server on this machine: first syncs beside the floor, and beside sonar-tools. */
import { startForwarder } from '../../test/real/forwarder.ts';
import { startServer, VERSIONS } from '../../test/real/server.ts';
import { peer } from '../peers.ts';
import { runSync, startFloor, type Synced } from '../processes.ts';
import type { Wanted } from '../processes/floor.ts';
import { realSet } from '../real-set.ts';
import { median } from '../report.ts';
import { closing, Scratch, type Bench } from '../suite.ts';
import { LEVELS } from './first.ts';

const WARMING = 5;
/** Each takes half a minute. */
const MOST_RUNS = 3;

export async function real(bench: Bench): Promise<void> {
  const started = await startServer({ version: VERSIONS.newest, log: bench.say, more: await realSet() });
  const scratch = new Scratch();
  const server = { url: started.url, token: started.adminToken };
  try {
    await closing(async (use) => {
      const asked: Wanted[] = [];
      const recording = await use(startForwarder(server.url, { answered: (one) => asked.push(one) }));
      await runSync({ ...server, url: recording.url }, await bench.freshStore());
      // what a project does not let be read is answered 403, which takes the server's time as well
      const floor = await use(startFloor(server.url, server.token));
      // a server that has just started gets faster for minutes: what is measured later would seem the quicker one
      for (let round = 0; round < WARMING; round++) await floor.run({ asked, parallel: 4 });
      const ours: number[] = [];
      const floors: number[] = [];
      let last: Synced | undefined;
      for (let run = 0; run < Math.min(bench.runs, MOST_RUNS); run++) {
        last = await runSync(server, await bench.freshStore());
        ours.push(last.report.seconds);
        const levels: number[] = [];
        for (const parallel of LEVELS) levels.push((await floor.run({ asked, parallel })) / 1000);
        floors.push(Math.min(...levels));
        bench.say(
          `sync ${ours.at(-1)?.toFixed(2)} s (CPU ${(last.cpuMs / 1000).toFixed(2)} s), floor ${floors.at(-1)?.toFixed(2)} s (${LEVELS.map((level, n) => `${level}: ${levels[n]?.toFixed(2)} s`).join(', ')})`,
        );
      }
      const read = (stream: string): number => last?.report.progress.streams[stream]?.read ?? 0;
      const [sync, bound] = [median(ours), median(floors)];
      const refused = asked.filter(({ status }) => status !== 200).length;
      bench.add({
        what: `first sync / floor, SonarQube ${VERSIONS.newest}`,
        value: sync / bound,
        unit: '×',
        most: 1.4,
        note: `${sync.toFixed(2)} s; floor ${bound.toFixed(2)} s; ${read('issues').toLocaleString('en')} issues; ${asked.length} requests, ${refused} of them refused`,
      });
      const theirs = await peer(bench, server, 'sonar-findings-export', await scratch.folder());
      const beside = (await runSync(server, await bench.freshStore())).report.seconds;
      const has = read('issues') + read('hotspots');
      bench.add({
        what: 'sonar-findings-export / first sync, real server',
        value: theirs.seconds / beside,
        unit: '×',
        least: 3,
        note: `${theirs.seconds.toFixed(1)} s, we ${beside.toFixed(1)} s; it wrote ${theirs.rows.toLocaleString('en')} of ${has.toLocaleString('en')} findings, we them all and the rest`,
      });
    });
  } finally {
    await started.stop();
    await scratch.clean();
  }
}
