/** A real SonarQube Server on this machine: first syncs beside the floor, and beside sonar-tools. */
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startServer, VERSIONS } from '../../test/real/server.ts';
import { peer } from '../peers.ts';
import { runSync, startFloor, type Synced } from '../processes.ts';
import { median } from '../report.ts';
import { closing, Scratch, type Bench } from '../suite.ts';

/** Writes down which paths are asked, and hands them on. */
async function recorder(target: string): Promise<{ url: string; paths: string[]; close: () => Promise<void> }> {
  const paths: string[] = [];
  const server = createServer(({ url = '/', headers }, response) => {
    paths.push(url);
    const onward = request(new URL(url, target), { headers }, (answer: IncomingMessage) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => response.destroy());
    onward.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export async function real(bench: Bench): Promise<void> {
  const started = await startServer({ version: VERSIONS.newest, log: bench.say });
  const scratch = new Scratch();
  const server = { url: started.url, token: started.adminToken };
  try {
    await closing(async (use) => {
      const recording = await use(recorder(server.url));
      await runSync({ ...server, url: recording.url }, await bench.freshStore());
      // what one project does not let be read is a 403, and takes the server's time as well
      const paths = recording.paths.filter((path) => !path.includes('real-private'));
      const floor = await use(startFloor(server.url, server.token));
      const ours: number[] = [];
      const floors: number[] = [];
      let last: Synced | undefined;
      for (let run = 0; run < bench.runs; run++) {
        last = await runSync(server, await bench.freshStore());
        ours.push(last.report.seconds);
        const levels: number[] = [];
        for (const parallel of [2, 4]) levels.push((await floor.run({ paths, parallel })) / 1000);
        floors.push(Math.min(...levels));
        bench.say(`sync ${ours.at(-1)?.toFixed(2)} s, floor ${floors.at(-1)?.toFixed(2)} s`);
      }
      const issues = last?.report.progress.streams['issues']?.read ?? 0;
      const [sync, bound] = [median(ours), median(floors)];
      bench.add({
        what: `first sync / floor, SonarQube ${VERSIONS.newest}`,
        value: sync / bound,
        unit: '×',
        most: 1.4,
        note: `${sync.toFixed(2)} s; floor ${bound.toFixed(2)} s; ${issues.toLocaleString('en')} issues`,
      });
      const theirs = await peer(bench, server, 'sonar-findings-export', await scratch.folder());
      bench.add({
        what: 'sonar-findings-export / first sync, real server',
        value: theirs.seconds / sync,
        unit: '×',
        least: 3,
        note: `${theirs.seconds.toFixed(1)} s; it wrote ${theirs.rows.toLocaleString('en')} rows, we ${issues.toLocaleString('en')} issues and all else`,
      });
    });
  } finally {
    await started.stop();
    await scratch.clean();
  }
}
