/** Prometheus metrics: what this process does, counted as it happens, and what the store says, asked at each scrape. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Vitals } from '../app/vitals.ts';

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #gauges: ReadonlyMap<string, Gauge>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'soundings_requests_total',
      help: 'Requests that this process made to SonarQube Servers, by endpoint and status (0: no answer).',
      labelNames: ['endpoint', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'soundings_request_seconds',
      help: 'How long they took.',
      labelNames: ['endpoint'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    });
    this.#gauges = new Map(
      GAUGES.map(([name, help, ...labelNames]) => [
        name,
        new Gauge({ name: `soundings_${name}`, help, labelNames, registers }),
      ]),
    );
  }

  asked(endpoint: string, status: number, ms: number): void {
    this.#requests.inc({ endpoint, status: String(status) });
    this.#seconds.observe({ endpoint }, ms / 1000);
  }

  /** The text of a scrape. */
  async text({ runs, connections }: Vitals): Promise<string> {
    for (const gauge of this.#gauges.values()) gauge.reset();
    const set = (name: string, labels: Record<string, string | number>, value: number | null): void => {
      if (value !== null) this.#gauges.get(name)?.set(labels, value);
    };
    for (const [state, count] of Object.entries(runs)) set('runs', { state }, count);
    set('queue_depth', {}, runs.queued + runs.running);
    for (const one of connections) {
      const connection = String(one.id);
      set('connection_info', { connection, name: one.name, disabled: String(one.disabled) }, 1);
      set('lag_seconds', { connection }, one.lagSeconds);
      set('projects', { connection }, one.projects);
      for (const [state, count] of Object.entries(one.ledger)) set('completeness', { connection, state }, count);
      for (const { credential, daysLeft } of one.tokens) {
        set('token_days_left', { connection, credential: String(credential) }, daysLeft);
      }
      if (!one.lastRun) continue;
      const { state, seconds, requests, retries, changes } = one.lastRun;
      set('last_run_state', { connection, state }, 1);
      set('last_run_seconds', { connection }, seconds);
      set('last_run_requests', { connection }, requests);
      set('last_run_retries', { connection }, retries);
      set('last_run_changes', { connection }, changes);
    }
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}

/** Name, meaning, labels. docs/operations.md has the same list. */
const GAUGES: readonly (readonly [name: string, help: string, ...labels: string[]])[] = [
  ['runs', 'Runs that are remembered, by state.', 'state'],
  ['queue_depth', 'Runs that wait or are under way.'],
  ['connection_info', 'Always 1: name and state of a connection.', 'connection', 'name', 'disabled'],
  ['lag_seconds', 'Seconds since a sync last came to its end.', 'connection'],
  ['projects', 'Projects of the connection that are there.', 'connection'],
  ['completeness', 'Rows of the completeness ledger, by state.', 'connection', 'state'],
  ['token_days_left', 'Days until a token ends; below 0 it has ended.', 'connection', 'credential'],
  ['last_run_state', 'Always 1: how the last run stands.', 'connection', 'state'],
  ['last_run_seconds', 'How long the last run took.', 'connection'],
  ['last_run_requests', 'Requests of the last run.', 'connection'],
  ['last_run_retries', 'Requests of the last run that were repeated.', 'connection'],
  ['last_run_changes', 'Rows that the last run added, changed or marked gone.', 'connection'],
];
