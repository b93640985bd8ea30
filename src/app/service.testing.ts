import { testDatabase } from '../db/database.testing.ts';
import { Egress } from '../source/egress.ts';
import { KeyRing } from '../vault/key-ring.ts';
import { newKey } from '../vault/keys.ts';
import { QueryGates } from './query-gate.ts';
import type { Service } from './service.ts';
import { withinStore, type Store } from './store.ts';

/** A service on a store, with a key of its own and nothing in its way. */
export function serviceOn(store: Store, more: Partial<Service> = {}): Service {
  return {
    store,
    vault: KeyRing.of([newKey()]),
    network: { proxy: {}, egress: Egress.any },
    gates: new QueryGates(),
    now: () => new Date(),
    ...more,
  };
}

/** A service on a fresh, empty database; `close()` drops it. */
export async function testService(more: Partial<Service> = {}): Promise<Service & { close(): Promise<void> }> {
  const database = await testDatabase();
  const service = serviceOn(await withinStore(database), more);
  return { ...service, close: () => database.close() };
}
