import { z } from 'zod';
import { filterFields, list, run, type Chart } from '../../app/insights.ts';
import { method } from '../method.ts';
import { insight, insightResult } from '../shapes.ts';
import { askerOf } from './queries.ts';

const shown = ({ id, title, description, kind, columns, parameters }: Chart) => ({
  id,
  title,
  description,
  kind,
  columns,
  parameters,
});

export const insights = [
  method({
    name: 'insights.list',
    scope: 'read',
    summary: 'Every chart there is: what it shows, its columns, and the filters that change it.',
    input: z.strictObject({}),
    output: z.object({ insights: z.array(insight) }),
    run: async () => Promise.resolve({ insights: list().map(shown) }),
  }),
  method({
    name: 'insights.run',
    scope: 'read',
    summary: 'The numbers of a chart, for some projects, a connection and a time, and the SQL that gave them.',
    input: z.strictObject({ id: z.string().min(1).max(100), ...filterFields }),
    output: insightResult,
    errors: ['insight_not_found', 'too_many_requests'],
    run: async ({ service, caller, signal }, input) => {
      const { chart, filters, rows, sql, durationMs } = await run(service, askerOf(caller), input, signal);
      return { insight: shown(chart), filters, rows, sql, duration_ms: durationMs };
    },
  }),
] as const;
