/** Use cases on runs: which there were, how one goes on, beginning and ending one. */
import { audit, type Actor } from '../control/audit.ts';
import { cancelRun, getRun, listRuns, queueRun, type Run, type RunsWanted } from '../control/runs.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { NO_PROGRESS } from '../protocol/progress.ts';
import { info as connectionInfo } from './connections.ts';
import type { Service } from './service.ts';
import { VERSION } from './version.ts';

export type { Run };

/** A run that waits has no progress yet, one of an older version less than there is now. */
const whole = (run: Run): Run => ({ ...run, progress: { ...NO_PROGRESS, ...run.progress } });

export async function list(service: Service, wanted: RunsWanted): Promise<{ runs: Run[]; next: number | null }> {
  const { connectionId, limit } = wanted;
  if (connectionId !== null) await connectionInfo(service, connectionId);
  const rows = await listRuns(service.store.database, { ...wanted, limit: limit + 1 });
  const page = rows.slice(0, limit);
  return { runs: page.map(whole), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}

export async function info({ store }: Service, id: number): Promise<Run> {
  const run = await getRun(store.database, id);
  if (run) return whole(run);
  throw new ConnectorError('run_not_found', `There is no run ${id}; see which there are with runs.list.`);
}

/** Queues a run; one that waits already is that one. */
export async function start(service: Service, actor: Actor, connectionId: number, full: boolean): Promise<Run> {
  const connection = await connectionInfo(service, connectionId);
  if (connection.disabled_at !== null) {
    throw new ConnectorError(
      'conflict',
      `Connection ${connectionId} is disabled (${connection.disabled_reason ?? 'no reason is known'}); enable it, then sync.`,
    );
  }
  return service.store.database.transaction(async (client) => {
    const requested = full ? { full } : {};
    const run = await queueRun(client, connectionId, { version: VERSION, trigger: 'api', requested });
    await audit(client, actor, { action: 'syncs.start', connectionId, detail: { run: run.id, ...requested } });
    return whole(run);
  });
}

export async function cancel(service: Service, actor: Actor, id: number): Promise<Run> {
  const { connection_id: connectionId } = await info(service, id);
  return service.store.database.transaction(async (client) => {
    const run = await cancelRun(client, id);
    if (!run) throw new ConnectorError('run_not_found', `There is no run ${id}; see which there are with runs.list.`);
    await audit(client, actor, { action: 'syncs.cancel', connectionId, detail: { run: id } });
    return whole(run);
  });
}
