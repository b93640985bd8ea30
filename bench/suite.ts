/** What every suite of the benchmark gets and gives. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreArgs } from './processes.ts';
import type { Figure } from './report.ts';

export interface Bench {
  readonly quick: boolean;
  /** Repetitions whose median counts. */
  readonly runs: number;
  readonly say: (line: string) => void;
  readonly add: (figure: Figure) => void;
  /** A store that does not exist yet. */
  readonly freshStore: () => Promise<StoreArgs>;
  /** A PostgreSQL reached by URL, started on the first call: an empty database on it. */
  readonly freshUrl: () => Promise<{ readonly store: StoreArgs; readonly version: string }>;
}

/** Several processes of one suite, each closed in the end whatever happens. */
export async function closing<T>(
  run: (use: <C extends { close(): Promise<void> }>(one: Promise<C>) => Promise<C>) => Promise<T>,
): Promise<T> {
  const opened: { close(): Promise<void> }[] = [];
  try {
    return await run(async (one) => {
      const got = await one;
      opened.push(got);
      return got;
    });
  } finally {
    for (const one of opened.reverse()) await one.close().catch(() => undefined);
  }
}

/** A folder for the time of the benchmark. */
export class Scratch {
  readonly #made: string[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'soundings-bench-'));
    this.#made.push(folder);
    return folder;
  }

  async clean(): Promise<void> {
    for (const folder of this.#made.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}
