/** The opened store: database, product tables and warehouse, ready for a use case. */
import { MIGRATIONS } from '../control/migrations.ts';
import { openDatabase, type Database } from '../db/database.ts';
import { migrate } from '../db/migrations.ts';
import { STREAMS } from '../source/sonarqube.ts';
import { Warehouse } from '../warehouse/warehouse.ts';
import type { StoreConfig } from './config.ts';

export interface Store {
  readonly database: Database;
  readonly warehouse: Warehouse;
}

/** The store in an open database: tables are brought up to date. */
export async function withinStore(database: Database): Promise<Store> {
  await migrate(database, MIGRATIONS);
  return { database, warehouse: await Warehouse.open(database, STREAMS) };
}

/** Opens the store for the time of `use`; brings tables up to date first. */
export async function withStore<T>(
  config: StoreConfig,
  log: (line: string) => void,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const database = await openDatabase({ ...config, log });
  try {
    return await use(await withinStore(database));
  } finally {
    await database.close();
  }
}
