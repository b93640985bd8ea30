/** The observer of a running program: log, metrics and traces as one value. */
import type { Logger } from 'pino';
import type { Observer } from '../app/observer.ts';
import { VERSION } from '../app/version.ts';
import { makeLog, type LogOptions } from './log.ts';
import { Metrics } from './metrics.ts';
import { openTraces } from './traces.ts';

export interface Watching extends Observer {
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** `traces`: do the `OTEL_*` variables ask for them? */
export async function watch(options: LogOptions & { traces: boolean }): Promise<Watching> {
  const metrics = new Metrics();
  return {
    log: makeLog(options),
    metrics,
    asked: (endpoint, status, ms) => metrics.asked(endpoint, status, ms),
    span: await openTraces(options.traces, VERSION),
  };
}
