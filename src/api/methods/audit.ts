import { z } from 'zod';
import { list } from '../../app/audit.ts';
import { method } from '../method.ts';
import { auditEntry, id } from '../shapes.ts';

export const audit = [
  method({
    name: 'audit.list',
    scope: 'admin',
    summary: 'Who did what to which connection or credential, from where and when; newest first.',
    input: z.strictObject({
      connection_id: id.optional(),
      /** `next_cursor` of the page before. */
      cursor: id.optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    output: z.object({ entries: z.array(auditEntry), next_cursor: id.nullable() }),
    run: async ({ service }, { connection_id, cursor, limit }) => {
      const page = await list(service, { before: cursor ?? null, limit, connectionId: connection_id ?? null });
      return { entries: page.rows, next_cursor: page.next };
    },
  }),
] as const;
