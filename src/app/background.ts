/** What a process does beside answering: the scheduler, and one worker unless it is not wanted. */
import { UNOBSERVED } from './observer.ts';
import { Patience } from './patience.ts';
import { Queue } from './queue.ts';
import { runScheduler } from './scheduler.ts';
import type { Service } from './service.ts';
import { runWorker, workerName } from './worker.ts';

export interface BackgroundOptions {
  readonly worker: boolean;
  /** Runs that the worker is at work on at a time. */
  readonly slots: number;
  /** Days that runs are kept. */
  readonly keepRunsDays: number;
  readonly quantumMs?: number;
}

export interface Background {
  /** What this process is called in runs and leases. */
  readonly name: string;
  /** Ends every turn at its next commit. */
  close(): Promise<void>;
}

/** Begins at once and goes on by itself, also when the database goes away and comes back. */
export function background(service: Service, options: BackgroundOptions): Background {
  const { worker, slots, keepRunsDays, quantumMs } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const name = workerName();
  const going = go();
  return {
    name,
    close: async () => {
      stop.abort();
      await going;
    },
  };

  async function go(): Promise<void> {
    const queue = await openQueue(service, signal);
    if (!queue) return;
    try {
      await Promise.all([
        runScheduler(service, queue, { name, signal, keepRunsDays }),
        worker && runWorker(service, queue, { name, slots, signal, ...(quantumMs !== undefined && { quantumMs }) }),
      ]);
    } finally {
      await queue.close();
    }
  }
}

/** The queue once the database is there; null when this was told to stop before. */
async function openQueue(service: Service, signal: AbortSignal): Promise<Queue | null> {
  const { log } = service.observer ?? UNOBSERVED;
  const patience = new Patience(signal, log);
  while (!signal.aborted) {
    try {
      return await Queue.open(service.store.database, log);
    } catch (error) {
      await patience.wait(error);
    }
  }
  return null;
}
