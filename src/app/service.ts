/** What every use case of the running program works with; made once at the start of a command or of `serve`. */
import type { Egress } from '../source/egress.ts';
import type { OidcConfig, ProxyConfig, ServiceConfig } from './config.ts';
import type { Observer } from './observer.ts';
import { isAway, Patience } from './patience.ts';
import { withStore, type Store } from './store.ts';
import { openVault, type Vault } from './vault.ts';
import { QueryGates } from './query-gate.ts';

/** What this machine says of the way to servers. */
export interface Network {
  /** The proxy for servers whose connection names none. */
  readonly proxy: ProxyConfig;
  /** Which addresses may be connected to. */
  readonly egress: Egress;
}

export interface Service {
  readonly store: Store;
  /** Opens and seals the secrets in the store. */
  readonly vault: Vault;
  readonly network: Network;
  /** How many queries run at once. */
  readonly gates: QueryGates;
  readonly now: () => Date;
  /** The provider that people may sign in through. */
  readonly oidc?: OidcConfig;
  /** Who watches; nobody unless told. */
  readonly observer?: Observer;
}

/** Opens store and vault for the time of `use`. */
export async function withService<T>(
  config: ServiceConfig,
  log: (line: string) => void,
  use: (service: Service) => Promise<T>,
  observer?: Observer,
): Promise<T> {
  return withStore(config.store, log, async (store) =>
    use({
      store,
      vault: await openVault(store, config.keys),
      network: config.network,
      gates: new QueryGates(),
      now: () => new Date(),
      ...(config.oidc && { oidc: config.oidc }),
      ...(observer && { observer }),
    }),
  );
}

/** The same for a process that is to run on: as long as the database is away it waits, and says so once. */
export async function withServiceOnceThere(
  config: ServiceConfig,
  { signal, observer }: { signal: AbortSignal; observer: Observer },
  use: (service: Service) => Promise<void>,
): Promise<void> {
  const { log } = observer;
  const patience = new Patience(signal, log);
  const so = { opened: false };
  while (!signal.aborted) {
    try {
      await withService(
        config,
        (line) => log.warn({}, line),
        async (service) => {
          so.opened = true;
          patience.calm();
          await use(service);
        },
        observer,
      );
      return;
    } catch (error) {
      if (so.opened || !isAway(error) || !error.retry) throw error;
      await patience.wait(error);
    }
  }
}
