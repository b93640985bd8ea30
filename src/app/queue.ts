/**
 * The queue of turns, kept by pg-boss in the schema `soundings_jobs`: a job is one worker's turn on one run. Of a run one job
 * waits at most, whoever asks for it and however often; what is to be done stands in the runs and their slices alone, so a
 * job that is lost or doubled costs a moment and nothing else.
 */
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { Database } from '../db/database.ts';
import { databaseError } from '../db/errors.ts';
import type { Log } from './observer.ts';

const QUEUE = 'turns';
/** Nothing of it is granted to anybody else, as with `soundings`. */
export const JOBS_SCHEMA = 'soundings_jobs';
const HOUR_S = 3600;

export interface Job {
  readonly id: string;
  readonly runId: number;
}

export class Queue {
  readonly #boss: PgBoss;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  /** Opens the queue; makes its tables when there are none. */
  static async open(database: Database, log: Log): Promise<Queue> {
    const boss = new PgBoss({
      schema: JOBS_SCHEMA,
      // on the pool of the program: an embedded server that was started again is found where it is now
      db: {
        executeSql: async (text, values) => {
          // it reads values as pg gives them, not as this program does
          const query = { text, types: pg.types, ...(values && { values }) };
          return database.pool.query(query).catch((error: unknown) => {
            throw databaseError(error);
          });
        },
      },
      schedule: false,
      useListenNotify: false,
      maintenanceIntervalSeconds: 600,
    });
    let told = '';
    boss.on('error', (error) => {
      if (error.message !== told) log.warn({}, `The queue reports: ${error.message}`);
      told = error.message;
    });
    try {
      await boss.start();
      await boss.createQueue(QUEUE, {
        policy: 'short',
        retryLimit: 0,
        // a worker's own leases tell whether it lives; a job is forgotten when its worker did not end it
        expireInSeconds: HOUR_S,
        deleteAfterSeconds: HOUR_S,
        retentionSeconds: 7 * 24 * HOUR_S,
      });
    } catch (error) {
      await boss.stop({ graceful: false }).catch(() => undefined);
      throw databaseError(error);
    }
    return new Queue(boss);
  }

  /** Asks for turns on runs, behind all that wait already; a run for which one waits is left where it is. */
  async ask(runIds: readonly number[]): Promise<void> {
    if (runIds.length === 0) return;
    await this.#boss.insert(
      QUEUE,
      runIds.map((runId) => ({ data: { runId }, singletonKey: String(runId) })),
    );
  }

  /** Takes so many jobs at most, those first that have waited longest. */
  async take(most: number): Promise<Job[]> {
    const jobs = await this.#boss.fetch<{ runId: number }>(QUEUE, { batchSize: most });
    return jobs.map(({ id, data }) => ({ id, runId: data.runId }));
  }

  /** Puts a job that was taken behind all others, to be taken in so many seconds at the earliest. */
  async again(job: Job, seconds: number): Promise<void> {
    await this.#boss.send(QUEUE, { runId: job.runId }, { singletonKey: String(job.runId), startAfter: seconds });
    await this.done(job);
  }

  /** Ends a job that was taken. */
  async done({ id }: Job): Promise<void> {
    await this.#boss.deleteJob(QUEUE, id);
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false }).catch(() => undefined);
  }
}
