/**
 * What goes on by itself: connections are synced when their time has come, runs that nobody is at work on find a worker, and
 * old runs are forgotten. Of all processes one does it, by a lease; two at once would do nothing twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dropLease, holdLease } from '../control/leases.ts';
import { dueConnections, forgetRuns, planNext, runsToDo, type Planned } from '../control/schedules.ts';
import { queueRun } from '../control/runs.ts';
import { UNOBSERVED, type Log } from './observer.ts';
import { Patience } from './patience.ts';
import type { Queue } from './queue.ts';
import { DEFAULT_SCHEDULE, nextRun, parseSchedule, type Schedule } from './schedule.ts';
import type { Service } from './service.ts';
import { VERSION } from './version.ts';

export interface SchedulerOptions {
  readonly name: string;
  readonly signal: AbortSignal;
  /** Days that runs are kept. */
  readonly keepRunsDays: number;
}

const LEASE = 'scheduler';
const LEASE_S = 10;
/** A run that is asked for begins within two of these. */
const TICK_MS = 1000;
const FORGET_EVERY_MS = 3_600_000;

/** Runs until the signal. */
export async function runScheduler(service: Service, queue: Queue, options: SchedulerOptions): Promise<void> {
  const { name, signal, keepRunsDays } = options;
  const { log } = service.observer ?? UNOBSERVED;
  const { database } = service.store;
  const patience = new Patience(signal, log);
  let forgotten = -Infinity;
  while (!signal.aborted) {
    try {
      if (await holdLease(database, LEASE, name, LEASE_S)) {
        await tick(service, queue);
        if (performance.now() - forgotten > FORGET_EVERY_MS) {
          while ((await forgetRuns(database, keepRunsDays)) > 0);
          forgotten = performance.now();
        }
      }
      patience.calm();
    } catch (error) {
      await patience.wait(error);
      continue;
    }
    await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
  }
  await dropLease(database, LEASE, name).catch(() => undefined); // it runs out by itself
}

/** What is due now is queued, and every run that a worker could do something for has a job. */
export async function tick(service: Service, queue: Queue): Promise<void> {
  const { database } = service.store;
  for (const connection of await dueConnections(database)) await settle(service, connection);
  await queue.ask(await runsToDo(database));
}

/** Plans a connection's next time; queues a run when this one has come. Both in one transaction: none is lost or doubled. */
async function settle(service: Service, connection: Planned): Promise<void> {
  const now = service.now();
  const schedule = scheduleOf(connection, (service.observer ?? UNOBSERVED).log);
  const next = nextRun(schedule, now, connection.id);
  await service.store.database.transaction(async (client) => {
    if (!(await planNext(client, connection, next))) return;
    if (!isDue(connection, schedule)) return;
    await queueRun(client, connection.id, { version: VERSION, trigger: 'schedule', requested: {} });
  });
}

/** One that never had a run need not wait for its time; a run that was begun since the time came has answered it. Pure. */
export function isDue({ next_run_at, planned_by, last_run_at, schedule: text }: Planned, schedule: Schedule): boolean {
  if (schedule.kind === 'manual') return false;
  if (last_run_at === null) return true;
  if (next_run_at === null || planned_by !== (text ?? '')) return false;
  return Date.parse(last_run_at) < Date.parse(next_run_at);
}

/** A schedule that an earlier version let pass and that cannot be read stands for the default. */
function scheduleOf({ id, schedule }: Planned, log: Log): Schedule {
  try {
    return parseSchedule(schedule ?? DEFAULT_SCHEDULE);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn({ connection: id }, `The schedule ${reason}; it counts as ${DEFAULT_SCHEDULE} meanwhile.`);
    return parseSchedule(DEFAULT_SCHEDULE);
  }
}
