import { z } from 'zod';
import { info, list } from '../../app/connections.ts';
import type { Connection } from '../../app/connections.ts';
import { method } from '../method.ts';
import { connection, connectionInfo, id } from '../shapes.ts';

const shown = (c: Connection): z.input<typeof connection> => ({
  id: c.id,
  type: c.type,
  name: c.name,
  state: c.state,
  disabled_at: c.disabled_at,
  last_synced_at: c.last_synced_at,
  created_at: c.created_at,
  supports_multiple_credentials: true,
  warnings: [],
});

export const connections = [
  method({
    name: 'connections.list',
    scope: 'connections:read',
    summary: 'Every connection that is neither deleted nor a draft, ordered by type.',
    input: z.strictObject({}),
    output: z.object({ connections: z.array(connection) }),
    run: async ({ service }) => ({
      connections: (await list(service)).filter(({ state }) => state !== 'draft').map(shown),
    }),
  }),
  method({
    name: 'connections.info',
    scope: 'connections:read',
    summary: 'One connection with its settings.',
    input: z.strictObject({ id }),
    output: z.object({ connection: connectionInfo }),
    errors: ['connection_not_found'],
    run: async ({ service }, input) => {
      const found = await info(service, input.id);
      const { settings, disabled_reason, updated_at } = found;
      return { connection: { ...shown(found), settings, disabled_reason, updated_at } };
    },
  }),
] as const;
