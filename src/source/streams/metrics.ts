import { z } from 'zod';
import type { Emit } from '../../protocol/sync.ts';
import { boolean, defineStream, integer, required, text } from '../../protocol/stream.ts';
import { ask, page } from '../ask.ts';
import type { SonarClient } from '../client.ts';
import { begin, readListing, type Begun, type ListPage } from '../listing.ts';

export const metric = z.object({
  id: z.string().optional(),
  key: z.string(),
  type: z.string(),
  name: z.string().optional(),
  description: z.string().optional(),
  domain: z.string().optional(),
  direction: z.number().optional(),
  qualitative: z.boolean().optional(),
  hidden: z.boolean().optional(),
  decimalScale: z.number().optional(),
});
export type Metric = z.infer<typeof metric>;

/** `metrics/search` has no `paging` object: total, p and ps stand at the top. */
export const answer = z.object({ total: z.number(), metrics: z.array(metric) });

export const metrics = defineStream<Metric>({
  name: 'metrics',
  table: 'sonarqube_metrics',
  description: 'Every metric the server knows. From 10.8 on 21 display names belong to two metrics: prefer source_key.',
  endpoint: 'metrics/search',
  key: ['connection_id', 'source_key'],
  columns: {
    source_id: text("SonarQube's own id of the metric.", (m) => m.id),
    source_key: required(text('Metric key, for example new_coverage.', (m) => m.key)),
    source_type: text(
      'SonarQube type: INT, FLOAT, PERCENT, RATING, WORK_DUR, MILLISEC, LEVEL, BOOL, STRING, DATA.',
      (m) => m.type,
    ),
    name: text('Display name, for example Coverage on New Code; not unique.', (m) => m.name ?? m.key),
    domain: text('Group of metrics, for example Coverage.', (m) => m.domain),
    api_accessible: boolean('Does the server still list the metric?', () => true),
    description: text('What the metric measures, in the words of the server.', (m) => m.description),
    direction: integer('1: higher is better, -1: lower is better, 0: neither.', (m) => m.direction),
    qualitative: boolean('Does the value judge quality, as opposed to size?', (m) => m.qualitative),
    hidden: boolean("Is the metric hidden in the server's own pages?", (m) => m.hidden),
    decimal_scale: integer('Digits after the decimal point.', (m) => m.decimalScale),
  },
  whenGone: { api_accessible: 'false' },
});

export const beginMetrics = (client: SonarClient): Begun<ListPage<Metric>> =>
  begin(async (p) => {
    return ask(client, 'metrics/search', { p, ps: 500 }, answer, ({ total, metrics }, reply) => ({
      total,
      records: metrics,
      reply,
    }));
  });

/** Reads every metric; returns their keys, which the measure endpoints must be asked by. */
export async function readMetrics(pages: Begun<ListPage<Metric>>, emit: Emit): Promise<readonly string[]> {
  const listing = await readListing<Metric>({
    pageSize: 500,
    identity: (m) => m.key,
    fetch: pages.page,
    emit: async ({ total, records, reply }) => {
      await emit({ type: 'size', stream: 'metrics', rows: total });
      await emit(page('metrics', records, reply));
    },
  });
  // metrics belong to no project: the answer itself shows that the token may read them
  await emit({
    type: 'tally',
    tally: { stream: 'metrics', project: null, ...listing, seen: listing.keys.size, readable: true },
  });
  return [...listing.keys];
}
