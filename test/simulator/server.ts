/** The HTTP side of the simulated server. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { Accounts } from './auth.ts';
import type { Token } from './auth.ts';
import { Dataset } from './dataset.ts';
import { ENDPOINTS, STATUS_PATH, systemStatus } from './endpoints.ts';
import type { Json, World } from './endpoints.ts';
import { Faults, PAGE } from './faults.ts';
import type { Action, Request } from './faults.ts';
import { metricsOf } from './metrics.ts';
import type { Metric } from './metrics.ts';
import { Mutator } from './mutate.ts';
import { ApiError, Params } from './params.ts';
import { IssueIndex } from './query.ts';
import { Renderer, json } from './render.ts';
import { DateWriter } from './time.ts';
import { featuresOf } from './versions.ts';
import type { Features, Version } from './versions.ts';

const gzip = promisify(zlib.gzip);

export interface SimulatorOptions {
  readonly version?: Version;
  /** Waited before each answer; a function says it per request. */
  readonly latencyMs?: number | ((request: Request) => number);
  /** `sonar.web.context`, such as '/sonar'. */
  readonly context?: string;
  readonly data?: Dataset;
  /** Milliseconds since 1970; the `Date` header follows it. */
  readonly clock?: () => number;
  /** Offset of the dates it writes: '+0000' unless told. */
  readonly utcOffset?: string;
  /** Serves hotspots in versions that have none any more (26.7 and later). */
  readonly keepHotspots?: boolean;
  /** Makes the indexes for a full read beforehand, so that the first requests are not slower. */
  readonly warm?: boolean;
  /** No gzip, as behind some proxies. */
  readonly gzip?: boolean;
  /** Keeps no log: for benchmarks. */
  readonly log?: boolean;
  readonly port?: number;
}

export interface LogEntry {
  readonly method: string;
  /** Without context path and query: '/api/issues/search'. */
  readonly path: string;
  /** The first value of each parameter. */
  readonly params: Readonly<Record<string, string>>;
  /** Path and query as they came. */
  readonly url: string;
  /** Name of the token, 'unknown' for one that does not exist, undefined for none. */
  readonly token: string | undefined;
  readonly userAgent: string | undefined;
  /** 0 until it is answered, and for good when the connection was cut before the first header. */
  status: number;
  /** Of the body, as sent. */
  bytes: number;
  /** Milliseconds of `performance.now()`; `end` is 0 until it is over. */
  readonly start: number;
  end: number;
}

export type TokenName =
  'admin' | 'viewer' | 'globalAnalysis' | 'projectAnalysis' | 'expiring' | 'expired' | 'revoked' | 'bad';

interface Answer {
  status: number;
  body: Json;
  contentType: string | undefined;
  headers: Record<string, string>;
}

/** The same words in every simulator, so that a test may write them down. */
const TOKENS: Readonly<Record<TokenName, string>> = {
  admin: 'squ_a0000000000000000000000000000000000000ad',
  viewer: 'squ_b0000000000000000000000000000000000000bb',
  globalAnalysis: 'sqa_c0000000000000000000000000000000000000cc',
  projectAnalysis: 'sqp_d0000000000000000000000000000000000000dd',
  expiring: 'squ_e0000000000000000000000000000000000000ee',
  expired: 'squ_f0000000000000000000000000000000000000ff',
  revoked: 'squ_10000000000000000000000000000000000000ab',
  bad: 'squ_20000000000000000000000000000000000000cd',
};

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Frame-Options': 'SAMEORIGIN',
  'X-XSS-Protection': '0',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'self'; base-uri 'none'; object-src 'none'",
};

/** Request line and headers together. */
const MAX_HEAD = 49_152;

const TOO_LONG =
  '<!doctype html><html lang="en"><head><title>HTTP Status 400 – Bad Request</title></head>' +
  '<body><h1>HTTP Status 400 – Bad Request</h1></body></html>';

