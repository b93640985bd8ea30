/** The vault of a store: its keys found or made, and tried on what is stored, before anything else is done. */
import { sealedSamples } from '../control/credentials.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { KeyRing } from '../vault/key-ring.ts';
import { loadKeys, makeKeyFile, type KeySource } from '../vault/keys.ts';
import type { Store } from './store.ts';

export type { KeyRing, KeySource };

/**
 * The keys of this store. Without any a key file is made, unless the store holds secrets that it could not open; a key
 * that does not open what is stored is refused here, and not in the middle of a sync.
 */
export async function openVault({ database }: Store, source: KeySource): Promise<KeyRing> {
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
  for (const { id, connection_id, field, sealed } of samples) {
    ring.open(sealed, { connection: connection_id, credential: id, field });
  }
  return ring;
}
