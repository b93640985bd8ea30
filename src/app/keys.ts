/** Use cases on the vault's keys: which there are, and sealing everything anew with the current one. */
import { audit, type Actor } from '../control/audit.ts';
import { lockSealed, replaceSecrets } from '../control/credentials.ts';
import { KeyRing } from '../vault/key-ring.ts';
import type { Service } from './service.ts';

export interface KeyUse {
  readonly id: string;
  /** Seals what is stored from now on. */
  readonly current: boolean;
  /** Is the key itself here? */
  readonly held: boolean;
  /** Stored secrets that were sealed with it. */
  readonly secrets: number;
}

/** Every key that is held, and every key that stored secrets need. */
export async function list({ store, vault }: Service): Promise<KeyUse[]> {
  const rows = await store.database.transaction((client) => lockSealed(client));
  const uses = new Map<string, number>(vault.ids.map((id) => [id, 0]));
  for (const sealed of rows.flatMap(({ secrets }) => Object.values(secrets))) {
    const id = KeyRing.keyIdOf(sealed);
    uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  return [...uses].map(([id, secrets]) => ({
    id,
    current: id === vault.currentId,
    held: vault.ids.includes(id),
    secrets,
  }));
}

/**
 * Seals every secret anew with the current key, all of them or none. Where the keys are in a file of this program's, a
 * new one is made and becomes the current one first; where they are given to it, the first of them is the current one.
 */
export async function rotate(
  { store, vault }: Service,
  actor: Actor,
): Promise<{ keyId: string; added: boolean; resealed: number }> {
  const added = (await vault.addKey?.()) ?? false;
  const resealed = await store.database.transaction(async (client) => {
    let count = 0;
    for (const { id, connection_id: connection, secrets } of await lockSealed(client)) {
      const fresh = Object.entries(secrets).map(([field, sealed]) => {
        const binding = { connection, credential: id, field };
        return [field, vault.seal(vault.open(sealed, binding), binding)] as const;
      });
      if (fresh.length === 0) continue;
      await replaceSecrets(client, id, Object.fromEntries(fresh));
      count += fresh.length;
    }
    await audit(client, actor, { action: 'keys.rotate', detail: { key: vault.currentId, resealed: count } });
    return count;
  });
  return { keyId: vault.currentId, added, resealed };
}
