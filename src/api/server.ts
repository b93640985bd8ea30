/** The HTTP server: every method under its route, the web page beside it, and whatever plugs itself in. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import qs from 'qs';
import type { Service } from '../app/service.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { whoCalls, type Authenticator } from './auth.ts';
import { coerce } from './coerce.ts';
import { serveDocs } from './docs.ts';
import { allowed, dispatch, failure, methodOf, methods, type Answer, type Called } from './dispatch.ts';
import { DOWNLOADS, open, type Download } from './downloads.ts';
import type { AnyMethod, Caller } from './method.ts';
import { oidcRoutes } from './oidc.ts';
import { routeOf } from './routes.ts';
import { browserOf, sessions } from './session-cookie.ts';
import { serveWeb, WEB_FOLDER } from './web.ts';

/** Adds routes or hooks of its own: /healthz, server-sent events, cookies. */
export type Plugin = (app: FastifyInstance, service: Service) => void | Promise<void>;

export interface ServerOptions {
  readonly service: Service;
  /** Loopback unless told. */
  readonly host?: string;
  /** 0 (the default): a free one. */
  readonly port?: number;
  /** Registered in this order, before the methods, so that their hooks see every request. */
  readonly plugins?: readonly Plugin[];
  /** Ways to tell who calls beside an API token and a session. */
  readonly authenticators?: readonly Authenticator[];
  readonly logger?: FastifyBaseLogger;
  /** Requests a minute from one address. */
  readonly rateLimit?: number;
  /** Behind a proxy that sets `X-Forwarded-For`: addresses of callers are taken from there. */
  readonly trustProxy?: boolean | string;
  /** Where the built web page lies. */
  readonly webRoot?: string;
}

export interface Server {
  readonly url: string;
  readonly app: FastifyInstance;
  /** Lets requests that are under way end, and takes no more. */
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for requests of methods, once it is known who calls. */
    caller: Caller | null;
  }
}

const BODY_LIMIT = 1024 * 1024;
const REQUESTS_A_MINUTE = 1200;
const VERBS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'] as const;

/** Starts to listen; rejects when the address is taken. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const app = await makeApp(options);
  const { host = '127.0.0.1', port = 0 } = options;
  const url = await app.listen({ host, port }).catch(async (cause: unknown) => {
    await app.close();
    throw cannotListen(host, port, cause);
  });
  return { url, app, close: () => app.close() };
}

/** The server before it listens. */
export async function makeApp(options: ServerOptions): Promise<FastifyInstance> {
  const { service, plugins = [], authenticators = [], logger, webRoot = WEB_FOLDER } = options;
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    // a line for each request says nothing that metrics do not say better
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: options.trustProxy ?? false,
    routerOptions: { maxParamLength: 500 },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    ...(logger ? { loggerInstance: logger } : { logger: false }),
  });
  app.decorateRequest('caller', null);
  app.setErrorHandler(answerError);
  readBodies(app);
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY },
    hsts: false,
  });
  await app.register(rateLimit, {
    max: options.rateLimit ?? REQUESTS_A_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: (_, { ttl }) => tooMany(Math.ceil(ttl / 1000)),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, notFound);
  for (const plugin of plugins) await plugin(app, service);
  oidcRoutes(app, service);
  const authenticate = whoCalls(service, [sessions(service), ...authenticators]);
  for (const method of methods()) addMethod(app, service, method, authenticate);
  const closing = new AbortController();
  app.addHook('preClose', () => closing.abort());
  for (const download of DOWNLOADS) addDownload(app, service, download, authenticate, closing.signal);
  await serveDocs(app);
  await serveWeb(app, webRoot);
  return app;
}

