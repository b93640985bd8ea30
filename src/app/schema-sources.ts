/** Which endpoint and field of SonarQube's API each column comes from, read off the streams themselves. Pure. */
import type { Column, Stream } from '../protocol/stream.ts';

export interface ColumnSource {
  readonly endpoint: string;
  /** As a path in the answer, `issues[].severity`; null where the value is no single field of it. */
  readonly field: string | null;
}

/** Where a stream's records lie in the answer. Those of measures are put together from several of its parts. */
const RECORDS: Readonly<Record<string, string>> = {
  projects: 'components[].',
  metrics: 'metrics[].',
  analyses: 'measures[].history[].',
  measures: 'component.measures[].',
  measures_history: 'measures[].history[].',
  issues: 'issues[].',
  hotspots: 'hotspots[].',
};

const ELSEWHERE: Readonly<Record<string, Readonly<Record<string, ColumnSource>>>> = {
  measures: {
    project: { endpoint: 'measures/component', field: 'component.key' },
    'period.mode': { endpoint: 'measures/component', field: 'period.mode' },
    'period.parameter': { endpoint: 'measures/component', field: 'period.parameter' },
    'period.date': { endpoint: 'measures/component', field: 'period.date' },
  },
  measures_history: {
    project: { endpoint: 'measures/search_history', field: null },
    metric: { endpoint: 'measures/search_history', field: 'measures[].metric' },
    'period.mode': { endpoint: 'measures/component', field: 'period.mode' },
    'period.parameter': { endpoint: 'measures/component', field: 'period.parameter' },
    'period.date': { endpoint: 'measures/component', field: 'period.date' },
  },
  analyses: { project: { endpoint: 'measures/search_history', field: null } },
};

/** The source of a column; null for the warehouse's own bookkeeping. */
export function sourceOf(stream: Stream, column: Column | undefined): ColumnSource | null {
  if (column?.writer !== 'record') return null;
  const path = pathRead(column.value as (record: unknown) => unknown);
  if (path === null) return { endpoint: stream.endpoint, field: null };
  return ELSEWHERE[stream.name]?.[path] ?? { endpoint: stream.endpoint, field: `${RECORDS[stream.name] ?? ''}${path}` };
}

/** The first field that a mapping reads of its record: it is given one that notes what is asked of it. */
function pathRead(value: (record: unknown) => unknown): string | null {
  let longest: string | null = null;
  const note = (path: readonly string[]): unknown =>
    new Proxy(() => undefined, {
      get: (_, name) => {
        // what a value is asked for, not a field of it
        if (typeof name === 'symbol' || name in String.prototype || name in Array.prototype) return () => '';
        const read = [...path, name].join('.');
        if (longest === null || read.startsWith(`${longest}.`)) longest = read;
        return note([...path, name]);
      },
    });
  try {
    value(note([]));
  } catch {
    // a mapping may expect more of a value than this one has; what it read by then is known
  }
  return longest;
}
