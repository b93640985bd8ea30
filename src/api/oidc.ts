/** `/auth/oidc` sends the browser to the OIDC provider, which sends it back to `/auth/oidc/callback`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { comeBack, leave, OidcRefused, type Pending } from '../app/oidc.ts';
import type { Service } from '../app/service.ts';
import { browserOf } from './session-cookie.ts';

const COOKIE = 'soundings_oidc';
const PATH = '/auth/oidc';
const MINUTES = 10;

const kept = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), next: z.string() });

/** Nothing where no provider is configured. */
export function oidcRoutes(app: FastifyInstance, service: Service): void {
  const { oidc } = service;
  if (!oidc) return;
  const callbackOf = (request: FastifyRequest): string =>
    `${oidc.publicUrl ?? `${request.protocol}://${request.host}`}${PATH}/callback`;

  app.get(PATH, async (request, reply) => {
    try {
      const { url, pending } = await leave(oidc, callbackOf(request));
      return await keep(request, reply, pending).redirect(url);
    } catch (error) {
      return refused(request, reply, error);
    }
  });

  app.get(`${PATH}/callback`, async (request, reply) => {
    const before = recall(request);
    forget(request, reply);
    try {
      if (!before) throw new OidcRefused('provider', 'This browser did not begin a sign-in within ten minutes.');
      const [, search = ''] = request.url.split('?', 2);
      const cameBackTo = new URL(`${callbackOf(request)}?${search}`);
      const { token, endsAt } = await comeBack(service, oidc, { cameBackTo, pending: before, address: request.ip });
      const browser = browserOf(request, reply);
      browser.keep(token, new Date(endsAt));
      return await reply.header('cache-control', 'no-store').redirect(before.next);
    } catch (error) {
      return refused(request, reply, error);
    }
  });
}

/** Lax: the way back begins at the provider, whose pages are another site. */
const attributesOf = (request: FastifyRequest) =>
  ({ path: PATH, httpOnly: true, sameSite: 'lax', secure: request.protocol === 'https' }) as const;

function keep(request: FastifyRequest, reply: FastifyReply, pending: Pending): FastifyReply {
  const { next } = request.query as { next?: unknown };
  const value = Buffer.from(JSON.stringify({ ...pending, next: withinHere(next) })).toString('base64url');
  return reply
    .setCookie(COOKIE, value, { ...attributesOf(request), maxAge: MINUTES * 60 })
    .header('cache-control', 'no-store');
}

function recall(request: FastifyRequest): (Pending & { next: string }) | null {
  try {
    const text = Buffer.from(request.cookies[COOKIE] ?? '', 'base64url').toString();
    const { next, ...pending } = kept.parse(JSON.parse(text));
    return { ...pending, next: withinHere(next) };
  } catch {
    return null;
  }
}

function forget(request: FastifyRequest, reply: FastifyReply): void {
  void reply.clearCookie(COOKIE, attributesOf(request));
}

/** A path of this server and nothing that a browser would take for another one. */
function withinHere(next: unknown): string {
  if (typeof next !== 'string' || next.length > 2000 || !next.startsWith('/')) return '/';
  const url = URL.canParse(next, 'http://here') ? new URL(next, 'http://here') : null;
  return url?.origin === 'http://here' ? `${url.pathname}${url.search}` : '/';
}

/** Back to the sign-in page, which has a sentence for each reason. */
function refused(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const reason = error instanceof OidcRefused ? error.reason : 'unexpected';
  if (error instanceof OidcRefused) request.log.warn({ reason }, error.message);
  else request.log.error({ err: error }, 'a sign-in through the OIDC provider failed unexpectedly');
  return reply.header('cache-control', 'no-store').redirect(`/sign-in?refused=${reason}`);
}
