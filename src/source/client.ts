/** One request to a SonarQube Server: address, token, limits, patience. Knows nothing of what the answers mean. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { ConnectorError, asConnectorError } from '../protocol/errors.ts';
import { Egress } from './egress.ts';
import { BROWSE_ENDPOINTS, ENDPOINTS, STATUS_ENDPOINT, type Endpoint } from './endpoints.ts';
import {
  errorFromAnswer,
  errorFromSocket,
  looksLikeStarting,
  unreadable,
  type FailedAnswer,
  type ServerStatus,
  type Where,
} from './errors.ts';
import { kindOf, Pace } from './pace.ts';

const inflate = promisify(gunzip);

/** Parameters of a request; arrays become comma lists. */
export type Params = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What there is to know of an answer besides what it says. */
export interface Reply {
  /** Bytes of the body, unpacked. */
  readonly bytes: number;
  /** This machine's clock when the whole answer had been received. */
  readonly receivedAt: Date;
  /** The server's clock, from the HTTP `Date` header. */
  readonly serverDate: Date | null;
}

/** A JSON answer and when it was true. */
export class FullReply implements Reply {
  readonly bytes: number;
  readonly receivedAt: Date;
  readonly serverDate: Date | null;
  #body: unknown;

  constructor(body: unknown, { bytes, receivedAt, serverDate }: Reply) {
    this.#body = body;
    this.bytes = bytes;
    this.receivedAt = receivedAt;
    this.serverDate = serverDate;
  }

  /**
   * What it says, once. The promises it comes through are as old as the request, and what is old is collected late, with all
   * that it refers to: a page would be copied twice and stay until then.
   */
  take(): unknown {
    const body = this.#body;
    this.#body = undefined;
    return body;
  }
}

/** An answer that has not been read yet. */
interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly receivedAt: Date;
  readonly date: Date | null;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly location?: string;
}

/** How often one thing has been asked for. */
interface Patience {
  attempts: number;
}

/** What has been asked of the server so far; shown as progress and stored with the run. */
export interface Traffic {
  requests: number;
  retries: number;
  /** Bytes received, as they came over the wire. */
  bytes: number;
  byEndpoint: Partial<Record<Endpoint | typeof STATUS_ENDPOINT, number>>;
}

export interface ClientOptions {
  readonly baseUrl: string;
  readonly token: string;
  /** Requests in flight at most; how many there are is a matter of the server's latency. */
  readonly maxConcurrency?: number;
  /** Shares the requests in flight with other clients of the same server; stands instead of `maxConcurrency`. */
  readonly pace?: Pace;
  /** The server has answered this run before: one that is silent now is waited for, not taken for a wrong address. */
  readonly known?: boolean;
  /** Never ask `system/status`, not even to explain a failure. */
  readonly listedEndpointsOnly?: boolean;
  /** The seventh endpoint may be asked too: the connection says `access: browse`. */
  readonly browse?: boolean;
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly except?: string };
  /** PEM text of further certificate authorities. */
  readonly ca?: string;
  /** PEM text of the certificate that this program shows to the server or the proxy before it, and of its key. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Which addresses may be connected to; any but link-local and metadata services unless told. */
  readonly egress?: Egress;
  readonly version?: string;
  /** Attempts per request, the first included. */
  readonly attempts?: number;
  /** Milliseconds without a byte before a request is given up. */
  readonly timeoutMs?: number;
  /** Largest answer accepted, in bytes after decompression. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Told of each request when it is over; status 0: no answer. */
  readonly onAnswer?: (endpoint: string, status: number, ms: number) => void;
}

/** Sent with every answer to a token that has an end: `2027-01-31T00:00:00+0000`. */
const EXPIRATION_HEADER = 'sonarqube-authentication-token-expiration';
const MAX_REDIRECTS = 3;
/** Seven attempts with these pauses outlast about a minute of restart, proxy reload or index rebuild. */
const DEFAULT_ATTEMPTS = 7;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
/** `Retry-After` is honoured up to here; a proxy that asks for an hour gets an error instead. */
const LONGEST_RETRY_AFTER_S = 120;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

