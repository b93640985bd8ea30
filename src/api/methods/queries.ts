import { z } from 'zod';
import { history, run, type Asker } from '../../app/query.ts';
import { EXAMPLES, list, remove, save } from '../../app/saved-queries.ts';
import { holds, method, type Caller } from '../method.ts';
import { exampleQuery, id, pastQuery, queryResult, savedQuery } from '../shapes.ts';

/** SQL as text: what is larger than this is data. */
export const sqlText = z.string().trim().min(1).max(100_000);

/** Limits and history go by the user; tokens and command lines stand for themselves. */
export const askerOf = (caller: Caller): Asker => ({ name: caller.name });

const ownerOf = (caller: Caller) => ({ name: caller.name, isAdmin: holds(caller.scopes, 'admin') });

export const queries = [
  method({
    name: 'query.run',
    scope: 'query',
    summary: 'Runs one statement as a role that can only read the warehouse, and answers with its first rows.',
    input: z.strictObject({
      sql: sqlText,
      timeout_seconds: z.number().min(0.1).max(300).default(30),
      /** Rows at most; a notice says when there are more. */
      max_rows: z.int().min(1).max(50_000).default(1000),
    }),
    output: queryResult,
    errors: ['too_many_requests'],
    run: async ({ service, caller, signal }, { sql, timeout_seconds, max_rows }) => {
      const request = { sql, timeoutSeconds: timeout_seconds, maxRows: max_rows };
      const { columns, rows, truncated, notice, durationMs } = await run(service, askerOf(caller), request, signal);
      return { columns, rows, row_count: rows.length, truncated, notice, duration_ms: durationMs };
    },
  }),
  method({
    name: 'queries.list',
    scope: 'query',
    summary: 'Every saved query, and examples that run as they are.',
    input: z.strictObject({}),
    output: z.object({ queries: z.array(savedQuery), examples: z.array(exampleQuery) }),
    run: async ({ service }) => ({ queries: await list(service), examples: EXAMPLES }),
  }),
  method({
    name: 'queries.history',
    scope: 'query',
    summary: 'What the caller asked before, newest first.',
    input: z.strictObject({ limit: z.int().min(1).max(200).default(50) }),
    output: z.object({ queries: z.array(pastQuery) }),
    run: async ({ service, caller }, { limit }) => ({
      queries: (await history(service, askerOf(caller), limit)).map(({ error_code, error_message, ...rest }) => ({
        ...rest,
        error: error_code === null ? null : { code: error_code, message: error_message ?? '' },
      })),
    }),
  }),
  method({
    name: 'queries.save',
    scope: 'query',
    summary: 'Saves a query under a name for everybody, or changes the one of this id.',
    input: z.strictObject({ id: id.optional(), name: z.string().trim().min(1).max(200), sql: sqlText }),
    output: z.object({ query: savedQuery }),
    errors: ['query_not_found', 'conflict'],
    run: async ({ service, caller }, input) => ({ query: await save(service, ownerOf(caller), input) }),
  }),
  method({
    name: 'queries.delete',
    scope: 'query',
    summary: 'Deletes a saved query.',
    input: z.strictObject({ id }),
    output: z.object({}),
    errors: ['query_not_found'],
    run: async ({ service, caller }, input) => {
      await remove(service, ownerOf(caller), input.id);
      return {};
    },
  }),
] as const;
