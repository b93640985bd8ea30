/** The filters of the insights, as they stand in the address: a link to them shows the same. Pure. */

export const INTERVALS = ['day', 'week', 'month'] as const;

export interface InsightsSearch {
  readonly connection?: number;
  readonly projects?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly interval?: (typeof INTERVALS)[number];
}

const DAY = /^\d{4}-\d\d-\d\d$/;

/** What cannot be read is left out: an old or mistyped link shows everything. */
export function insightsSearch(raw: Readonly<Record<string, unknown>>): InsightsSearch {
  const connection = Number(raw['connection']);
  const list: readonly unknown[] = Array.isArray(raw['projects']) ? raw['projects'] : [raw['projects']];
  const projects = list
    .filter((key) => typeof key === 'string' || typeof key === 'number')
    .map(String)
    .filter((key) => key !== '')
    .slice(0, 200);
  const day = (value: unknown): string | undefined =>
    typeof value === 'string' && DAY.test(value) ? value : undefined;
  const [from, to] = [day(raw['from']), day(raw['to'])];
  const interval = INTERVALS.find((one) => one === raw['interval']);
  return {
    ...(Number.isSafeInteger(connection) && connection > 0 && { connection }),
    ...(projects.length > 0 && { projects }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(interval && interval !== 'week' && { interval }),
  };
}
