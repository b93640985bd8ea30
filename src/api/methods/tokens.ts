import { z } from 'zod';
import { create, list, revoke } from '../../app/tokens.ts';
import { method, SCOPES } from '../method.ts';
import { apiToken, day, id, moment } from '../shapes.ts';

const scope = z.enum(SCOPES);

export const tokens = [
  method({
    name: 'tokens.list',
    scope: 'admin',
    summary: 'Every API token that was made, by its first characters.',
    input: z.strictObject({}),
    output: z.object({ tokens: z.array(apiToken) }),
    run: async ({ service }) => ({ tokens: await list(service) }),
  }),
  method({
    name: 'tokens.create',
    scope: 'admin',
    summary: 'Makes an API token. Its text is in this answer alone.',
    input: z.strictObject({
      label: z.string().trim().min(1).max(200).default('API token'),
      scopes: z
        .array(scope)
        .min(1)
        .max(SCOPES.length)
        .transform((scopes) => [...new Set(scopes)]),
      /** A day (its first moment, UTC) or a moment; null: it has no end. */
      expires_at: z.union([day, moment]).nullish(),
    }),
    output: z.object({ token: z.string(), api_token: apiToken }),
    status: 201,
    run: async ({ service, caller }, { label, scopes, expires_at }) => {
      const expiresAt = expires_at == null ? null : new Date(expires_at);
      const { token, stored } = await create(service, caller, { label, scopes, expiresAt });
      return { token, api_token: stored };
    },
  }),
  method({
    name: 'tokens.revoke',
    scope: 'admin',
    summary: 'Ends an API token for good.',
    input: z.strictObject({ id }),
    output: z.object({}),
    errors: ['token_not_found'],
    run: async ({ service, caller }, input) => {
      await revoke(service, caller, input.id);
      return {};
    },
  }),
] as const;
