/** Addresses for machines: is the process alive, can it work, and what does it measure? */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../api/auth.ts';
import { holds } from '../api/method.ts';
import { failure } from '../api/dispatch.ts';
import type { Plugin } from '../api/server.ts';
import { vitals } from '../app/vitals.ts';
import type { Service } from '../app/service.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Metrics } from './metrics.ts';

/** A database that does not answer within so long is not there. */
const READY_WITHIN_MS = 3000;

/**
 * `/healthz`: the process is alive, whatever its database does. `/readyz`: requests can be answered. `/metrics`: for
 * Prometheus, from this machine or with an API token of scope `read`.
 */
export function watchRoutes(metrics: Metrics): Plugin {
  return (app: FastifyInstance, service: Service): void => {
    app.get('/healthz', (_, reply) => plain(reply, 200, { status: 'ok' }));
    app.get('/readyz', async (_, reply) => {
      const { ready, reason } = await readiness(service);
      if (!ready) void reply.header('retry-after', '5');
      return plain(reply, ready ? 200 : 503, ready ? { status: 'ready' } : { status: 'not ready', reason });
    });
    app.get('/metrics', async (request, reply) => {
      try {
        await mayScrape(service, request);
        return await reply
          .header('cache-control', 'no-store')
          .type(metrics.contentType)
          .send(await metrics.text(await vitals(service)));
      } catch (error) {
        const { status, body } = failure(error, () => request.log.error({ err: error }, 'a scrape failed'));
        return plain(reply, status, body);
      }
    });
  };
}

async function readiness({ store }: Service): Promise<{ ready: boolean; reason: string }> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('the database does not answer')), READY_WITHIN_MS);
  try {
    await Promise.race([store.database.query('select 1'), late.promise]);
    return { ready: true, reason: '' };
  } catch (error) {
    return { ready: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Names of connections are nobody else's business: who is not on this machine shows a token. */
async function mayScrape(service: Service, request: FastifyRequest): Promise<void> {
  const { authorization } = request.headers;
  const direct = request.headers['x-forwarded-for'] === undefined;
  if (authorization === undefined && direct && LOOPBACK.test(request.socket.remoteAddress ?? '')) return;
  const caller = await callerOf(service, request);
  if (caller && holds(caller.scopes, 'read')) return;
  throw caller
    ? new ConnectorError('missing_scope', '/metrics needs an API token with the scope read.')
    : new ConnectorError(
        'not_authed',
        '/metrics needs an API token with the scope read, from any other machine than this.',
      );
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

const plain = (reply: FastifyReply, status: number, body: object): FastifyReply =>
  reply.code(status).header('cache-control', 'no-store').send(body);
