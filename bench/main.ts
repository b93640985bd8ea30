/**
 * How fast the program is, against what nobody could do faster: npm run bench -- [--quick] [--only first,merge,…]
 * Every figure is a ratio of two things measured in this run, or says of what machine it speaks.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startUrlServer, type UrlServer } from './postgres.ts';
import { isMet, table, type Figure } from './report.ts';
import { Scratch, type Bench } from './suite.ts';
import { bad } from './suites/bad.ts';
import { first } from './suites/first.ts';
import { incremental } from './suites/incremental.ts';
import { large } from './suites/large.ts';
import { merge } from './suites/merge.ts';
import { processor } from './suites/processor.ts';
import { real } from './suites/real.ts';

const SUITES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  first,
  merge,
  incremental,
  processor,
  large,
  bad,
  real,
};
/** Without --only, --quick leaves these out. */
const SLOW = new Set(['large', 'bad', 'real']);

const { values: args } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, runs: { type: 'string' } },
});
const names = args.only?.split(',') ?? Object.keys(SUITES).filter((name) => !args.quick || !SLOW.has(name));
for (const name of names) {
  if (!(name in SUITES)) throw new Error(`There is no suite ${name}; there are ${Object.keys(SUITES).join(', ')}`);
}

const say = (line: string): boolean => process.stderr.write(`${line}\n`);
const figures: Figure[] = [];
const scratch = new Scratch();
let server: Promise<UrlServer> | undefined;
const bench: Bench = {
  quick: args.quick,
  runs: Number(args.runs ?? (args.quick ? 3 : 5)),
  say: (line) => say(`  ${line}`),
  add: (figure) => {
    figures.push(figure);
    say(
      `  = ${figure.what}: ${figure.value.toFixed(2)} ${figure.unit}${isMet(figure) === false ? ' (not met)' : ''} ${figure.note ?? ''}`,
    );
  },
  freshStore: async () => ({ dataDir: join(await scratch.folder(), 'data') }),
  freshUrl: async () => {
    server ??= scratch.folder().then(startUrlServer);
    const started = await server;
    return { store: { url: await started.fresh() }, version: started.version };
  },
};

const began = performance.now();
const load = loadavg()[0] ?? 0;
const failures: string[] = [];
try {
  for (const name of names) {
    say(`${name} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
    try {
      await SUITES[name]?.(bench);
    } catch (error) {
      failures.push(name);
      say(`  ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
} finally {
  await server?.then(
    (started) => started.close(),
    () => undefined, // the suite that wanted it has failed and said so
  );
  await scratch.clean();
}

const seconds = (performance.now() - began) / 1000;
const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
const head = `${new Date().toISOString().slice(0, 10)}, ${machine}; load at the start ${load.toFixed(1)}; ${seconds.toFixed(0)} s`;
process.stdout.write(`${head}\n\n${table(figures)}\n`);
const results = join(import.meta.dirname, 'results');
await mkdir(results, { recursive: true });
await writeFile(
  join(results, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`),
  JSON.stringify(
    { at: new Date().toISOString(), machine, load, seconds, quick: args.quick, failures, figures },
    null,
    2,
  ),
);
if (failures.length > 0) process.exitCode = 1;