export class Simulator {
  readonly tokens: Readonly<Record<TokenName, string>> = TOKENS;
  readonly log: LogEntry[] = [];
  readonly data: Dataset;
  readonly faults: Faults;
  readonly mutate: Mutator;
  readonly accounts = new Accounts();
  /** The most requests that were being answered at one time, so far. */
  peak = 0;
  latency: number | ((request: Request) => number);
  readonly #options: SimulatorOptions;
  readonly #context: string;
  readonly #dates: DateWriter;
  readonly #index: IssueIndex;
  readonly #hanging = new Set<http.ServerResponse>();
  #server: http.Server;
  #port = 0;
  #features: Features;
  #renderer: Renderer;
  #metrics: readonly Metric[];
  #running = 0;

  constructor(options: SimulatorOptions) {
    this.#options = options;
    this.data = options.data ?? new Dataset();
    this.latency = options.latencyMs ?? 0;
    this.#context = (options.context ?? '').replace(/\/+$/, '');
    this.#dates = new DateWriter(options.utcOffset);
    this.#index = new IssueIndex(this.data);
    this.#features = featuresOf(options.version ?? '26.9');
    this.#renderer = new Renderer(this.data, this.#features, this.#dates);
    this.#metrics = metricsOf(this.#features.number);
    this.#port = options.port ?? 0;
    this.#server = this.#makeServer();
    this.faults = new Faults({ open: () => this.#listen(), shut: () => this.#shut() });
    this.mutate = new Mutator(this.data, () => this.now());
    this.#makeAccounts();
    if (options.warm) this.#index.warm();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#context}`;
  }

  get version(): string {
    return this.#features.full;
  }

  /** Seconds. */
  now(): number {
    return Math.floor((this.#options.clock?.() ?? Date.now()) / 1000);
  }

  /** Another version over the same data, as after an upgrade. */
  upgrade(version: Version): void {
    this.#features = featuresOf(version);
    this.#renderer = new Renderer(this.data, this.#features, this.#dates);
    this.#metrics = metricsOf(this.#features.number);
  }

  /** The metrics there are at present. */
  metrics(): readonly Metric[] {
    return this.data.metrics ?? this.#metrics;
  }

  addToken(token: Token): void {
    this.accounts.addToken(token);
  }

  /** From now on this token is answered 401. */
  revoke(name: string): void {
    this.accounts.named(name).revoked = true;
  }

  /** Takes back what `revoke` did. */
  restore(name: string): void {
    this.accounts.named(name).revoked = false;
  }

  /** Requests of a path, such as 'issues/search'. */
  requests(path: string): LogEntry[] {
    const wanted = path.startsWith('/') ? path : `/api/${path}`;
    return this.log.filter((entry) => entry.path === wanted);
  }

  async start(): Promise<this> {
    await this.#listen();
    return this;
  }

  async close(): Promise<void> {
    for (const response of this.#hanging) response.destroy();
    await this.#shut();
  }

  #makeAccounts(): void {
    const { accounts } = this;
    accounts.addUser({ login: 'admin', name: 'Administrator', password: 'admin', admin: true });
    accounts.addUser({ login: 'viewer', name: 'Viewer', password: 'viewer', admin: false });
    const now = this.now();
    const project = this.data.projects[0]?.key;
    accounts.addToken({ name: 'admin', value: TOKENS.admin, kind: 'user', login: 'admin' });
    accounts.addToken({ name: 'viewer', value: TOKENS.viewer, kind: 'user', login: 'viewer' });
    accounts.addToken({ name: 'globalAnalysis', value: TOKENS.globalAnalysis, kind: 'globalAnalysis', login: 'admin' });
    accounts.addToken({
      name: 'projectAnalysis',
      value: TOKENS.projectAnalysis,
      kind: 'projectAnalysis',
      login: 'admin',
      ...(project === undefined ? {} : { project }),
    });
    const midnight = now - (now % 86_400) + 2 * 86_400;
    accounts.addToken({ name: 'expiring', value: TOKENS.expiring, kind: 'user', login: 'admin', expires: midnight });
    accounts.addToken({ name: 'expired', value: TOKENS.expired, kind: 'user', login: 'admin', expires: now - 3600 });
    accounts.addToken({ name: 'revoked', value: TOKENS.revoked, kind: 'user', login: 'admin', revoked: true });
  }

  #makeServer(): http.Server {
    const server = http.createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 60_000 }, (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        // a fault of the simulator itself: loud, and not to be taken for an answer of the server
        console.error('simulator:', error);
        if (!response.headersSent) response.writeHead(599);
        response.end(String(error));
      });
    });
    server.requestTimeout = 0;
    return server;
  }

  #listen(): Promise<void> {
    if (this.#server.listening) return Promise.resolve();
    this.#server = this.#makeServer();
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #shut(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  async #handle(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const start = performance.now();
    const { method = 'GET', url = '/' } = incoming;
    const mark = url.indexOf('?');
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    const { authorization } = incoming.headers;
    const outside = this.#context !== '' && rawPath !== this.#context && !rawPath.startsWith(`${this.#context}/`);
    const path = (outside ? rawPath : rawPath.slice(this.#context.length)).replace(/\/{2,}/g, '/');
    const request: Request = {
      method,
      path,
      params: query,
      headers: incoming.headers,
      token: this.accounts.nameOf(authorization),
    };
    const entry: LogEntry = {
      method,
      path,
      params: firstValues(query),
      url,
      token: request.token,
      userAgent: incoming.headers['user-agent'],
      status: 0,
      bytes: 0,
      start,
      end: 0,
    };
    if (this.#options.log !== false) this.log.push(entry);
    this.peak = Math.max(this.peak, ++this.#running);
    response.once('close', () => {
      this.#running--;
      entry.end = performance.now();
    });
    incoming.resume();

    const action = this.faults.decide(request);
    const latency = typeof this.latency === 'number' ? this.latency : this.latency(request);
    const wait = latency + (action?.kind === 'delay' ? action.ms : 0);
    if (wait > 0) await sleep(wait);
    if (action?.kind === 'hang') {
      this.#hanging.add(response);
      response.once('close', () => this.#hanging.delete(response));
      return;
    }
    if (action?.kind === 'reset' && action.bytes === undefined) {
      response.destroy();
      return;
    }
    let answer: Answer;
    if (action?.kind === 'answer') {
      answer = {
        status: action.status,
        body: action.body ?? '',
        contentType: action.contentType ?? (action.body ? 'application/json' : undefined),
        headers: { ...action.headers },
      };
    } else if (headSize(incoming) > MAX_HEAD) {
      answer = {
        status: 400,
        body: TOO_LONG,
        contentType: 'text/html;charset=utf-8',
        headers: { Connection: 'close' },
      };
    } else if (outside) {
      answer = {
        status: 404,
        body: TOO_LONG.replaceAll('400 – Bad Request', '404 – Not Found'),
        contentType: 'text/html;charset=utf-8',
        headers: {},
      };
    } else answer = this.#answer(request, authorization);
    if (action?.kind === 'edit') {
      if (action.body) answer.body = action.body(typeof answer.body === 'string' ? answer.body : answer.body.join(''));
      answer.contentType = action.contentType ?? answer.contentType;
      Object.assign(answer.headers, action.headers);
    }
    await this.#send(incoming, response, answer, action, entry);
  }

  #answer(request: Request, authorization: string | undefined): Answer {
    const { path } = request;
    if (!path.startsWith('/api/')) {
      return { status: 200, body: PAGE, contentType: 'text/html;charset=utf-8', headers: { ...SECURITY_HEADERS } };
    }
    const world = this.#world();
    const { phase } = this.faults;
    if (path === STATUS_PATH) {
      if (request.method !== 'GET') return problem(405, 'HTTP method GET is required');
      return good(systemStatus(world, phase === 'up' ? 'UP' : 'STARTING'));
    }
    if (phase === 'starting') return problem(404, `Unknown url : ${path}`);
    const caller = this.accounts.authenticate(authorization, this.#features, world.now);
    if (phase === 'unauthenticated') return problem(401, 'User is not authenticated');
    if (!caller) return { status: 401, body: '', contentType: undefined, headers: { ...SECURITY_HEADERS } };
    if (path.endsWith('/')) return problem(400, `Url is incorrect : '${path}'`);
    const endpoint = ENDPOINTS.get(path);
    if (!endpoint) return problem(404, `Unknown url : ${path}`);
    if (request.method !== 'GET') return problem(405, 'HTTP method GET is required');
    try {
      const answer = good(endpoint(world, caller, new Params(request.params)));
      const expires = caller.token?.expires;
      if (expires !== undefined) {
        answer.headers['SonarQube-Authentication-Token-Expiration'] = this.#dates.write(expires);
      }
      return answer;
    } catch (error) {
      if (error instanceof ApiError) return problem(error.status, error.message);
      throw error;
    }
  }

  #world(): World {
    return {
      data: this.data,
      features: this.#features,
      faults: this.faults,
      index: this.#index,
      renderer: this.#renderer,
      dates: this.#dates,
      serverId: '2F0D55B3-AaID18QV8cqx49HzDSpt',
      keepHotspots: this.#options.keepHotspots ?? false,
      metrics: () => this.metrics(),
      users: () => [...this.accounts.users.values()],
      now: this.now(),
    };
  }

  async #send(
    incoming: http.IncomingMessage,
    response: http.ServerResponse,
    answer: Answer,
    action: Action | undefined,
    entry: LogEntry,
  ): Promise<void> {
    if (response.destroyed) return;
    let body = bytesOf(answer.body);
    const headers = answer.headers;
    const wantsGzip = /\bgzip\b/.test(incoming.headers['accept-encoding'] ?? '');
    if (wantsGzip && this.#options.gzip !== false && body.length >= 1024 && answer.contentType !== undefined) {
      body = await gzip(body, { level: 1 });
      headers['Content-Encoding'] = 'gzip';
    }
    if (this.#options.clock) headers['Date'] = new Date(this.#options.clock()).toUTCString();
    if (answer.contentType !== undefined) headers['Content-Type'] = answer.contentType;
    if (body.length === 0) headers['Content-Length'] = '0';
    else headers['Transfer-Encoding'] = 'chunked';
    if (incoming.method === 'HEAD') delete headers['Transfer-Encoding'];
    entry.status = answer.status;
    response.writeHead(answer.status, headers);
    if (action?.kind === 'reset') {
      const part = body.subarray(0, action.bytes);
      entry.bytes = part.length;
      if (part.length === 0) response.flushHeaders();
      response.write(part, () => response.destroy());
      return;
    }
    if (action?.kind === 'truncate') body = body.subarray(0, action.bytes);
    entry.bytes = body.length;
    if (action?.kind === 'drip') {
      for (let i = 0; i < body.length; i += action.bytes) {
        if (response.closed) return;
        response.write(body.subarray(i, i + action.bytes));
        await sleep(action.ms);
      }
      response.end();
      return;
    }
    response.end(body);
  }
}

let scratch = Buffer.allocUnsafeSlow(1 << 20);

/** Piece by piece into one buffer that is used again and again. */
function bytesOf(body: Json): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  let length = 0;
  for (const piece of body) {
    // no character of a text takes more than three bytes
    if (length + piece.length * 3 > scratch.length) {
      const larger = Buffer.allocUnsafeSlow((length + piece.length * 3) * 2);
      scratch.copy(larger, 0, 0, length);
      scratch = larger;
    }
    length += scratch.write(piece, length);
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  scratch.copy(bytes, 0, 0, length);
  return bytes;
}

function good(body: Json): Answer {
  return {
    status: 200,
    body,
    contentType: 'application/json',
    headers: {
      ...SECURITY_HEADERS,
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      vary: 'accept-encoding',
    },
  };
}

/** Errors come without the usual headers, and after a 400 the connection is closed. */
function problem(status: number, message: string): Answer {
  return {
    status,
    body: json({ errors: [{ msg: message }] }),
    contentType: 'application/json',
    headers: { vary: 'accept-encoding', ...(status === 400 ? { Connection: 'close' } : {}) },
  };
}

function firstValues(params: URLSearchParams): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of params) if (!Object.hasOwn(values, name)) values[name] = value;
  return values;
}

function headSize(incoming: http.IncomingMessage): number {
  let size = (incoming.method?.length ?? 0) + (incoming.url?.length ?? 0) + 12;
  for (const part of incoming.rawHeaders) size += part.length + 2;
  return size;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Starts a simulated SonarQube Server on a free port of 127.0.0.1. */
export function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return new Simulator(options).start();
}
