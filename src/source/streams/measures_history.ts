import { z } from 'zod';
import type { Emit } from '../../protocol/sync.ts';
import { defineStream, double, managed, reference, required, text, timestamp } from '../../protocol/stream.ts';
import { ask, page } from '../ask.ts';
import type { SonarClient } from '../client.ts';
import { readListing, type Listing } from '../listing.ts';
import { inLists } from '../lists.ts';
import { numeric, type Measure } from './measures.ts';

/** Paging counts analyses; every metric has one entry per analysis, and an entry without a value is normal. */
export const answer = z.object({
  paging: z.object({ total: z.number() }),
  measures: z.array(
    z.object({ metric: z.string(), history: z.array(z.object({ date: z.string(), value: z.string().optional() })) }),
  ),
});

/** A metric's value at one analysis. */
export interface Point extends Measure {
  readonly date: string;
}

/** The points of an answer that have a value; SonarQube keeps none for most metrics on new code. */
export function records(project: string, body: z.infer<typeof answer>): Point[] {
  const points: Point[] = [];
  for (const { metric, history } of body.measures) {
    for (const { date, value } of history) {
      if (value !== undefined) points.push({ project, metric, date, value, bestValue: undefined, period: undefined });
    }
  }
  return points;
}

export const measuresHistory = defineStream<Point>({
  name: 'measures_history',
  table: 'sonarqube_project_metrics',
  description:
    'The value of every metric at every analysis. Points of metrics on new code, of which the server keeps no history, are taken from the current measures at each sync.',
  endpoint: 'measures/search_history',
  // metric first: "this metric over all projects, newest first" is one index range with the value inside
  key: ['metric_id', 'project_id', 'date'],
  columns: {
    project_id: reference('projects', 'The project that was measured.', (p) => p.project),
    metric_id: reference('metrics', 'The metric.', (p) => p.metric),
    date: required(timestamp('Date of the analysis.', (p) => p.date)),
    value: text('The value as SonarQube sends it; cast to numeric for numbers and ratings.', (p) => p.value),
    period_mode: text('How new code is defined; only for metrics on new code.', (p) => p.period?.mode),
    period_parameter: text('Parameter of that definition.', (p) => p.period?.parameter),
    period_date: timestamp('Start of the new-code period.', (p) => p.period?.date),
    numeric_value: double('The value as a number, where it is one.', (p) => numeric(p.value)),
    gone_value: managed('text', 'The value, when its analysis was the newest and was deleted on the server.'),
  },
  countedBy: 'analyses',
});

/** Analyses a page; the server's maximum. */
const PAGE_SIZE = 1000;

/** Epoch milliseconds as text: how the ledger names an analysis. Reads SonarQube's `+0000` as well as ISO. */
export const analysisIdentity = (date: string): string => String(new Date(date).getTime());

/** The history of a project: which analyses there are, and the points of the newest one. */
export interface History extends Listing {
  /** The newest analysis, as the server writes its date; null when there is none. */
  readonly newest: string | null;
  /** Metrics that have a value at the newest analysis. */
  readonly valuesAtNewest: ReadonlySet<string>;
}

/** Reads every analysis (from a date on) and every point that has a value. `from` is inclusive. */
export async function readHistory(
  client: SonarClient,
  component: string,
  metricKeys: readonly string[],
  from: string | null,
  emit: Emit,
): Promise<History> {
  let newest: string | null = null;
  let valuesAtNewest = new Set<string>();
  let listing: Listing | undefined;
  for (const metrics of inLists(metricKeys, (key) => key)) {
    const read = await readListing<string>({
      pageSize: PAGE_SIZE,
      identity: analysisIdentity,
      fetch: async (p) => {
        const params = { component, metrics, ps: PAGE_SIZE, p, from: from ?? undefined };
        const read = await ask(client, 'measures/search_history', params, answer, (body, reply) => {
          const dates = [...new Set(body.measures.flatMap((one) => one.history.map((entry) => entry.date)))].sort(
            byTime,
          );
          const points = records(component, body);
          const last = dates.at(-1);
          if (last !== undefined && (newest === null || byTime(last, newest) >= 0)) {
            const atLast = points.filter((point) => point.date === last).map((point) => point.metric);
            valuesAtNewest = new Set(last === newest ? [...valuesAtNewest, ...atLast] : atLast);
            newest = last;
          }
          const analyses = dates.map((date) => ({ project: component, date }));
          const taken = [emit(page('analyses', analyses, reply)), emit(page('measures_history', points, reply))];
          return { total: body.paging.total, records: dates, reply, taken };
        });
        await Promise.allSettled(read.taken); // nothing comes after the failure of the other
        await Promise.all(read.taken);
        return read;
      },
      emit: async () => {},
    });
    listing ??= read;
  }
  return {
    ...(listing ?? { totalBefore: 0, totalAfter: 0, keys: new Set<string>(), holes: 0 }),
    newest,
    valuesAtNewest,
  };
}

const byTime = (a: string, b: string): number => new Date(a).getTime() - new Date(b).getTime();
