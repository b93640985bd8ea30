/** Who watches the program at work: structured log lines, counted requests, traced runs. `observe/` makes one. */

/** Fields such as `run` and `connection` by id, and one sentence. */
export interface Log {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

export interface Observer {
  readonly log: Log;
  /** A request to a SonarQube Server is over; `status` is 0 when there was no answer. */
  asked(endpoint: string, status: number, ms: number): void;
  /** Runs a piece of work as a span of a trace. */
  span<T>(name: string, attributes: Readonly<Record<string, string | number>>, work: () => Promise<T>): Promise<T>;
}

const nothing = (): void => undefined;

/** Watches nothing. */
export const UNOBSERVED: Observer = {
  log: { info: nothing, warn: nothing, error: nothing },
  asked: nothing,
  span: (_name, _attributes, work) => work(),
};
