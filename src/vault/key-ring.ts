/** Secrets as they lie in the database: sealed with a key that is not in the database, each bound to the row it belongs to. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { ConnectorError } from '../protocol/errors.ts';

/** Where a sealed secret lies. It opens nowhere else, so nobody who can write rows can have it sent to a server of theirs. */
export interface Binding {
  readonly connection: number;
  readonly credential: number;
  readonly field: string;
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

interface Parts {
  readonly keyId: string;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

export const KEY_BYTES = 32;
const VERSION = 'v1';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The keys that are held: the first one seals, all of them open, so that a key can be changed without stopping. */
export class KeyRing {
  readonly currentId: string;
  readonly ids: readonly string[];
  readonly #current: Key;
  readonly #keys: readonly Key[];

  private constructor(current: Key, keys: readonly Key[]) {
    this.#current = current;
    this.#keys = keys;
    this.currentId = current.id;
    this.ids = keys.map(({ id }) => id);
  }

  static of(keys: readonly Buffer[]): KeyRing {
    const held = new Map<string, Key>();
    for (const bytes of keys) {
      if (bytes.length !== KEY_BYTES) throw new Error(`a key has ${KEY_BYTES} bytes, not ${bytes.length}`);
      const id = idOf(bytes);
      if (!held.has(id)) held.set(id, { id, bytes });
    }
    const [current, ...older] = held.values();
    if (!current) throw new Error('a key ring needs a key');
    return new KeyRing(current, [current, ...older]);
  }

  /** The id of the key that sealed this: what has to be sealed again after a change of keys is found by it. */
  static keyIdOf(sealed: string): string {
    return partsOf(sealed).keyId;
  }

  seal(plain: string, binding: Binding): string {
    const { id, bytes } = this.#current;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, bytes, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(associated(id, binding));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [VERSION, id, iv.toString('base64url'), sealed.toString('base64url')].join('.');
  }

  /** The secret; throws `vault_locked` without its key, or when it was not sealed for this place. */
  open(sealed: string, binding: Binding): string {
    const { keyId, iv, ciphertext, tag } = partsOf(sealed);
    const key = this.#keys.find(({ id }) => id === keyId);
    if (!key) {
      throw new ConnectorError(
        'vault_locked',
        `A secret was sealed with the key ${keyId}, which is not here; give the key that has this id by SOUNDINGS_KEY or in the key file.`,
        { details: { keyId, held: this.ids } },
      );
    }
    try {
      const decipher = createDecipheriv(CIPHER, key.bytes, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated(keyId, binding));
      decipher.setAuthTag(tag);
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
    } catch {
      throw new ConnectorError(
        'vault_locked',
        `The secret "${binding.field}" of credential ${binding.credential} cannot be opened although its key is here: it was altered, or copied from another row; enter it again.`,
        { details: { keyId, ...binding } },
      );
    }
  }
}

/** Tells keys apart and reveals nothing of them: a hash under the key itself. */
function idOf(key: Buffer): string {
  return createHmac('sha256', key).update('soundings key id').digest('hex').slice(0, 8);
}

/** What is authenticated beside the secret; JSON keeps its parts apart. */
function associated(keyId: string, { connection, credential, field }: Binding): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, connection, credential, field]));
}

function partsOf(sealed: string): Parts {
  const [version, keyId, iv, body, ...rest] = sealed.split('.');
  const ivBytes = decode(iv);
  const bytes = decode(body);
  const known =
    version === VERSION &&
    /^[0-9a-f]{8}$/.test(keyId ?? '') &&
    ivBytes.length === IV_BYTES &&
    bytes.length >= TAG_BYTES &&
    rest.length === 0;
  if (!known || keyId === undefined) {
    throw new ConnectorError(
      'vault_locked',
      'A stored secret does not have the form in which secrets are sealed: it was altered, or a newer version wrote it; enter it again, or use the newer version.',
    );
  }
  const end = bytes.length - TAG_BYTES;
  return { keyId, iv: ivBytes, ciphertext: bytes.subarray(0, end), tag: bytes.subarray(end) };
}

/** Nothing unless the text is exactly what these bytes are written as: Node itself skips what it cannot read. */
function decode(text: string | undefined): Buffer {
  const bytes = Buffer.from(text ?? '', 'base64url');
  return bytes.toString('base64url') === text ? bytes : Buffer.alloc(0);
}
