/** Looks at everything that a working installation needs, and says what to do about what is not as it should be. */
import { statfs } from 'node:fs/promises';
import { listConnections, type Connection } from '../control/connections.ts';
import { listCredentials, type Credential } from '../control/credentials.ts';
import { lastRuns } from '../control/runs.ts';
import { waitingFor } from '../control/slices.ts';
import { asConnectorError, type ErrorCode } from '../protocol/errors.ts';
import { ambiguousMetricNames } from '../warehouse/checks.ts';
import type { ServiceConfig } from './config.ts';
import { list as listKeys } from './keys.ts';
import { clientKey, openSecret, settingsOf } from './reach.ts';
import { withService, type Service } from './service.ts';
import { isUsable, verify, warningsOf } from './verify.ts';

export interface Finding {
  /** What was looked at: `database`, `disk`, `connection 3` … */
  readonly subject: string;
  readonly state: 'ok' | 'warning' | 'failed';
  /** What was found, and what to do when it is not well. */
  readonly message: string;
  /** For what failed. */
  readonly code?: ErrorCode;
}

const ok = (subject: string, message: string): Finding => ({ subject, state: 'ok', message });
const warning = (subject: string, message: string): Finding => ({ subject, state: 'warning', message });
const failed = (subject: string, code: ErrorCode, message: string): Finding => ({
  subject,
  state: 'failed',
  code,
  message,
});

/** Every finding, in the order in which things depend on each other; never throws for what it looks at. */
export async function examine(
  config: ServiceConfig,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Finding[]> {
  const where = 'dataDir' in config.store ? `the data folder ${config.store.dataDir}` : 'the PostgreSQL of --database';
  const findings = [ok('configuration', `Data is in ${where}.`)];
  try {
    await withService(config, log, async (service) => {
      findings.push(...(await ofDatabase(service)), ...(await ofKeys(service)));
      if ('dataDir' in config.store) findings.push(await ofDisk(config.store.dataDir));
      findings.push(...(await ofRuns(service)), ...(await ofMetrics(service)));
      const connections = await listConnections(service.store.database);
      if (connections.length === 0) {
        findings.push(
          warning('connections', 'There is no connection yet; make one with "soundings connections create".'),
        );
      }
      for (const connection of connections) findings.push(...(await ofConnection(service, connection, signal)));
    });
  } catch (thrown) {
    const { code, message } = asConnectorError(thrown);
    findings.push(failed(code === 'vault_locked' ? 'keys' : 'database', code, message));
  }
  return findings;
}

const MB = 1024 * 1024;
/** PostgreSQL's own default of 128 MB is made for the smallest of machines. */
const LEAST_SHARED_BUFFERS_MB = 128;
const LEAST_CONNECTIONS = 50;

async function ofDatabase({ store }: Service): Promise<Finding[]> {
  const { rows } = await store.database.query<{
    version: string;
    size: number;
    buffers: number;
    connections: number;
    fsync: string;
  }>(
    `select current_setting('server_version') as version, pg_database_size(current_database()) as size,
            pg_size_bytes(current_setting('shared_buffers')) as buffers,
            current_setting('max_connections')::int as connections, current_setting('fsync') as fsync`,
  );
  const [row] = rows;
  if (!row) return [failed('database', 'database_unavailable', 'The database answers a query with nothing.')];
  const findings = [ok('database', `PostgreSQL ${row.version}, ${Math.ceil(row.size / MB)} MB stored.`)];
  if (row.buffers / MB < LEAST_SHARED_BUFFERS_MB) {
    findings.push(
      warning('database', `shared_buffers is ${Math.floor(row.buffers / MB)} MB: set it to a quarter of the memory.`),
    );
  }
  if (row.connections < LEAST_CONNECTIONS) {
    findings.push(
      warning(
        'database',
        `max_connections is ${row.connections}: each worker and server takes up to 20, so set it to ${LEAST_CONNECTIONS} or more.`,
      ),
    );
  }
  if (row.fsync !== 'on') {
    findings.push(warning('database', 'fsync is off: a power cut can destroy the database; switch it on.'));
  }
  return findings;
}

async function ofKeys(service: Service): Promise<Finding[]> {
  const keys = await listKeys(service);
  const missing = keys.filter(({ held, secrets }) => !held && secrets > 0);
  return missing.length === 0
    ? [ok('keys', `Every stored secret opens with the ${keys.length} keys that are here.`)]
    : missing.map(({ id, secrets }) =>
        failed(
          'keys',
          'vault_locked',
          `${secrets} secrets need the key ${id}, which is not here: give it again, or enter those tokens anew.`,
        ),
      );
}

const LEAST_FREE_GB = 5;

async function ofDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / MB / 1024;
  return free < LEAST_FREE_GB
    ? warning(
        'disk',
        `Only ${free.toFixed(1)} GB are free in the data folder: a full disk stops every sync; make room.`,
      )
    : ok('disk', `${Math.floor(free)} GB are free in the data folder.`);
}