/** Answers of the API load nothing at all; the web app's page has a policy of its own, in `web.ts`. */
const CONTENT_SECURITY = { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"], 'base-uri': ["'none'"] };

/** What is not even a request, or one whose head is too long: answered as everything else is, and the connection closed. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = failure(
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ConnectorError(
          'payload_too_large',
          'Address and headers are larger than 16 KiB; send long arguments by POST.',
        )
      : notJson('cannot be told from its head: this is not an HTTP request'),
    () => undefined,
  );
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

/** JSON and URL-encoded forms, as `secrets[api_token]=…` too. What is neither is refused as `invalid_json`. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    try {
      done(null, { json: text === '' ? {} : (JSON.parse(String(text)) as unknown) });
    } catch {
      done(notJson('is not JSON'));
    }
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, text, done) => {
    done(null, { form: parseForm(String(text)) });
  });
}

const parseForm = (text: string): Record<string, unknown> =>
  qs.parse(text, { depth: 4, parameterLimit: 2000, arrayLimit: 200, plainObjects: true });

interface Body {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, unknown>>;
}

function admitting(method: Called, authenticate: Authenticator) {
  const { verb } = routeOf(method.name);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.method !== verb) {
      void reply.header('allow', verb);
      throw new ConnectorError('method_not_allowed', `${method.name} is asked by ${verb}, not by ${request.method}.`);
    }
    request.caller = await authenticate(request);
    // before the body is read: who may not call gets nothing parsed
    allowed(method, { caller: request.caller, address: request.ip });
  };
}

/** Aborted when the caller is gone before the answer has ended. */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

function addMethod(app: FastifyInstance, service: Service, method: AnyMethod, authenticate: Authenticator): void {
  app.route({
    method: [...VERBS],
    url: routeOf(method.name).path,
    onRequest: admitting(method, authenticate),
    handler: async (request, reply) => {
      const signal = goneOf(reply);
      const { caller, ip: address } = request;
      let answer: Answer;
      try {
        const args = argumentsOf(method, request);
        const browser = browserOf(request, reply);
        answer = await dispatch(service, { name: method.name, args, caller, address, signal, browser }, (error) =>
          request.log.error({ err: error.cause ?? error, method: method.name }, 'a method failed unexpectedly'),
        );
      } catch (error) {
        answer = failure(error, () => undefined);
      }
      return send(reply, answer);
    },
  });
}

/** Errors that are known before the first byte are answered as everywhere; later ones break the connection off. */
function addDownload(
  app: FastifyInstance,
  service: Service,
  download: Download,
  authenticate: Authenticator,
  closing: AbortSignal,
): void {
  app.route({
    method: [...VERBS],
    url: routeOf(download.name).path,
    onRequest: admitting(download, authenticate),
    handler: async (request, reply) => {
      const caller = allowed(download, { caller: request.caller, address: request.ip });
      const gone = goneOf(reply);
      const signal = download.endless ? AbortSignal.any([gone, closing]) : gone;
      const call = { service, caller, signal, browser: browserOf(request, reply) };
      const file = await open(download, call, argumentsOf(download, request));
      file.body.once('error', (error) => request.log.warn({ err: error, method: download.name }, 'a download failed'));
      // one that is kept open for another request would hold up the server's end
      if (download.endless) void reply.header('connection', 'close');
      if (file.fileName !== null) void reply.header('content-disposition', `attachment; filename="${file.fileName}"`);
      return reply
        .header('content-type', file.mediaType)
        .header('x-accel-buffering', 'no')
        .header('cache-control', 'no-store')
        .send(file.body);
    },
  });
}

/** Path, and query (GET) or body (POST), as one object; none of them may contradict another. */
function argumentsOf(method: Called, request: FastifyRequest): Record<string, unknown> {
  const inPath = coerce(method.input, request.params) as Record<string, unknown>;
  const [, search = ''] = request.raw.url?.split('?', 2) ?? [];
  if (request.method === 'GET') return merged(method, inPath, coerce(method.input, parseForm(search)));
  if (search !== '') {
    throw new ConnectorError(
      'invalid_arguments',
      `The arguments of ${method.name} go into the body of the POST: what stands in an address is kept in logs.`,
    );
  }
  const { json, form } = (request.body ?? {}) as Body;
  if (form !== undefined) return merged(method, inPath, coerce(method.input, form));
  if (json === undefined) return inPath;
  return merged(method, inPath, json);
}

function merged(method: Called, inPath: Record<string, unknown>, others: unknown): Record<string, unknown> {
  if (typeof others !== 'object' || others === null || Array.isArray(others)) throw notJson('is not a JSON object');
  for (const [name, value] of Object.entries(others)) {
    if (Object.hasOwn(inPath, name) && inPath[name] !== value) {
      throw new ConnectorError(
        'invalid_arguments',
        `${name} of ${method.name} stands in the address; leave it out here.`,
        {
          details: { [name]: 'contradicts the address' },
        },
      );
    }
  }
  return { ...(others as Record<string, unknown>), ...inPath };
}

function send(reply: FastifyReply, { status, body, retryAfter }: Answer): FastifyReply {
  // what is away is mostly back within seconds: a database that restarts, a server that stops
  if (status === 503) void reply.header('retry-after', String(retryAfter ?? 5));
  if (status === 429) void reply.header('retry-after', String(retryAfter ?? 60));
  return reply.code(status).header('cache-control', 'no-store').send(body);
}

/** Whatever fails before a method is reached: reading the request, rate limit, verb, sign-in. */
function answerError(thrown: FastifyError | ConnectorError, request: FastifyRequest, reply: FastifyReply): void {
  const error = thrown instanceof ConnectorError ? thrown : ofFramework(thrown);
  if (error.code === 'not_authed') void reply.header('www-authenticate', 'Bearer');
  void send(
    reply,
    failure(error, () => request.log.error({ err: thrown }, 'a request failed unexpectedly')),
  );
}

function ofFramework(error: FastifyError): ConnectorError {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ConnectorError('payload_too_large', `The body is larger than ${BODY_LIMIT} bytes (1 MiB).`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return notJson('is neither application/json nor application/x-www-form-urlencoded');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return notJson('does not have the length that its header says');
    case 'FST_ERR_BAD_URL':
      return new ConnectorError(
        'invalid_arguments',
        'The address holds a "%" that is not followed by two hexadecimal digits.',
      );
    default:
      return new ConnectorError('unexpected', error.message, { cause: error });
  }
}

const notJson = (what: string): ConnectorError =>
  new ConnectorError('invalid_json', `The body ${what}; send a JSON object, or an URL-encoded form.`);

const tooMany = (seconds: number): ConnectorError =>
  new ConnectorError('too_many_requests', `Too many requests from this address; try again in ${seconds} s.`, {
    retryAfter: seconds,
  });

/** What no route takes: an unknown method, or a file of the web app that is not there. */
function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const name = (request.url.split('?')[0] ?? '/').replace(/^\/api\//, '');
  try {
    const { path, verb } = routeOf(methodOf(name).name);
    throw new ConnectorError('unknown_method', `${name} is asked as ${verb} ${path}.`);
  } catch (error) {
    return send(
      reply,
      failure(error, () => undefined),
    );
  }
}

function cannotListen(host: string, port: number, cause: unknown): ConnectorError {
  const code = cause instanceof Error ? String((cause as NodeJS.ErrnoException).code) : 'unknown';
  const reason =
    code === 'EADDRINUSE' ? 'another program listens there' : code === 'EACCES' ? 'this user may not' : code;
  return new ConnectorError(
    'invalid_arguments',
    `Cannot listen on ${host} port ${port} (${reason}); give another --port or --host.`,
    { cause },
  );
}
