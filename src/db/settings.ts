/**
 * The server's settings, given on its command line at every start: a cluster folder never keeps those of an older
 * program. Meant for a small machine that loads in bulk: few clients, large transactions, no replicas.
 */
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';

export type Settings = Readonly<Record<string, string>>;

const MB = 1024 ** 2;
/** Containers get 64 MB of /dev/shm unless told; a parallel hash join of three processes with our work_mem needs 192. */
const SHARED_MEMORY_FOLDER_MB = 256;

async function isSharedMemoryFolderSmall(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const found = await statfs('/dev/shm').catch(() => undefined);
  return found === undefined || (found.blocks * found.bsize) / MB < SHARED_MEMORY_FOLDER_MB;
}

export async function serverSettings(): Promise<Settings> {
  const memory = totalmem() / MB;
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_permissions: '0700',
    cluster_name: 'soundings',
    // an eighth of the memory, between what a bulk load needs and what a laptop can spare
    shared_buffers: `${Math.round(Math.min(256, Math.max(128, memory / 8)))}MB`,
    effective_cache_size: `${Math.round(memory / 2)}MB`,
    work_mem: '32MB',
    maintenance_work_mem: '128MB',
    // no replicas and no archive: tables filled in the transaction that made them need no WAL
    wal_level: 'minimal',
    max_wal_senders: '0',
    wal_compression: 'pglz',
    // checkpoints every 15 min instead of 5: each makes whole pages go to WAL again on their first change
    max_wal_size: '2GB',
    min_wal_size: '128MB',
    checkpoint_timeout: '15min',
    random_page_cost: '1.1',
    // compiling costs more than the queries of charts last
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_min_messages: 'warning',
    // statements may hold personal data: in the log an error has its text alone
    log_min_error_statement: 'panic',
    ...((await isSharedMemoryFolderSmall()) ? { dynamic_shared_memory_type: 'sysv' } : {}),
  };
}

export function settingArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
