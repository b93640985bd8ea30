import { z } from 'zod';
import { list, rotate } from '../../app/keys.ts';
import { method } from '../method.ts';
import { key } from '../shapes.ts';

export const keys = [
  method({
    name: 'keys.list',
    scope: 'admin',
    summary: 'The keys that seal secrets, by their ids: which is current, which are still needed.',
    input: z.strictObject({}),
    output: z.object({ keys: z.array(key) }),
    errors: ['vault_locked'],
    run: async ({ service }) => ({ keys: await list(service) }),
  }),
  method({
    name: 'keys.rotate',
    scope: 'admin',
    summary: 'Seals every secret anew with a new key, all in one transaction.',
    input: z.strictObject({}),
    output: z.object({
      key_id: z.string(),
      /** A key was made and put first into the key file; false where keys are given by the environment. */
      added: z.boolean(),
      resealed: z.int(),
    }),
    errors: ['vault_locked', 'conflict'],
    run: async ({ service, caller }) => {
      const { keyId, added, resealed } = await rotate(service, caller);
      return { key_id: keyId, added, resealed };
    },
  }),
] as const;