/** A run waits seconds for a worker when there is one. */
const LONG_WAIT_S = 120;

async function ofRuns({ store }: Service): Promise<Finding[]> {
  const { queued, stuck } = await waitingFor(store.database, LONG_WAIT_S);
  const findings: Finding[] = [];
  if (queued > 0 || stuck > 0) {
    findings.push(
      warning(
        'workers',
        `${queued + stuck} runs have waited for a worker for more than ${LONG_WAIT_S} s: start "soundings serve" or "soundings worker", or see its log.`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('workers', 'No run waits for a worker.')];
}

async function ofMetrics({ store }: Service): Promise<Finding[]> {
  const names = await ambiguousMetricNames(store.database);
  if (names.length === 0) return [];
  const shown = names.slice(0, 3).join(', ');
  return [
    warning(
      'metrics',
      `${names.length} display names belong to two metrics each (${shown} …): in queries use sonarqube_metrics.source_key.`,
    ),
  ];
}

async function ofConnection(service: Service, connection: Connection, signal: AbortSignal): Promise<Finding[]> {
  const subject = `connection ${connection.id} (${connection.name})`;
  if (connection.disabled_at !== null) {
    return [
      warning(
        subject,
        `It is disabled (${connection.disabled_reason ?? 'no reason is known'}); enable it when that is mended.`,
      ),
    ];
  }
  const credentials = await listCredentials(service.store.database, connection.id);
  const findings = credentials.flatMap((one) => warningsOf(one, service.now()).map((text) => warning(subject, text)));
  const usable = credentials.filter((one) => isUsable(one, service.now()));
  if (usable.length === 0) {
    const synced = credentials.length === 0 && connection.last_synced_at !== null;
    findings.push(
      synced
        ? ok(subject, 'It has no credential: it is synced by "soundings sync" alone.')
        : failed(
            subject,
            'invalid_credentials',
            'It has no credential that can be used; add one, or update one with a new token.',
          ),
    );
    return findings;
  }
  for (const one of usable) findings.push(await ofCredential(service, connection, one, credentials, signal));
  const last = (await lastRuns(service.store.database)).get(connection.id);
  if (last?.state === 'failed' || last?.state === 'partly_failed') {
    findings.push(
      warning(
        subject,
        `Its last run ended ${last.state}: ${last.error_message ?? 'see "soundings status" for what is missing'}`,
      ),
    );
  }
  return findings;
}

async function ofCredential(
  service: Service,
  connection: Connection,
  credential: Credential,
  all: readonly Credential[],
  signal: AbortSignal,
): Promise<Finding> {
  const subject = `connection ${connection.id} (${connection.name})`;
  try {
    const key = clientKey(service, [credential, ...all]);
    const { outcome, message } = await verify(
      service,
      {
        settings: settingsOf(connection),
        secrets: {
          api_token: openSecret(service, credential, 'api_token') ?? '',
          ...(key !== undefined && { client_key: key }),
        },
        others: all.filter(({ id }) => id !== credential.id),
      },
      signal,
    );
    const text = `“${credential.label}”: ${message}`;
    return outcome === 'verified' ? ok(subject, text) : failed(subject, outcome, text);
  } catch (thrown) {
    const { code, message } = asConnectorError(thrown);
    return failed(subject, code, message);
  }
}
