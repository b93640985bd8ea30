/** The processes of a benchmark: those that answer calls, and the program under test in its built form. */
import { fork, spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reply } from './processes/answering.ts';
import type { FloorOps } from './processes/floor.ts';
import type { MergeOps } from './processes/merge.ts';
import type { SimulatorOps, SimulatorSetup } from './processes/simulator.ts';
import type { SyncReport } from '../src/app/sync.ts';

const here = import.meta.dirname;
export const PROGRAM = join(here, '../bin/soundings.js');

type Async<Ops> = {
  [Op in keyof Ops]: Ops[Op] extends (...input: infer I) => infer R ? (...input: I) => Promise<Awaited<R>> : never;
};

/** A process that answers calls. */
export type Remote<Ops, Ready> = Async<Ops> & { readonly ready: Ready; readonly pid: number; close(): Promise<void> };

async function remote<Ops extends object, Ready>(
  file: string,
  ...args: readonly unknown[]
): Promise<Remote<Ops, Ready>> {
  const child = fork(
    join(here, 'processes', file),
    args.map((one) => JSON.stringify(one)),
    {
      execArgv: ['--max-old-space-size=8192'],
      serialization: 'advanced',
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const waiting = new Map<number, (reply: Reply) => void>();
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  void ended.then(() => {
    for (const [id, tell] of waiting) tell({ id, error: `${file} ended` });
  });
  const reply = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(id, (got) => ('error' in got ? reject(new Error(got.error)) : resolve(got.result)));
    });
  const ready = (await reply(0)) as Ready;
  let last = 0;
  const own = {
    ready,
    pid: child.pid ?? 0,
    close: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
  return new Proxy(own, {
    get: (target, op) => {
      // a promise would be asked for `then`
      if (typeof op === 'symbol' || op === 'then' || op in target) return Reflect.get(target, op) as unknown;
      return (input: unknown) => {
        const id = ++last;
        const answered = reply(id);
        child.send({ id, op, input });
        return answered;
      };
    },
  }) as unknown as Remote<Ops, Ready>;
}

export type SimulatorProcess = Remote<SimulatorOps, { url: string; token: string; issues: number; projects: number }>;

export const startSimulatorProcess = (setup: SimulatorSetup): Promise<SimulatorProcess> =>
  remote('simulator.ts', setup);
export const startFloor = (url: string, token: string): Promise<Remote<FloorOps, null>> =>
  remote('floor.ts', url, token);
export const startMerge = (store: StoreArgs): Promise<Remote<MergeOps, null>> => remote('merge.ts', store);

/** Where the program stores: as its flags say it. */
export type StoreArgs = { readonly dataDir: string } | { readonly url: string };

export const storeFlags = (store: StoreArgs): string[] =>
  'dataDir' in store ? ['--data-dir', store.dataDir] : ['--database', store.url];

/** What one run of the program took. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** User and system together, and system alone. */
  readonly cpuMs: number;
  readonly systemMs: number;
  readonly peakMb: number;
  /** Resident memory in MB over time, four times a second. */
  readonly memory: readonly number[];
}

/** What the caller's environment may say to the program: nothing but where programs are. */
const PASSED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];
let notes = 0;

/** Runs the program; `node` are options for Node itself. */
export async function runProgram(
  args: readonly string[],
  {
    token,
    env = {},
    node = [],
  }: { token?: string; env?: Readonly<Record<string, string>>; node?: readonly string[] } = {},
): Promise<Ran> {
  const note = join(process.env['TMPDIR'] ?? '/tmp', `bench-note-${process.pid}-${++notes}.json`);
  const began = performance.now();
  const child = spawn(process.execPath, [...node, '--import', join(here, 'processes/exit.mjs'), PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(PASSED.map((name) => [name, process.env[name]])),
      ...(token !== undefined && { SOUNDINGS_TOKEN: token }),
      ...env,
      BENCH_NOTE: note,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const memory: number[] = [];
  const sampling = setInterval(() => {
    residentMb(child.pid ?? 0).then(
      (mb) => mb !== undefined && memory.push(mb),
      () => undefined,
    );
  }, 250);
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
  clearInterval(sampling);
  const ms = performance.now() - began;
  const { cpuMs, systemMs, peakKb } = JSON.parse(await readFile(note, 'utf8')) as {
    cpuMs: number;
    systemMs: number;
    peakKb: number;
  };
  await rm(note, { force: true });
  return { code, stdout, stderr, ms, cpuMs, systemMs, peakMb: peakKb / 1024, memory };
}

async function residentMb(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kb = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kb === undefined ? undefined : Number(kb) / 1024;
}

export interface Synced extends Ran {
  readonly report: SyncReport;
}

/** One `soundings sync`; fails loudly when it did not end complete. */
export async function runSync(
  server: { readonly url: string; readonly token: string },
  store: StoreArgs,
  options: { flags?: readonly string[]; node?: readonly string[]; mayFail?: boolean } = {},
): Promise<Synced> {
  const ran = await runProgram(
    ['sync', '--url', server.url, '--json', ...storeFlags(store), ...(options.flags ?? [])],
    {
      token: server.token,
      ...(options.node && { node: options.node }),
    },
  );
  if (ran.code !== 0 && !options.mayFail) throw new Error(`sync ended with ${ran.code}: ${ran.stderr}${ran.stdout}`);
  return { ...ran, report: JSON.parse(ran.stdout) as SyncReport };
}