export class SonarClient {
  readonly baseUrl: string;
  readonly traffic: Traffic = { requests: 0, retries: 0, bytes: 0, byEndpoint: {} };
  readonly #options: ClientOptions;
  readonly #egress: Egress;
  readonly #dispatcher: Dispatcher;
  readonly #pace: Pace;
  /** Aborted by `close`: what waits for a pause or its turn then ends too. */
  readonly #closed = new AbortController();
  readonly #signal: AbortSignal;
  /** The server's clock at the first answer. Until there is one, a failure is reported at once instead of waited for. */
  #firstAnswerAt: Date | null = null;
  #tokenExpiresAt: Date | null = null;
  #skewMs = 0;
  #allowed: Promise<void> | undefined;

  constructor(options: ClientOptions) {
    this.baseUrl = options.baseUrl;
    this.#options = options;
    this.#pace =
      options.pace ?? new Pace({ ...(options.maxConcurrency !== undefined && { most: options.maxConcurrency }) });
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#closed.signal]) : this.#closed.signal;
    const { clientCertificate } = options;
    const tls = {
      ...(options.ca !== undefined && { ca: options.ca }),
      ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
    };
    const timeout = options.timeoutMs ?? 120_000;
    this.#egress = options.egress ?? Egress.any;
    const { lookup } = this.#egress;
    this.#dispatcher = new EnvHttpProxyAgent({
      httpProxy: options.proxy?.http ?? '',
      httpsProxy: options.proxy?.https ?? '',
      noProxy: options.proxy?.except ?? '',
      connect: { ...tls, lookup, timeout: 15_000 },
      proxyTls: { ...tls, lookup, timeout: 15_000 },
      requestTls: tls,
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
  }

