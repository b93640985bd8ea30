/** Connections to simulated servers over one fresh store, ready to be synced by workers. */
import { background, type Background, type BackgroundOptions } from '../../src/app/background.ts';
import { serviceOn } from '../../src/app/service.testing.ts';
import type { Service } from '../../src/app/service.ts';
import type { StoredSettings } from '../../src/app/settings.ts';
import { withinStore } from '../../src/app/store.ts';
import { createConnection } from '../../src/control/connections.ts';
import { insertCredential, nextCredentialId } from '../../src/control/credentials.ts';
import { getRun, queueRun, type Run } from '../../src/control/runs.ts';
import { testDatabase } from '../../src/db/database.testing.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../simulator/index.ts';

export interface Tenant {
  readonly sim: Simulator;
  readonly connection: number;
}

export interface WorkerRig extends AsyncDisposable {
  readonly service: Service;
  /** A simulated server with a connection to it, synced by hand only unless told. */
  tenant(options: SimulatorOptions, settings?: Partial<StoredSettings>): Promise<Tenant>;
  queue(tenant: Tenant, full?: boolean): Promise<number>;
  run(id: number): Promise<Run>;
  runsOf(tenant: Tenant): Promise<Run[]>;
  /** Scheduler and worker of one process; ended with the rig. */
  start(options?: Partial<BackgroundOptions>): Background;
}

/** Connects to a simulated server as its administrator. */
export async function connect(
  service: Service,
  sim: Simulator,
  settings: Partial<StoredSettings> = {},
): Promise<number> {
  const { database } = service.store;
  const connection = await createConnection(database, { base_url: sim.url, schedule: 'manual', ...settings });
  const id = await nextCredentialId(database);
  const place = { connection: connection.id, credential: id, field: 'api_token' };
  await insertCredential(database, {
    id,
    connection_id: connection.id,
    label: 'admin',
    settings: {},
    secrets: { api_token: service.vault.seal(sim.tokens.admin, place) },
    expiration_date: null,
    access: {},
    token_type: 'user',
    server_version: null,
    warnings: [],
  });
  return connection.id;
}

export async function workerRig(): Promise<WorkerRig> {
  const database = await testDatabase();
  const service = serviceOn(await withinStore(database));
  const sims: Simulator[] = [];
  const started: Background[] = [];
  return {
    service,
    tenant: async (options, settings) => {
      const sim = await startSimulator({ version: '25.12', ...options });
      sims.push(sim);
      return { sim, connection: await connect(service, sim, settings) };
    },
    queue: async ({ connection }, full = false) =>
      (await queueRun(database, connection, { version: 'test', trigger: 'api', requested: full ? { full } : {} })).id,
    run: async (id) => {
      const run = await getRun(database, id);
      if (!run) throw new Error(`no run ${id}`);
      return run;
    },
    runsOf: async ({ connection }) => {
      const { rows } = await database.query<Run>('select * from soundings.runs where connection_id = $1 order by id', [
        connection,
      ]);
      return rows;
    },
    start: (options = {}) => {
      const going = background(service, { worker: true, slots: 2, keepRunsDays: 90, ...options });
      started.push(going);
      return going;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map((one) => one.close()));
      for (const sim of sims) await sim.close();
      await database.close();
    },
  };
}
