/** Use cases on insights: which charts there are, and the numbers of one. */
import { chartOf, CHARTS } from '../insights/charts.ts';
import type { Chart } from '../insights/chart.ts';
import { filterFields, resolveFilters, type Filters, type FiltersInput } from '../insights/filters.ts';
import { runChart, type ChartResult } from '../insights/run.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Asker } from './query.ts';
import type { Service } from './service.ts';

export { filterFields, type Chart, type FiltersInput };

/** A chart is a page's, so it has to be there within seconds or not at all. */
const TIMEOUT_MS = 30_000;

export interface InsightAnswer extends ChartResult {
  readonly chart: Chart;
  /** With every default filled in. */
  readonly filters: Filters;
  readonly durationMs: number;
}

export const list = (): readonly Chart[] => CHARTS;

/** Runs a chart within the limits of its caller. */
export async function run(
  service: Service,
  asker: Asker,
  { id, ...input }: FiltersInput & { readonly id: string },
  signal: AbortSignal,
): Promise<InsightAnswer> {
  const chart = chartOf(id);
  if (!chart) {
    throw new ConnectorError(
      'insight_not_found',
      `There is no insight "${id.slice(0, 100)}"; insights.list names all there are.`,
    );
  }
  const filters = resolveFilters(input, service.now());
  return service.gates.insights.within(asker.name, signal, async () => {
    const began = performance.now();
    const result = await runChart(service.store.database, chart, filters, { timeoutMs: TIMEOUT_MS, signal });
    return { chart, filters, ...result, durationMs: Math.round(performance.now() - began) };
  });
}
