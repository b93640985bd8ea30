/** Asks an endpoint and checks the shape of the answer; what every stream's reader is made of. */
import type { z } from 'zod';
import { ConnectorError } from '../protocol/errors.ts';
import type { Page, Tally } from '../protocol/sync.ts';
import type { Params, Reply, SonarClient } from './client.ts';
import type { Endpoint } from './endpoints.ts';
import { unreadable } from './errors.ts';
import { hasShape } from './shape.ts';

/**
 * What `use` makes of a checked answer. Pages are long, so only what is needed of one should be returned, see
 * `FullReply.take`. A wrong shape is an `internal_server_error` that names the field.
 */
export async function ask<S extends z.ZodType, T>(
  client: SonarClient,
  endpoint: Endpoint,
  params: Params,
  schema: S,
  use: (body: z.output<S>, reply: Reply) => T,
): Promise<T> {
  const reply = await client.get(endpoint, params);
  const body = reply.take();
  if (hasShape(schema, body)) return use(body, reply);
  const { error } = schema.safeParse(body);
  const [issue] = error?.issues ?? [];
  const project = params['component'] ?? params['projectKey'];
  throw unreadable(
    { baseUrl: client.baseUrl, endpoint, ...(typeof project === 'string' && { project }) },
    `${issue?.path.join('.') ?? 'it'}: ${issue?.message ?? 'unexpected shape'}`,
    false,
    error,
  );
}

export function page(
  stream: string,
  records: readonly unknown[],
  reply: Pick<Reply, 'receivedAt'>,
): { type: 'page'; page: Page } {
  return { type: 'page', page: { stream, records, observedAt: reply.receivedAt } };
}

/** What reading one project may run into without failing the run; null for every other error. */
export function projectProblem(error: unknown): { status: 403 | 404; problem: NonNullable<Tally['problem']> } | null {
  if (!(error instanceof ConnectorError) || error.retry) return null;
  if (error.details['status'] === 403) {
    return { status: 403, problem: { state: 'unreadable', reason: 'the token may not browse this project (403)' } };
  }
  const said = typeof error.details['said'] === 'string' ? error.details['said'] : '';
  // a metric that is not found is a 404 too; only these texts speak of the project
  if (error.details['status'] === 404 && /^(Component|Project)\b.*not found$/.test(said)) {
    return { status: 404, problem: { state: 'unreadable', reason: 'the server does not find this project (404)' } };
  }
  return null;
}

/** An empty tally for a pass that could not be made. */
export function noTally(stream: string, project: string, problem: NonNullable<Tally['problem']>): Tally {
  return { stream, project, totalBefore: null, totalAfter: null, seen: null, holes: 0, readable: false, problem };
}
