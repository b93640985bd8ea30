import { z } from 'zod';
import * as use from '../../app/runs.ts';
import type { Run } from '../../app/runs.ts';
import { method } from '../method.ts';
import { id, run, runState } from '../shapes.ts';

/** A run as it is answered. */
export const shownRun = ({ error_code, error_message, shortfalls, ...rest }: Run) => ({
  ...rest,
  shortfalls: shortfalls as z.output<typeof run>['shortfalls'],
  error: error_code && { code: error_code, message: error_message ?? '' },
});

export const runs = [
  method({
    name: 'runs.list',
    scope: 'read',
    summary: 'Runs, newest first.',
    input: z.strictObject({
      connection_id: id.optional(),
      state: runState.optional(),
      /** `next_cursor` of the page before. */
      cursor: id.optional(),
      limit: z.int().min(1).max(500).default(100),
    }),
    output: z.object({ runs: z.array(run), next_cursor: id.nullable() }),
    errors: ['connection_not_found'],
    run: async ({ service }, { connection_id, state, cursor, limit }) => {
      const page = await use.list(service, {
        before: cursor ?? null,
        limit,
        connectionId: connection_id ?? null,
        state: state ?? null,
      });
      return { runs: page.runs.map(shownRun), next_cursor: page.next };
    },
  }),
  method({
    name: 'runs.info',
    scope: 'read',
    summary: 'One run, with its progress.',
    input: z.strictObject({ id }),
    output: z.object({ run }),
    errors: ['run_not_found'],
    run: async ({ service }, input) => ({ run: shownRun(await use.info(service, input.id)) }),
  }),
  method({
    name: 'syncs.start',
    scope: 'connections:write',
    summary: 'Queues a sync of a connection; one that waits already is that one.',
    input: z.strictObject({ connection_id: id, full: z.boolean().default(false) }),
    output: z.object({ run }),
    status: 202,
    errors: ['connection_not_found', 'conflict'],
    run: async ({ service, caller }, { connection_id, full }) => ({
      run: shownRun(await use.start(service, caller, connection_id, full)),
    }),
  }),
  method({
    name: 'syncs.cancel',
    scope: 'connections:write',
    summary: 'Asks for the end of a run; one that waits ends at once.',
    input: z.strictObject({ id }),
    output: z.object({ run }),
    errors: ['run_not_found'],
    run: async ({ service, caller }, input) => ({ run: shownRun(await use.cancel(service, caller, input.id)) }),
  }),
] as const;
