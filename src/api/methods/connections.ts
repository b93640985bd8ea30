import { z } from 'zod';
import { tryOut, update, verify } from '../../app/connection-changes.ts';
import * as use from '../../app/connections.ts';
import type { Connection } from '../../app/connections.ts';
import { overview, type Overview } from '../../app/overview.ts';
import { changedSettings, newSettings, secrets } from '../../app/settings.ts';
import type { Service } from '../../app/service.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { method } from '../method.ts';
import { connection, connectionInfo, connectionOverview, credentialCreated, day, id, verification } from '../shapes.ts';
import { created } from './credentials.ts';

const name = z.string().trim().min(1).max(200);
const VERIFYING = ['invalid_credentials', 'invalid_permissions', 'internal_server_error', 'vault_locked'] as const;

const shown = (c: Connection, warnings: readonly string[]) => ({
  id: c.id,
  type: c.type,
  name: c.name,
  state: c.state,
  disabled_at: c.disabled_at,
  last_synced_at: c.last_synced_at,
  created_at: c.created_at,
  supports_multiple_credentials: true,
  warnings,
});

async function whole(service: Service, c: Connection) {
  const { settings, disabled_reason, updated_at } = c;
  return { ...shown(c, await use.warnings(service, c)), settings, disabled_reason, updated_at };
}

const overviewOf = ({ connection: c, lastRun, ...rest }: Overview) => ({
  ...shown(c, rest.warnings),
  base_url: c.settings.base_url,
  server_version: rest.serverVersion,
  disabled_reason: c.disabled_reason,
  last_run: lastRun && {
    id: lastRun.id,
    state: lastRun.state,
    started_at: lastRun.started_at,
    ended_at: lastRun.ended_at,
    error: lastRun.error_code && { code: lastRun.error_code, message: lastRun.error_message ?? '' },
  },
  next_sync_at: rest.nextSyncAt,
  projects: rest.projects,
  completeness: rest.ledger,
  expiration_date: rest.expirationDate,
});

export const connections = [
  method({
    name: 'connections.list',
    scope: 'connections:read',
    summary: 'Every connection that is neither deleted nor a draft, ordered by type.',
    input: z.strictObject({}),
    output: z.object({ connections: z.array(connection) }),
    run: async ({ service }) => {
      const found = (await use.list(service)).filter(({ state }) => state !== 'draft');
      return { connections: await Promise.all(found.map(async (c) => shown(c, await use.warnings(service, c)))) };
    },
  }),
  method({
    name: 'connections.info',
    scope: 'connections:read',
    summary: 'One connection with its settings.',
    input: z.strictObject({ id }),
    output: z.object({ connection: connectionInfo }),
    errors: ['connection_not_found'],
    run: async ({ service }, input) => ({ connection: await whole(service, await use.info(service, input.id)) }),
  }),
  method({
    name: 'connections.overview',
    scope: 'connections:read',
    summary: 'What the connections page shows: every connection with its last run, completeness and next sync.',
    input: z.strictObject({}),
    output: z.object({ connections: z.array(connectionOverview) }),
    run: async ({ service }) => ({ connections: (await overview(service)).map(overviewOf) }),
  }),
  method({
    name: 'connections.create',
    scope: 'connections:write',
    summary: 'Verifies a server and a token, then stores both; on failure nothing is stored.',
    input: z.strictObject({
      name: name.optional(),
      settings: newSettings,
      secrets: secrets.optional(),
      label: name.optional(),
      expiration_date: day.nullish(),
    }),
    output: z.object({ connection: connectionInfo, credential: credentialCreated, verification }),
    status: 201,
    errors: ['conflict', ...VERIFYING],
    run: async ({ service, caller, signal }, input) => {
      const made = await use.create(service, caller, input, signal);
      return {
        connection: await whole(service, made.connection),
        credential: created(made.credential),
        verification: made.verification,
      };
    },
  }),
  method({
    name: 'connections.create_sample',
    scope: 'connections:write',
    summary: 'Makes a connection to the bundled sample, for trying things out without a SonarQube Server.',
    input: z.strictObject({}),
    output: z.object({ connection: connectionInfo, credential: credentialCreated }),
    status: 201,
    errors: ['conflict', ...VERIFYING],
    run: async ({ service, caller, signal }) => {
      const made = await use.createSample(service, caller, signal);
      return { connection: await whole(service, made.connection), credential: created(made.credential) };
    },
  }),
  method({
    name: 'connections.update',
    scope: 'connections:write',
    summary: 'Verifies changed settings with every credential in use, then stores them; null takes a setting away.',
    input: z.strictObject({
      id,
      name: name.optional(),
      settings: changedSettings.optional(),
      /** Required when the server's address, the proxy or the certificate authority changes. */
      secrets: secrets.optional(),
    }),
    output: z.object({ connection: connectionInfo }),
    errors: ['connection_not_found', 'conflict', ...VERIFYING],
    run: async ({ service, caller, signal }, input) => ({
      connection: await whole(service, await update(service, caller, input, signal)),
    }),
  }),
  method({
    name: 'connections.disable',
    scope: 'connections:write',
    summary: 'Stops all syncs of a connection; its data stays.',
    input: z.strictObject({ id, reason: z.string().trim().min(1).max(500).default('Disabled by hand.') }),
    output: z.object({ connection: connectionInfo }),
    errors: ['connection_not_found', 'conflict'],
    run: async ({ service, caller }, input) => ({
      connection: await whole(service, await use.disable(service, caller, input.id, input.reason)),
    }),
  }),
  method({
    name: 'connections.enable',
    scope: 'connections:write',
    summary: 'Lets a disabled connection be synced again.',
    input: z.strictObject({ id }),
    output: z.object({ connection: connectionInfo }),
    errors: ['connection_not_found', 'conflict'],
    run: async ({ service, caller }, input) => ({
      connection: await whole(service, await use.enable(service, caller, input.id)),
    }),
  }),
  method({
    name: 'connections.delete',
    scope: 'connections:write',
    summary: 'Takes a connection out of every list and forgets its secrets; its data stays unless purge_data is set.',
    input: z.strictObject({ id, purge_data: z.boolean().default(false) }),
    output: z.object({}),
    errors: ['connection_not_found', 'conflict'],
    run: async ({ service, caller }, input) => {
      await use.remove(service, caller, input.id, input.purge_data);
      return {};
    },
  }),
  method({
    name: 'connections.verify',
    scope: 'connections:write',
    summary: 'Verifies a stored credential anew (id, credential_id), or settings and secrets that are not stored.',
    input: z.strictObject({
      id: id.optional(),
      credential_id: id.optional(),
      settings: newSettings.optional(),
      secrets: secrets.optional(),
    }),
    output: z.object({ verification }),
    errors: ['connection_not_found', 'credential_not_found', 'conflict', 'vault_locked'],
    run: async ({ service, caller, signal }, input) => {
      const { id: connectionId, credential_id: credentialId, settings, secrets: entered } = input;
      if (connectionId !== undefined && settings === undefined && entered === undefined) {
        return { verification: await verify(service, caller, { id: connectionId, credentialId }, signal) };
      }
      if (settings !== undefined && connectionId === undefined && credentialId === undefined) {
        return { verification: await tryOut(service, { settings, secrets: entered }, signal) };
      }
      throw new ConnectorError(
        'invalid_arguments',
        'connections.verify takes either id (and credential_id) of what is stored, or settings and secrets of what is not.',
        { details: { id: 'or settings: one of the two' } },
      );
    },
  }),
] as const;
