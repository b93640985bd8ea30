/** Sessions of browsers: the cookie that holds the token, who it says is calling, and what other sites may not do with it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Service } from '../app/service.ts';
import { actorOf, sessionOf } from '../app/sign-in.ts';
import { ROLE_SCOPES } from '../app/users.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { Authenticator } from './auth.ts';
import type { Browser } from './method.ts';

/** Over https with the prefix by which browsers take it from this host alone. */
const cookieName = (request: FastifyRequest): string =>
  isSecure(request) ? '__Host-soundings_session' : 'soundings_session';

const isSecure = (request: FastifyRequest): boolean => request.protocol === 'https';

/** As `createSession` makes them; anything else needs no look into the database. */
const TOKEN = /^[\w-]{43}$/;

function tokenOf(request: FastifyRequest): string | null {
  const token = request.cookies[cookieName(request)] ?? '';
  return TOKEN.test(token) ? token : null;
}

/** The browser behind a request, for methods that begin or end sessions. */
export function browserOf(request: FastifyRequest, reply: FastifyReply): Browser {
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure(request) } as const;
  return {
    address: request.ip,
    token: tokenOf(request),
    keep: (token, endsAt) => {
      void reply.setCookie(cookieName(request), token, { ...attributes, expires: endsAt });
    },
    forget: () => {
      void reply.clearCookie(cookieName(request), attributes);
    },
  };
}

/** Who calls, by the cookie; refuses what changes something and was not asked by a page of this server. */
export function sessions(service: Service): Authenticator {
  return async (request) => {
    const token = tokenOf(request);
    const session = token === null ? null : await sessionOf(service, token);
    if (!session) {
      // nobody yet, and still no other site signs a browser in or out
      if (isOtherSite(request)) throw wrongOrigin();
      return null;
    }
    if (request.method !== 'GET' && !isThisSite(request)) throw wrongOrigin();
    return {
      ...actorOf(session, request.ip),
      scopes: ROLE_SCOPES[session.role],
      userId: session.user_id,
    };
  };
}

/** Browsers say so with every POST; over plain http to another machine only by `Origin`. */
function isThisSite(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  return site === undefined ? originIsHost(request) === true : site === 'same-origin';
}

function isOtherSite(request: FastifyRequest): boolean {
  if (request.method === 'GET') return false;
  const site = request.headers['sec-fetch-site'];
  return site === undefined ? originIsHost(request) === false : site !== 'same-origin';
}

/** Undefined where no origin is named: no browser. Schemes are not compared: a proxy may end TLS. */
function originIsHost({ headers, host }: FastifyRequest): boolean | undefined {
  if (headers.origin === undefined) return undefined;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === host;
}

const wrongOrigin = (): ConnectorError =>
  new ConnectorError(
    'wrong_origin',
    'A page of another site asked this, or a program with a browser’s session; ask from a page of this server, or with an API token.',
  );
