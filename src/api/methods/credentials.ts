import { z } from 'zod';
import * as use from '../../app/credentials.ts';
import type { Credential } from '../../app/credentials.ts';
import { secrets } from '../../app/settings.ts';
import { warningsOf } from '../../app/verify.ts';
import { method } from '../method.ts';
import { credential, credentialCreated, credentialInfo, day, id } from '../shapes.ts';

const VERIFYING = ['invalid_credentials', 'invalid_permissions', 'internal_server_error', 'vault_locked'] as const;

const fields = {
  label: z.string().trim().min(1).max(200).optional(),
  /** Nothing can be set on a credential of a SonarQube Server: its settings are the connection's. */
  settings: z.strictObject({}).optional(),
  secrets: secrets.optional(),
  expiration_date: day.nullish(),
};

/** The four fields of an answer to a change. */
export const created = ({ id, type, label, created_at }: Credential) => ({ id, type, label, created_at });

const shown = (c: Credential, now: Date) => ({
  ...created(c),
  settings: c.settings,
  disabled_at: c.disabled_at,
  expiration_date: c.expiration_date,
  disabled_reason: c.disabled_reason,
  token_type: c.token_type,
  verified_at: c.verified_at,
  access: c.access,
  warnings: warningsOf(c, now),
});

export const credentials = [
  method({
    name: 'credentials.list',
    scope: 'connections:read',
    summary: 'The credentials of a connection, without their secrets.',
    input: z.strictObject({ connection_id: id }),
    output: z.object({ credentials: z.array(credential) }),
    errors: ['connection_not_found'],
    run: async ({ service }, { connection_id }) => {
      const now = service.now();
      return { credentials: (await use.list(service, connection_id)).map((c) => shown(c, now)) };
    },
  }),
  method({
    name: 'credentials.info',
    scope: 'connections:read',
    summary: 'One credential, without its secrets.',
    input: z.strictObject({ connection_id: id, id }),
    output: z.object({ credential: credentialInfo }),
    errors: ['connection_not_found', 'credential_not_found'],
    run: async ({ service }, input) => {
      const found = await use.info(service, input.connection_id, input.id);
      return { credential: { ...shown(found, service.now()), deleted_at: found.deleted_at } };
    },
  }),
  method({
    name: 'credentials.create',
    scope: 'connections:write',
    summary: 'Verifies a token, then stores it sealed; on failure nothing is stored.',
    input: z.strictObject({ connection_id: id, ...fields }),
    output: z.object({ credential: credentialCreated }),
    status: 201,
    errors: ['connection_not_found', 'conflict', ...VERIFYING],
    run: async ({ service, caller, signal }, { connection_id, ...input }) => ({
      credential: created(await use.create(service, caller, connection_id, input, signal)),
    }),
  }),
  method({
    name: 'credentials.update',
    scope: 'connections:write',
    summary:
      'Verifies again in full, then stores what changed; omitted settings and omitted or empty secrets are kept.',
    input: z.strictObject({ connection_id: id, id, ...fields }),
    output: z.object({ credential: credentialCreated }),
    errors: ['connection_not_found', 'credential_not_found', 'conflict', ...VERIFYING],
    run: async ({ service, caller, signal }, { connection_id, ...input }) => ({
      credential: created(await use.update(service, caller, connection_id, input, signal)),
    }),
  }),
  method({
    name: 'credentials.delete',
    scope: 'connections:write',
    summary: 'Takes a credential out of every list and forgets its secrets.',
    input: z.strictObject({ connection_id: id, id }),
    output: z.object({}),
    errors: ['connection_not_found', 'credential_not_found', 'conflict'],
    run: async ({ service, caller }, input) => {
      await use.remove(service, caller, input.connection_id, input.id);
      return {};
    },
  }),
] as const;
