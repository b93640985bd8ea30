/** A simulated server as a process of its own, steered by messages: its work and memory are not the program's. */
import { generate, startSimulator, type Simulator } from '../../test/simulator/index.ts';
import type { Rule } from '../../test/simulator/dataset.ts';
import { VERSIONS, type Version } from '../../test/simulator/versions.ts';
import { answer } from './answering.ts';

/** What a simulated server holds. */
export interface SimulatorSetup {
  readonly version: Version;
  /** Projects by size: so many projects of so many issues. */
  readonly sizes: readonly { readonly projects: number; readonly issues: number }[];
  readonly analyses?: number;
  readonly metrics?: number;
  /** Hotspots over all projects. */
  readonly hotspots?: number;
  readonly latencyMs?: number;
  /** Every issue's message is so many characters long. */
  readonly message?: number;
}

export interface Asked {
  readonly url: string;
  readonly status: number;
  readonly bytes: number;
  /** Milliseconds on this process's clock. */
  readonly start: number;
  readonly end: number;
}

/** What the simulator process can be asked for. */
export interface SimulatorOps {
  /** Requests since the last call. */
  taken(): Asked[];
  /** Its rules, which the program does not read. */
  rules(): Rule[];
  latency(ms: number): void;
  /** From the request after so many on, every answer takes so many milliseconds. */
  slow(input: { after: number; ms: number }): void;
  /** Every n-th project is analysed again: one issue closed, one new. Returns how many. */
  analyse(every: number): number;
}

const setup = JSON.parse(process.argv[2] ?? '{}') as SimulatorSetup;
if (!(setup.version in VERSIONS)) throw new Error(`There is no version ${setup.version}`);
const counts = setup.sizes.flatMap(({ projects, issues }) => Array.from({ length: projects }, () => issues));
const hotspots = setup.hotspots ?? 0;
const data = generate({
  version: setup.version,
  seed: 7,
  projects: counts.length,
  issuesPerProject: (n) => counts[n] ?? 0,
  analyses: setup.analyses ?? 1,
  hotspots: (n) => Math.floor(((n + 1) * hotspots) / counts.length) - Math.floor((n * hotspots) / counts.length),
  ...(setup.metrics !== undefined && { metrics: setup.metrics }),
});
if (setup.message !== undefined) {
  const message = 'This message is as long as some analyzers make them. '.repeat(Math.ceil(setup.message / 53));
  for (const project of data.projects) for (const issue of project.issues) issue.message = message;
}
const simulator: Simulator = await startSimulator({
  version: setup.version,
  data,
  latencyMs: setup.latencyMs ?? 0,
  warm: true,
});

answer(
  {
    taken: () =>
      simulator.log.splice(0).map(({ url, status, bytes, start, end }) => ({ url, status, bytes, start, end })),
    rules: () => [...data.rules.values()],
    latency: (ms) => void (simulator.latency = ms),
    slow: ({ after, ms }) => {
      let asked = 0;
      simulator.latency = () => (++asked > after ? ms : (setup.latencyMs ?? 0));
    },
    analyse: (every) => {
      const chosen = data.projects.filter((_, n) => n % every === 0);
      for (const project of chosen) {
        const open = project.issues.find(({ status }) => status === 'OPEN');
        simulator.mutate.analysis(project.key, {
          add: [{ rule: 'java:S1135', path: 'src/main/New.java' }],
          close: open ? [open.key] : [],
        });
      }
      return chosen.length;
    },
  } satisfies SimulatorOps,
  {
    url: simulator.url,
    token: simulator.tokens.admin,
    issues: counts.reduce((sum, count) => sum + count, 0),
    projects: counts.length,
  },
);
