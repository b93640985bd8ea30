/** Who calls: an API token in the `Authorization` header, or whatever else the server was told to accept. */
import type { FastifyRequest } from 'fastify';
import type { Service } from '../app/service.ts';
import { authenticate } from '../app/tokens.ts';
import { SCOPES, type Caller, type Scope } from './method.ts';

/** A way to tell who calls, for example by a session's cookie; null when it does not know. */
export type Authenticator = (request: FastifyRequest) => Promise<Caller | null>;

/** As `tokens.create` makes them; anything else needs no look into the database. */
const TOKEN = /^Bearer +(sdg_[\w-]{43})$/i;

/** With an `Authorization` header only that counts: a wrong token is never made good by a cookie. */
export function whoCalls(service: Service, others: readonly Authenticator[]): Authenticator {
  return async (request) => {
    if (request.headers.authorization !== undefined) return callerOf(service, request);
    for (const other of others) {
      const caller = await other(request);
      if (caller) return caller;
    }
    return null;
  };
}

/** Whose API token the `Authorization` header holds; null for none that is good. */
export async function callerOf(service: Service, request: FastifyRequest): Promise<Caller | null> {
  const token = TOKEN.exec(request.headers.authorization ?? '')?.[1];
  const found = token === undefined ? null : await authenticate(service, token);
  if (!found) return null;
  return {
    name: `token ${found.prefix} (${found.label})`,
    address: request.ip,
    scopes: SCOPES.filter((scope) => found.scopes.includes(scope)) satisfies Scope[],
    userId: null,
  };
}
