/** What every use case of the running program works with; made once at the start of a command or of `serve`. */
import type { KeyRing } from '../vault/key-ring.ts';
import type { ServiceConfig } from './config.ts';
import { withStore, type Store } from './store.ts';
import { openVault } from './vault.ts';

export interface Service {
  readonly store: Store;
  /** Opens and seals the secrets in the store. */
  readonly vault: KeyRing;
  readonly now: () => Date;
}

/** Opens store and vault for the time of `use`. */
export async function withService<T>(
  config: ServiceConfig,
  log: (line: string) => void,
  use: (service: Service) => Promise<T>,
): Promise<T> {
  return withStore(config.store, log, async (store) =>
    use({ store, vault: await openVault(store, config.keys), now: () => new Date() }),
  );
}
