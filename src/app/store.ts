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

/** Opens the store for the time of `use`; brings tables up to date first. */
export async function withStore<T>(
  config: StoreConfig,
  log: (line: string) => void,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const database = await openDatabase({ ...config, log });
  try {
    await migrate(database, MIGRATIONS);
    const warehouse = await Warehouse.open(database, STREAMS);
    return await use({ database, warehouse });
  } finally {
    await database.close();
  }
}
