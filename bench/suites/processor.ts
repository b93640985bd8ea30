/** What the program itself takes: CPU per row, and how long it takes to be there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runProgram, runSync, startSimulatorProcess, storeFlags, PROGRAM } from '../processes.ts';
import { median } from '../report.ts';
import { closing, Scratch, type Bench } from '../suite.ts';

export async function processor(bench: Bench): Promise<void> {
  await cpu(bench);
  await starts(bench);
}

/** By the difference of two runs: what both take anyway, the start of the program above all, is not the rows'. */
async function cpu(bench: Bench): Promise<void> {
  await closing(async (use) => {
    const projects = 60;
    const setup = { version: '25.12', analyses: 1, metrics: 12 } as const;
    const many = await use(startSimulatorProcess({ ...setup, sizes: [{ projects, issues: 1000 }] }));
    const few = await use(startSimulatorProcess({ ...setup, sizes: [{ projects, issues: 1 }] }));
    const rows = many.ready.issues - few.ready.issues;
    const per: number[] = [];
    for (let run = 0; run < bench.runs; run++) {
      const large = await runSync(many.ready, await bench.freshStore());
      const small = await runSync(few.ready, await bench.freshStore());
      per.push(((large.cpuMs - small.cpuMs) / rows) * 1000);
      bench.say(
        `CPU: ${large.cpuMs.toFixed(0)} ms with ${many.ready.issues} issues, ${small.cpuMs.toFixed(0)} ms with ${few.ready.issues}`,
      );
    }
    await many.taken();
    const parsing = await parseAlone(many.ready, bench.runs);
    bench.add({
      what: 'CPU of the program per 1,000 issues, without PostgreSQL',
      value: median(per),
      unit: 'ms',
      most: 25,
      note: `JSON.parse alone ${parsing.toFixed(1)} ms`,
    });
  });
}

/** Milliseconds of JSON.parse per 1,000 issues, text made from bytes included; after a first round to warm up. */
async function parseAlone(server: { url: string; token: string }, runs: number): Promise<number> {
  const pages: Buffer[] = [];
  for (let page = 1; page <= 20; page++) {
    const response = await fetch(
      `${server.url}/api/issues/search?ps=500&p=${page}&additionalFields=ruleDescriptionContextKey`,
      {
        headers: { authorization: `Bearer ${server.token}` },
      },
    );
    pages.push(Buffer.from(await response.arrayBuffer()));
  }
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const began = process.cpuUsage();
    for (const page of pages) JSON.parse(page.toString());
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1000 / ((pages.length * 500) / 1000));
  }
  return median(times.slice(1));
}

async function starts(bench: Bench): Promise<void> {
  const help: number[] = [];
  const nothing: number[] = [];
  for (let run = 0; run < bench.runs + 2; run++) {
    help.push(await timed(process.execPath, [PROGRAM, '--help']));
    nothing.push(await timed(process.execPath, ['-e', '0']));
  }
  bench.add({
    what: '--help',
    value: median(help),
    unit: 'ms',
    most: 150,
    note: `node -e 0: ${median(nothing).toFixed(0)} ms`,
  });

  const scratch = new Scratch();
  try {
    const store = storeFlags(await bench.freshStore());
    const key = { SOUNDINGS_KEY_FILE: `${await scratch.folder()}/key` };
    await runProgram(['status', ...store]);
    await serveUntilReady(store, key);
    const second: number[] = [];
    for (let run = 0; run < bench.runs; run++) second.push(await serveUntilReady(store, key));
    bench.add({ what: 'soundings serve ready, second start', value: median(second) / 1000, unit: 's', most: 1.5 });
  } finally {
    await scratch.clean();
  }
}

async function timed(program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(program, args, { stdio: 'ignore' });
  await once(child, 'close');
  return performance.now() - began;
}

/** Milliseconds until it says that it runs. */
async function serveUntilReady(store: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0', ...store], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'close');
  let said = '';
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('runs at http')) resolve();
    });
    child.once('close', () => reject(new Error(`serve ended: ${complaint}`)));
  });
  const ms = performance.now() - began;
  child.kill('SIGTERM');
  await ended;
  return ms;
}
