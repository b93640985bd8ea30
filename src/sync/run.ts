/** A run in one process: all its stages, one after the other. */
import type { Source } from '../protocol/sync.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { Reading, type ReadingOptions, type RunResult } from './reading.ts';

export type RunOptions = Omit<ReadingOptions, 'hold' | 'progress' | 'shortfalls' | 'severalTokens'>;

/** Runs a sync to its end. Throws a ConnectorError when it cannot go on; what was committed stays. */
export async function runSync(source: Source, warehouse: Warehouse, options: RunOptions): Promise<RunResult> {
  const reading = new Reading(source, warehouse, options);
  try {
    const { plan, projects } = await reading.plan();
    await reading.read(projects);
    return await reading.finish(plan);
  } finally {
    await reading.close();
  }
}
