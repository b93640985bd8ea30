/** What every use case of the running program works with; made once at the start of a command or of `serve`. */
import type { KeyRing } from '../vault/key-ring.ts';
import type { Store } from './store.ts';

export interface Service {
  readonly store: Store;
  /** Opens and seals the secrets in the store. */
  readonly vault: KeyRing;
  readonly now: () => Date;
}
