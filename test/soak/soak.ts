/**
 * The soak: 200 connections of 20 projects, their hourly schedule compressed to seconds, three workers.
 * node test/soak/soak.ts [--minutes 15] [--connections 200] [--projects 20] [--workers 3] [--every 60]
 */
import { parseArgs } from 'node:util';
import { growth, soak } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    connections: { type: 'string', default: '200' },
    projects: { type: 'string', default: '20' },
    workers: { type: 'string', default: '3' },
    every: { type: 'string', default: '60' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const workers = Number(values.workers);
const { samples, ...result } = await soak({
  connections: Number(values.connections),
  projects: Number(values.projects),
  workers,
  seconds: Number(values.minutes) * 60,
  everySeconds: Number(values.every),
  say,
});
const faults: string[] = [];
const hold = (what: string, value: number, most: number): void => {
  say(`${what}: ${value.toFixed(3)} (at most ${most})`);
  if (value > most) faults.push(what);
};
say(JSON.stringify(result));
hold('runs doubled', result.doubled.length, 0);
hold('connections never synced', result.never, 0);
hold('runs that did not end complete', result.runs - (result.states['complete'] ?? 0), 0);
hold('latest run after its time, s', result.latestSeconds, 10);
for (let n = 0; n < workers; n += 1) {
  hold(
    `growth of memory, worker ${n + 1}`,
    growth(samples, ({ rss }) => rss[n] ?? 0),
    0.1,
  );
  hold(
    `growth of handles, worker ${n + 1}`,
    growth(samples, ({ handles }) => handles[n] ?? 0),
    0.1,
  );
}
hold(
  'growth of sessions',
  growth(samples, ({ sessions }) => sessions),
  0.1,
);
process.exitCode = faults.length > 0 ? 1 : 0;
