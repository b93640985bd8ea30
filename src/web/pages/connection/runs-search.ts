/** Which runs are listed, as it stands in the address. Pure. */

export const RUN_STATES = ['queued', 'running', 'complete', 'partly_failed', 'failed', 'cancelled'] as const;

export interface RunsSearch {
  readonly state?: (typeof RUN_STATES)[number];
}

export function runsSearch(raw: Readonly<Record<string, unknown>>): RunsSearch {
  const state = RUN_STATES.find((one) => one === raw['state']);
  return state ? { state } : {};
}
