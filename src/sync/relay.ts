/** Passes over many items, one pass behind the other for each of them, without a barrier between two passes. */
import pLimit from 'p-limit';

export interface Relay<T, M extends string = string> {
  readonly passes: readonly string[];
  /** Parts of one pass that run beside each other. */
  readonly atOnce: number;
  /** How a pass reads an item, null when it leaves it out; items in one part agree in it. */
  readonly modeOf: (pass: string, item: T) => M | null;
  /** Cuts what has gathered for a pass, in the order of the items, into parts; every part but the last is full. */
  readonly cut: (pass: string, gathered: readonly T[]) => readonly (readonly T[])[];
  readonly run: (pass: string, mode: M, part: readonly T[]) => Promise<void>;
}

/**
 * What has ended one pass gathers for the next. A full part begins at once, the rest when nothing more will come. Rejects
 * with what `run` threw first; then nothing more begins.
 */
export async function relay<T, M extends string>(items: readonly T[], options: Relay<T, M>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const { passes, modeOf, cut, run } = options;
  const position = new Map(items.map((item, i) => [item, i]));
  const inOrder = (a: T, b: T): number => (position.get(a) ?? 0) - (position.get(b) ?? 0);
  const stages = passes.map((pass) => ({
    pass,
    limit: pLimit(options.atOnce),
    toCome: items.length,
    gathered: new Map<M, readonly T[]>(),
  }));
  let running = 0;
  let hasFailed = false;

  const fail = (error: unknown): void => {
    hasFailed = true;
    for (const { limit } of stages) limit.clearQueue();
    reject(error);
  };

  const arrive = (at: number, arrived: readonly T[]): void => {
    const stage = stages[at];
    if (!stage || hasFailed) return;
    const { pass, gathered } = stage;
    stage.toCome -= arrived.length;
    for (const [mode, own] of Map.groupBy(arrived, (item) => modeOf(pass, item))) {
      if (mode === null) arrive(at + 1, own);
      else gathered.set(mode, [...(gathered.get(mode) ?? []), ...own].sort(inOrder));
    }
    for (const [mode, waiting] of gathered) {
      const parts = cut(pass, waiting);
      const full = stage.toCome === 0 ? parts : parts.slice(0, -1);
      gathered.set(mode, parts.slice(full.length).flat());
      for (const part of full) start(stage, at, mode, part);
    }
  };

  const start = ({ limit, pass }: (typeof stages)[number], at: number, mode: M, part: readonly T[]): void => {
    running += 1;
    void limit(async () => {
      try {
        await run(pass, mode, part);
        arrive(at + 1, part);
      } catch (error) {
        fail(error); // before the next in the queue takes the place
      }
      running -= 1;
      if (running === 0) resolve(undefined);
    });
  };

  arrive(0, items);
  if (running === 0) resolve(undefined);
  await promise;
}
