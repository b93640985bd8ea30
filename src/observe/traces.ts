/** Traces by OpenTelemetry: only where its API is installed and the usual `OTEL_*` variables ask for them. */
import type { Observer } from '../app/observer.ts';

/** `span` of an observer; without OpenTelemetry one that only does the work. */
export async function openTraces(wanted: boolean, version: string): Promise<Observer['span']> {
  const api = wanted ? await import('@opentelemetry/api').catch(() => null) : null;
  if (!api) return (_name, _attributes, work) => work();
  const tracer = api.trace.getTracer('soundings', version);
  return (name, attributes, work) =>
    tracer.startActiveSpan(name, { attributes: { ...attributes } }, async (span) => {
      try {
        return await work();
      } catch (error) {
        span.setStatus({
          code: api.SpanStatusCode.ERROR,
          message: error instanceof Error ? error.message : String(error),
        });
        throw error;
      } finally {
        span.end();
      }
    });
}
