/** A run as server-sent events: its value whenever it has changed, until it has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { info } from '../app/runs.ts';
import type { Call } from './method.ts';
import { shownRun } from './methods/runs.ts';
import { run } from './shapes.ts';

const LOOK_EVERY_MS = 500;
/** Proxies cut off what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;

const event = z.object({ run });

/** The events as texts; throws before the first when there is no such run. */
export async function runEvents({ service, signal }: Call, id: number): Promise<AsyncGenerator<string>> {
  const read = async (): Promise<z.output<typeof run>> => event.parse({ run: shownRun(await info(service, id)) }).run;
  const first = await read();
  return events(first, read, signal);
}

async function* events<R extends { state: string }>(
  first: R,
  read: () => Promise<R>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let value: R | null = first;
  let told = '';
  let spokenAt = 0;
  while (!signal.aborted) {
    const text: string = value ? JSON.stringify({ run: value }) : told;
    if (text !== told) {
      yield `event: run\ndata: ${text}\n\n`;
      told = text;
      spokenAt = performance.now();
    } else if (performance.now() - spokenAt > HEARTBEAT_MS) {
      yield ': nothing new\n\n';
      spokenAt = performance.now();
    }
    if (value && value.state !== 'queued' && value.state !== 'running') return;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    // a database that is away comes back, or the caller goes
    value = await read().catch(() => null);
  }
}
