/** sonar-tools from PyPI, in a virtual environment of the benchmark's own: the same server, and how many rows it got. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from './suite.ts';

const run = promisify(execFile);

export interface PeerRun {
  readonly seconds: number;
  /** Rows of what it wrote, its head apart. */
  readonly rows: number;
}

/** The folder of its commands; installed when it is not there. */
async function commands(say: Bench['say']): Promise<string> {
  const folder = join(tmpdir(), 'soundings-bench-peers');
  if (!existsSync(join(folder, 'bin', 'sonar-findings-export'))) {
    say('installing sonar-tools from PyPI');
    await mkdir(folder, { recursive: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'pip'), ['install', '-q', 'sonar-tools'], { maxBuffer: 1 << 26 });
  }
  return join(folder, 'bin');
}

interface Metrics {
  readonly metrics: readonly { readonly key: string; readonly hidden?: boolean }[];
}

/** Every metric that it knows of, by name: its `_all` needs one that not every server has. */
async function metricsOf({ url, token }: { readonly url: string; readonly token: string }): Promise<string> {
  const answer = await fetch(`${url}/api/metrics/search?ps=500`, { headers: { authorization: `Bearer ${token}` } });
  const { metrics } = (await answer.json()) as Metrics;
  return metrics.flatMap(({ key, hidden }) => (hidden ? [] : [key])).join(',');
}

/** One of its exports into a CSV file; its complaints are an error only where it wrote nothing. */
export async function peer(
  bench: Bench,
  server: { readonly url: string; readonly token: string },
  command: 'sonar-findings-export' | 'sonar-measures-export',
  folder: string,
): Promise<PeerRun> {
  const file = join(folder, `${command}-${performance.now().toFixed(0)}.csv`);
  const args = ['-u', server.url, '-t', server.token, '-f', file, '--format', 'csv', '--skipVersionCheck'];
  if (command === 'sonar-measures-export') args.push('-m', await metricsOf(server), '--history');
  const program = join(await commands(bench.say), command);
  const began = performance.now();
  const failure = await run(program, args, { cwd: folder, timeout: 300_000, maxBuffer: 1 << 28 }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const seconds = (performance.now() - began) / 1000;
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text === '') throw new Error(`${command} wrote nothing`, { cause: failure });
  return { seconds, rows: rowsOf(text) - 1 };
}

/** Rows of a CSV file: a line's end within quotes does not end one. */
function rowsOf(text: string): number {
  let rows = 0;
  let quoted = false;
  for (const character of text.trimEnd()) {
    if (character === '"') quoted = !quoted;
    else if (character === '\n' && !quoted) rows++;
  }
  return rows + 1;
}
