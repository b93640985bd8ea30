/** The vault of a store: its keys found or made, and tried on what is stored, before anything else is done. */
import { sealedSamples } from '../control/credentials.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { KeyRing, type Binding } from '../vault/key-ring.ts';
import { addKeyToFile, loadKeys, makeKeyFile, newKey, rereadKeyFile, type KeySource } from '../vault/keys.ts';
import type { Store } from './store.ts';

export type { KeySource };

/** Opens and seals secrets. */
export interface Vault {
  /** The id of the key that seals. */
  readonly currentId: string;
  /** The ids of all keys that are held, the current one first. */
  readonly ids: readonly string[];
  seal(plain: string, binding: Binding): string;
  open(sealed: string, binding: Binding): string;
  /** Takes a new key into use where this program keeps the keys itself; false where somebody else does. */
  addKey?(): Promise<boolean>;
}

/** Keys in a file change while the program runs: `keys rotate` of another process adds one. */
class FileVault implements Vault {
  readonly #file: string;
  #ring: KeyRing;

  constructor(file: string, ring: KeyRing) {
    this.#file = file;
    this.#ring = ring;
  }

  get currentId(): string {
    return this.#ring.currentId;
  }

  get ids(): readonly string[] {
    return this.#ring.ids;
  }

  seal(plain: string, binding: Binding): string {
    return this.#ring.seal(plain, binding);
  }

  open(sealed: string, binding: Binding): string {
    if (!this.#ring.ids.includes(KeyRing.keyIdOf(sealed))) this.#reread();
    return this.#ring.open(sealed, binding);
  }

  async addKey(): Promise<boolean> {
    await addKeyToFile(this.#file, newKey());
    this.#reread();
    return true;
  }

  #reread(): void {
    const keys = rereadKeyFile(this.#file);
    if (keys.length > 0) this.#ring = KeyRing.of(keys);
  }
}

/**
 * The keys of this store. Without any a key file is made, unless the store holds secrets that it could not open; a key
 * that does not open what is stored is refused here, and not in the middle of a sync.
 */
export async function openVault({ database }: Store, source: KeySource): Promise<Vault> {
  const keys = await loadKeys(source);
  const samples = await sealedSamples(database);
  if (!keys && samples.length > 0) {
    const ids = samples.map(({ sealed }) => KeyRing.keyIdOf(sealed)).join(', ');
    throw new ConnectorError(
      'vault_locked',
      `The stored credentials were sealed with the key ${ids}, and there is no key here: give it by SOUNDINGS_KEY, SOUNDINGS_KEY_COMMAND or in the key file ${source.file}.`,
    );
  }
  const ring = KeyRing.of(keys ?? [await makeKeyFile(source.file)]);
  const given = (source.inline ?? '').trim() !== '' || (source.command ?? '').trim() !== '';
  const vault = given ? ring : new FileVault(source.file, ring);
  for (const { id, connection_id, field, sealed } of samples) {
    vault.open(sealed, { connection: connection_id, credential: id, field });
  }
  return vault;
}
