/**
 * A simulator as a process of its own, so that a benchmark does not count its work and memory:
 *
 *     node test/simulator/main.ts --projects 60 --issues 500 --latency 5
 *
 * Writes one line of JSON, {"url","tokens","issues"}, and runs until its standard input ends or it is told to stop.
 */
import { parseArgs } from 'node:util';
import { generate, startSimulator } from './index.ts';
import { VERSIONS } from './versions.ts';
import type { Version } from './versions.ts';

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: '26.9' },
    projects: { type: 'string', default: '10' },
    issues: { type: 'string', default: '1000' },
    analyses: { type: 'string', default: '20' },
    metrics: { type: 'string' },
    hotspots: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    'one-second': { type: 'boolean', default: false },
    latency: { type: 'string', default: '0' },
    port: { type: 'string', default: '0' },
    context: { type: 'string', default: '' },
  },
});

if (!Object.hasOwn(VERSIONS, values.version)) {
  throw new Error(`--version is one of ${Object.keys(VERSIONS).join(', ')}`);
}
const version = values.version as Version;
const data = generate({
  version,
  seed: Number(values.seed),
  projects: Number(values.projects),
  issuesPerProject: Number(values.issues),
  analyses: Number(values.analyses),
  hotspots: Number(values.hotspots),
  oneSecond: values['one-second'],
  ...(values.metrics === undefined ? {} : { metrics: Number(values.metrics) }),
});
const simulator = await startSimulator({
  version,
  data,
  latencyMs: Number(values.latency),
  context: values.context,
  port: Number(values.port),
  warm: true,
  log: false,
});
const issues = data.projects.reduce((sum, project) => sum + project.issues.length, 0);
console.log(JSON.stringify({ url: simulator.url, tokens: simulator.tokens, issues }));

const stop = (): void => {
  void simulator.close().then(() => process.exit(0));
};
process.stdin.on('end', stop).resume();
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
