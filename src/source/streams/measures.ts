import { z } from 'zod';
import { boolean, defineStream, double, reference, text, timestamp } from '../../protocol/stream.ts';
import { ask } from '../ask.ts';
import type { Reply, SonarClient } from '../client.ts';
import { inLists } from '../lists.ts';

/** A metric's value as `measures/component` sends it: overall at the top, on new code under `period`. */
export const measure = z.object({
  metric: z.string(),
  value: z.string().optional(),
  bestValue: z.boolean().optional(),
  period: z.object({ value: z.string().optional(), bestValue: z.boolean().optional() }).optional(),
});

export const answer = z.object({
  component: z.object({ key: z.string(), measures: z.array(measure).default([]) }),
  period: z
    .object({ mode: z.string().optional(), parameter: z.string().optional(), date: z.string().optional() })
    .optional(),
});

/** One measure with its project and the new-code period it was taken in. */
export interface Measure {
  readonly project: string;
  readonly metric: string;
  readonly value: string | undefined;
  readonly bestValue: boolean | undefined;
  /** Only on measures of new code. */
  readonly period:
    | {
        readonly mode?: string | undefined;
        readonly parameter?: string | undefined;
        readonly date?: string | undefined;
      }
    | undefined;
}

/** The value as a number where it is one: INT, FLOAT, PERCENT, RATING, WORK_DUR, MILLISEC; `true` is 1. */
export function numeric(value: string | undefined): number | null {
  if (value === undefined || value.trim() === '') return null;
  if (value === 'true') return 1;
  if (value === 'false') return 0;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** The measures of an answer, one record per metric that has a value. */
export function records(body: z.infer<typeof answer>): Measure[] {
  return body.component.measures.map((one) => ({
    project: body.component.key,
    metric: one.metric,
    value: one.value ?? one.period?.value,
    bestValue: one.bestValue ?? one.period?.bestValue,
    period: one.period === undefined ? undefined : (body.period ?? {}),
  }));
}

export const measures = defineStream<Measure>({
  name: 'measures',
  table: 'sonarqube_current_measures',
  description:
    'The value every metric has now: one row per project and metric. The fastest answer to "what is it today?".',
  endpoint: 'measures/component',
  key: ['project_id', 'metric_id'],
  columns: {
    project_id: reference('projects', 'The project that was measured.', (m) => m.project),
    metric_id: reference('metrics', 'The metric.', (m) => m.metric),
    value: text('The value as SonarQube sends it.', (m) => m.value),
    numeric_value: double('The value as a number, where it is one.', (m) => numeric(m.value)),
    best_value: boolean('Is this the best value the metric can have?', (m) => m.bestValue),
    period_mode: text(
      'How new code is defined, for example previous_version; only for metrics on new code.',
      (m) => m.period?.mode,
    ),
    period_parameter: text('Parameter of that definition.', (m) => m.period?.parameter),
    period_date: timestamp('Start of the new-code period.', (m) => m.period?.date),
  },
  indexes: ['(metric_id)'],
});

/** The current value of every metric of a project. Never `additionalFields=metrics`: with development_cost it is a 400. */
export async function readMeasures(
  client: SonarClient,
  component: string,
  metricKeys: readonly string[],
): Promise<{ records: Measure[]; reply: Reply }> {
  const found: Measure[] = [];
  let last: Reply | undefined;
  for (const list of inLists(metricKeys, (key) => key)) {
    const params = { component, metricKeys: list, additionalFields: 'period' };
    last = await ask(client, 'measures/component', params, answer, (body, reply) => {
      found.push(...records(body));
      return reply;
    });
  }
  return { records: found, reply: last ?? { bytes: 0, receivedAt: new Date(), serverDate: null } };
}
