/** A worker: takes turns on runs from the queue, several at a time, until it is told to stop. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteWorker } from '../control/schedules.ts';
import { asConnectorError } from '../protocol/errors.ts';
import { UNOBSERVED } from './observer.ts';
import { isAway, Patience } from './patience.ts';
import type { Job, Queue } from './queue.ts';
import type { Service } from './service.ts';
import { work } from './work.ts';

export interface WorkerOptions {
  /** Runs that it is at work on at a time. */
  readonly slots: number;
  readonly signal: AbortSignal;
  /** What no other process is called. */
  readonly name?: string;
  /** How long a turn may last before others come, in milliseconds. */
  readonly quantumMs?: number;
}

/** How often an idle worker looks for work. */
const LOOK_EVERY_MS = 500;
/** When a run is looked at again of which others hold everything that is left. */
const BUSY_S = 2;
/** When a turn is tried again that ended with a fault nobody foresaw. */
const FAULT_S = 10;

/** No two processes have the same, also when a process id comes again or machines have one name. */
export const workerName = (): string => `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;

/** Works until the signal; resolves when every turn has come to its end and its run is left to others. */
export async function runWorker(service: Service, queue: Queue, options: WorkerOptions): Promise<void> {
  const { slots, signal, name = workerName() } = options;
  const patience = new Patience(signal, (service.observer ?? UNOBSERVED).log);
  const turns = new Map<number, Promise<void>>();
  const begin = (job: Job): void => {
    const turn = takeTurn(service, queue, job, { ...options, name }).finally(() => turns.delete(job.runId));
    turns.set(job.runId, turn);
  };
  while (!signal.aborted) {
    const free = slots - turns.size;
    let taken = 0;
    if (free > 0) {
      try {
        for (const job of await queue.take(free)) {
          // one turn on a run is as much as a process has to give it: the job is for another worker
          if (turns.has(job.runId)) await queue.again(job, BUSY_S);
          else {
            begin(job);
            taken += 1;
          }
        }
        patience.calm();
      } catch (error) {
        await patience.wait(error);
        continue;
      }
    }
    if (free > 0 && taken === free) continue;
    const pause = sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    await Promise.race([pause, ...turns.values()]);
  }
  await Promise.all(turns.values());
}

/** One turn; never throws. A job that it cannot put back is asked for anew by the scheduler. */
async function takeTurn(
  service: Service,
  queue: Queue,
  job: Job,
  { name, signal, quantumMs }: WorkerOptions & { readonly name: string },
): Promise<void> {
  const { log } = service.observer ?? UNOBSERVED;
  const ids = { run: job.runId, worker: name };
  try {
    await noteWorker(service.store.database, job.runId, name);
    const turn = await work(service, job.runId, {
      worker: name,
      signal,
      ...(quantumMs !== undefined && { quantumMs }),
    });
    if (turn.state === 'done') await queue.done(job);
    else await queue.again(job, turn.state === 'more' ? 0 : BUSY_S);
  } catch (thrown) {
    if (isAway(thrown)) {
      log.warn(ids, `The run waits for the database: ${asConnectorError(thrown).message}`);
      return;
    }
    log.error({ ...ids, err: thrown }, 'A turn failed; it is tried again.');
    await queue.again(job, FAULT_S).catch(() => undefined);
  }
}
