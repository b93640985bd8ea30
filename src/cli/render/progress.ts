/** Progress for people on stderr: bars on a terminal, a line every few seconds elsewhere. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Progress } from '../../protocol/progress.ts';

export interface ProgressView {
  readonly show: (progress: Progress) => void;
  readonly close: () => void;
}

const LINE_EVERY_MS = 5000;
const NAMES: Readonly<Record<string, string>> = {
  projects: 'projects',
  metrics: 'metrics',
  analyses: 'analyses',
  measures: 'measures',
  measures_history: 'history',
  issues: 'issues',
  hotspots: 'hotspots',
};

export function progressView(output: NodeJS.WriteStream): ProgressView {
  return output.isTTY ? bars(output) : lines(output);
}

function bars(output: NodeJS.WriteStream): ProgressView {
  const format = '  {name} {bar} {percent} {count}';
  const multi = new MultiBar(
    { stream: output, format, clearOnComplete: false, hideCursor: true, barsize: 30 },
    Presets.rect,
  );
  const byName = new Map<string, SingleBar>();
  const update = (name: string, done: number, total: number | null): void => {
    const payload = {
      name: (NAMES[name] ?? name).padEnd(9),
      percent:
        total === null
          ? '     '
          : `${String(total === 0 ? 100 : Math.floor((100 * Math.min(done, total)) / total)).padStart(3)} %`,
      count:
        total === null
          ? `${done.toLocaleString('en')} rows`
          : `${Math.min(done, total).toLocaleString('en')} of ${total.toLocaleString('en')}`,
    };
    let bar = byName.get(name);
    if (!bar) byName.set(name, (bar = multi.create(total ?? Math.max(done, 1), 0, payload)));
    bar.setTotal(total ?? Math.max(done, 1));
    bar.update(total === null ? 0 : Math.min(done, total), payload);
  };
  return {
    show: (progress) => {
      if (progress.projects.total !== null) update('projects', progress.projects.done, progress.projects.total);
      for (const name of ['issues', 'measures_history', 'hotspots']) {
        const stream = progress.streams[name];
        if (stream) update(name, stream.read, name === 'issues' ? stream.expected : null);
      }
    },
    close: () => multi.stop(),
  };
}

function lines(output: NodeJS.WriteStream): ProgressView {
  let last = Date.now();
  return {
    show: (progress) => {
      const now = Date.now();
      if (now - last < LINE_EVERY_MS) return;
      last = now;
      output.write(`${summary(progress)}\n`);
    },
    close: () => undefined,
  };
}

/** One line: projects done, rows read, requests made. */
export function summary({ projects, streams, requests }: Progress): string {
  const rows = Object.values(streams).reduce((sum, stream) => sum + stream.read, 0);
  const done = projects.total === null ? 'listing projects' : `${projects.done} of ${projects.total} projects`;
  return `${done}, ${rows.toLocaleString('en')} rows read, ${requests.toLocaleString('en')} requests`;
}