  /** What has been asked so far and how many requests may be in flight now, as progress shows it. */
  get flow(): { requests: number; retries: number; bytes: number; concurrency: number } {
    const { requests, retries, bytes } = this.traffic;
    return { requests, retries, bytes, concurrency: this.#pace.target };
  }

  get firstAnswerAt(): Date | null {
    return this.#firstAnswerAt;
  }

  /** When the token ends, as the server said with its answers; null when it has no end or nothing was answered yet. */
  get tokenExpiresAt(): Date | null {
    return this.#tokenExpiresAt;
  }

  /** The server's clock now, in epoch seconds: this machine's, corrected by what the first answer showed. */
  serverNow(): number {
    return (Date.now() + this.#skewMs) / 1000;
  }

  /** GETs one of the listed endpoints as JSON; retries what may pass; throws a ConnectorError. */
  async get(endpoint: Endpoint, params: Params): Promise<FullReply> {
    const listed = endpoint in ENDPOINTS || (this.#options.browse === true && endpoint in BROWSE_ENDPOINTS);
    if (!listed) throw new Error(`api/${endpoint as string} is not a listed endpoint`);
    const project = params['component'] ?? params['projectKey'];
    const where: Where = {
      baseUrl: this.baseUrl,
      endpoint,
      ...(typeof project === 'string' && { project }),
    };
    const patience = { attempts: 1 };
    for (;;) {
      const began = performance.now();
      const answer = await this.#pace.run(() => this.#withPatience(endpoint, params, where, patience));
      // the place of this request is free: what waits for one is sent before this answer is read
      await turn();
      const { length: bytes } = answer.bytes;
      const reply = { bytes, receivedAt: answer.receivedAt, serverDate: answer.date };
      try {
        const full = new FullReply(JSON.parse(answer.bytes.toString()), reply);
        this.#note(reply);
        return full;
      } catch (cause) {
        await this.#again(endpoint, unreadable(where, 'it is not JSON', true, cause), patience, began);
      }
    }
  }

  /** Frees the sockets and ends every request that still waits. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#dispatcher.destroy();
  }

  /** One answer, asked for again and again while its failure may pass. */
  async #withPatience(endpoint: Endpoint, params: Params, where: Where, patience: Patience): Promise<Answer> {
    for (;;) {
      this.#signal.throwIfAborted();
      const began = performance.now();
      try {
        return await this.#once(endpoint, params, where);
      } catch (thrown) {
        await this.#again(endpoint, asConnectorError(thrown), patience, began);
      }
    }
  }

  /** Pauses before the next attempt; throws the error when there is none. */
  async #again(endpoint: Endpoint, error: ConnectorError, patience: Patience, began: number): Promise<void> {
    this.#signal.throwIfAborted();
    const attempts = this.#options.attempts ?? DEFAULT_ATTEMPTS;
    // nothing answered yet: a wrong address or a stopped server is told at once, not after a minute
    const most = this.#firstAnswerAt || this.#options.known ? attempts : Math.min(attempts, 2);
    if (error.retry) this.#pace.note({ kind: endpoint, ms: performance.now() - began, ok: false });
    if (!error.retry || patience.attempts >= most) throw error;
    this.traffic.retries += 1;
    await sleep(pauseBefore(patience.attempts, error.retryAfter), undefined, { signal: this.#signal });
    patience.attempts += 1;
  }

  /** Clocks and first answer, from an answer that could be read. */
  #note({ serverDate, receivedAt }: Reply): void {
    if (!this.#firstAnswerAt && serverDate) this.#skewMs = serverDate.getTime() - receivedAt.getTime();
    this.#firstAnswerAt ??= serverDate ?? receivedAt;
  }

  async #once(endpoint: Endpoint, params: Params, where: Where): Promise<Answer> {
    let url = `${this.baseUrl}/api/${endpoint}?${encode(params)}`;
    const began = performance.now();
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#send(url, endpoint, where, true);
      const target = redirectTarget(url, answer);
      if (target !== null && redirects < MAX_REDIRECTS) {
        url = target;
        continue;
      }
      if (answer.status !== 200 || !answer.contentType.includes('json')) {
        const failed: FailedAnswer = { ...answer, body: answer.bytes.subarray(0, 4096).toString() };
        throw errorFromAnswer(failed, where, await this.#explain(failed));
      }
      this.#pace.note({ kind: kindOf(endpoint, answer.bytes.length), ms: performance.now() - began, ok: true });
      return answer;
    }
  }

  async #send(
    url: string,
    endpoint: Endpoint | typeof STATUS_ENDPOINT,
    where: Where,
    withToken: boolean,
  ): Promise<Answer> {
    this.traffic.requests += 1;
    this.traffic.byEndpoint[endpoint] = (this.traffic.byEndpoint[endpoint] ?? 0) + 1;
    const began = performance.now();
    const over = (status: number): void => this.#options.onAnswer?.(endpoint, status, performance.now() - began);
    try {
      await (this.#allowed ??= this.#mayAsk());
      const response = await request(url, {
        dispatcher: this.#dispatcher,
        signal: this.#signal,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'gzip',
          'user-agent': `Soundings/${this.#options.version ?? 'dev'} (SonarQube to PostgreSQL)`,
          ...(withToken && { authorization: `Bearer ${this.#options.token}` }),
        },
      });
      const raw = await this.#collect(response.body);
      over(response.statusCode);
      const bytes =
        header(response.headers, 'content-encoding') === 'gzip' && raw.length > 0
          ? await inflate(raw, { maxOutputLength: this.#maxBytes, chunkSize: inflatedSize(raw, this.#maxBytes) })
          : raw;
      const date = new Date(header(response.headers, 'date') ?? '');
      const expires = new Date(header(response.headers, EXPIRATION_HEADER) ?? '');
      if (withToken && !Number.isNaN(expires.getTime())) this.#tokenExpiresAt = expires;
      const retryAfter = Number.parseInt(header(response.headers, 'retry-after') ?? '', 10);
      const location = header(response.headers, 'location');
      return {
        status: response.statusCode,
        contentType: header(response.headers, 'content-type') ?? '',
        bytes,
        receivedAt: new Date(),
        date: Number.isNaN(date.getTime()) ? null : date,
        ...(Number.isFinite(retryAfter) && { retryAfter }),
        ...(location !== undefined && { location }),
      };
    } catch (error) {
      if (error instanceof ConnectorError) throw error;
      this.#signal.throwIfAborted();
      over(0);
      const proxy = this.#proxyFor(url);
      throw errorFromSocket(error, proxy === undefined ? where : { ...where, proxy });
    }
  }

  /**
   * Names are judged when a socket asks for their address; here it is what needs no asking, and what a proxy would ask.
   * Once: redirects stay on this host.
   */
  async #mayAsk(): Promise<void> {
    const { http, https } = this.#options.proxy ?? {};
    for (const proxy of [http, https]) if (proxy !== undefined && URL.canParse(proxy)) this.#egress.check(proxy);
    if (this.#proxyFor(this.baseUrl) === undefined) this.#egress.check(this.baseUrl);
    else await this.#egress.checkBehindProxy(this.baseUrl);
  }

  /** The proxy for this URL, without its user and password; undefined without one. */
  #proxyFor(url: string): string | undefined {
    const { proxy } = this.#options;
    const address = url.startsWith('https:') ? proxy?.https : proxy?.http;
    return address === undefined || !URL.canParse(address) ? undefined : new URL(address).origin;
  }

  /** Does the server answer at all? Asked once, without patience, after a failure that may be one project's own. */
  async answers(): Promise<boolean> {
    const where: Where = { baseUrl: this.baseUrl, endpoint: 'projects/search' };
    try {
      const { bytes } = await this.#once('projects/search', { p: 1, ps: 1 }, where);
      JSON.parse(bytes.toString());
      return true;
    } catch {
      this.#signal.throwIfAborted();
      return false;
    }
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  async #collect(body: Dispatcher.ResponseData['body']): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > this.#maxBytes) {
        body.destroy();
        throw Object.assign(new Error('answer too large'), { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
      }
    }
    this.traffic.bytes += size;
    return Buffer.concat(chunks, size);
  }

  /** Asks `system/status`, without the token, what a doubtful answer means. */
  async #explain(answer: FailedAnswer): Promise<ServerStatus | null> {
    const doubtful = answer.status === 401 || answer.status >= 500 || looksLikeStarting(answer);
    if (this.#options.listedEndpointsOnly || !doubtful) return null;
    return this.serverStatus();
  }

  /** `system/status` without the token; null when it does not answer with JSON. */
  async serverStatus(): Promise<ServerStatus | null> {
    if (this.#options.listedEndpointsOnly) return null;
    try {
      const where: Where = { baseUrl: this.baseUrl, endpoint: 'projects/search' };
      const answer = await this.#send(`${this.baseUrl}/api/${STATUS_ENDPOINT}`, STATUS_ENDPOINT, where, false);
      if (answer.status !== 200 || !answer.contentType.includes('json')) return null;
      const { status, version } = JSON.parse(answer.bytes.toString()) as { status?: unknown; version?: unknown };
      return typeof status === 'string' ? { status, version: typeof version === 'string' ? version : null } : null;
    } catch {
      return null; // the failure that is being explained says more than this one
    }
  }
}

/** Full jitter (a random share of a doubling pause) keeps parallel requests from coming back in step. */
function pauseBefore(attempt: number, retryAfter: number | undefined): number {
  if (retryAfter !== undefined) return Math.min(retryAfter, LONGEST_RETRY_AFTER_S) * 1000;
  const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

function encode(params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    query.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  return query.toString();
}

/**
 * What a gzip member says it comes to, in its last four bytes: inflated into one piece of that size instead of one of 16 kB
 * after the other. A wrong size costs more pieces, nothing else.
 */
function inflatedSize(raw: Buffer, most: number): number {
  const said = raw.length < 18 ? 0 : raw.readUInt32LE(raw.length - 4);
  return Math.min(Math.max(said + 1, 16 * 1024), most, 16 * 1024 * 1024);
}

function header(headers: Record<string, string | string[] | undefined>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Where to go on after a redirect: only on the same host, and never from https to http. */
function redirectTarget(from: string, answer: { status: number; location?: string }): string | null {
  if (answer.status < 300 || answer.status >= 400 || answer.location === undefined) return null;
  try {
    const before = new URL(from);
    const after = new URL(answer.location, from);
    const sameHost = after.hostname === before.hostname;
    const upgrade = before.protocol === 'http:' && after.protocol === 'https:';
    return sameHost && ((after.protocol === before.protocol && after.port === before.port) || upgrade)
      ? after.href
      : null;
  } catch {
    return null;
  }
}
