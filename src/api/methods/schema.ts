import { z } from 'zod';
import { info, list, type TableOverview } from '../../app/schema.ts';
import { method } from '../method.ts';
import { table, tableInfo } from '../shapes.ts';

const shown = ({ name, kind, description, rows, bytes, freshAt, columns, relations }: TableOverview) => ({
  name,
  kind,
  description,
  rows,
  bytes,
  fresh_at: freshAt,
  columns,
  references: relations,
});

export const schema = [
  method({
    name: 'schema.list',
    scope: 'read',
    summary: 'Every table and view of the warehouse: what it is, its rows, size, freshness, columns and relations.',
    input: z.strictObject({}),
    output: z.object({ tables: z.array(table) }),
    run: async ({ service }) => ({ tables: (await list(service)).map(shown) }),
  }),
  method({
    name: 'schema.info',
    scope: 'read',
    summary: 'One table: where each column comes from, how much of it is filled, and values as examples.',
    input: z.strictObject({ table: z.string().min(1).max(200) }),
    output: z.object({ table: tableInfo }),
    errors: ['table_not_found'],
    run: async ({ service }, input) => {
      const found = await info(service, input.table);
      const columns = found.table.columns.map((column, index) => {
        const { nullShare = null, examples = [], source = null } = found.columns[index] ?? {};
        return { ...column, source, null_share: nullShare, examples };
      });
      return { table: { ...shown(found.table), columns } };
    },
  }),
] as const;
