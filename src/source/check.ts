/**
 * Verifies a token against a server, with the listed endpoints alone: is there a server, is it a SonarQube 10 or later,
 * does it accept the token, and which of the endpoints may be read with it?
 */
import { z } from 'zod';
import { asConnectorError, ConnectorError } from '../protocol/errors.ts';
import { SonarClient, type ClientOptions, type Params } from './client.ts';
import { ENDPOINTS, permissionOf, type Endpoint } from './endpoints.ts';
import { curlLine, olderThan10, tooOld, unreachable, type ServerStatus } from './errors.ts';

export type Readable = 'ok' | 'denied' | 'unknown';

export interface Step {
  /** `reach`, `version`, `token`, or an endpoint such as `issues/search`. */
  readonly step: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly message: string;
}

export interface Verification {
  readonly outcome: 'verified' | 'invalid_credentials' | 'invalid_permissions' | 'internal_server_error';
  /** Cause and remedy in one sentence. */
  readonly message: string;
  readonly steps: readonly Step[];
  readonly server_version: string | null;
  readonly token_type: string;
  readonly access: Readonly<Record<string, Readable>>;
  /** `YYYY-MM-DD`, as the server says of this token; null when it has no end. */
  readonly expiration_date: string | null;
  readonly warnings: readonly string[];
  /** The line to try by hand, with the token masked. */
  readonly curl: string;
}

export interface CheckOptions extends Omit<ClientOptions, 'attempts' | 'timeoutMs' | 'browse'> {
  /** `browse`: the token need not list all projects. */
  readonly access: 'admin' | 'browse';
  /** Keys of projects to try the endpoints on; else the first that the server lists. */
  readonly projects?: readonly string[];
  /** Another token of the connection may read everything: this one may read less, and is used for that alone. */
  readonly beside?: boolean;
  /** All steps together take no longer. */
  readonly limitMs?: number;
}

const LIMIT_MS = 15_000;
const TOKEN_TYPES: Readonly<Record<string, string>> = {
  squ_: 'user',
  sqa_: 'global_analysis',
  sqp_: 'project_analysis',
};

/** What SonarQube's prefix says of a token; tokens of older servers have none. */
export const tokenType = (token: string): string => TOKEN_TYPES[token.slice(0, 4)] ?? 'unknown';

export async function check(options: CheckOptions): Promise<Verification> {
  const limit = AbortSignal.timeout(options.limitMs ?? LIMIT_MS);
  const signal = options.signal ? AbortSignal.any([limit, options.signal]) : limit;
  const client = new SonarClient({
    ...options,
    signal,
    attempts: 1,
    timeoutMs: options.limitMs ?? LIMIT_MS,
    browse: options.access === 'browse',
  });
  try {
    return await new Check(client, options, limit).run();
  } finally {
    await client.close();
  }
}

/** What an endpoint said to the token. */
type Said = { readonly body: unknown } | { readonly error: ConnectorError };

const statusOf = (said: Said): unknown => ('error' in said ? said.error.details['status'] : 200);

const listed = z.object({
  components: z.array(z.object({ key: z.string(), lastAnalysisDate: z.string().optional() })),
});
const found = z.object({ issues: z.array(z.object({ project: z.string() })) });

class Check {
  readonly #client: SonarClient;
  readonly #options: CheckOptions;
  readonly #limit: AbortSignal;
  readonly #steps: Step[] = [];
  readonly #access: Record<string, Readable> = {};
  readonly #warnings: string[] = [];
  #version: string | null = null;

  constructor(client: SonarClient, options: CheckOptions, limit: AbortSignal) {
    this.#client = client;
    this.#options = options;
    this.#limit = limit;
    for (const endpoint of this.#endpoints()) this.#access[endpoint] = 'unknown';
  }

  async run(): Promise<Verification> {
    const [status, first, metrics] = await Promise.all([
      this.#client.serverStatus(),
      this.#ask(this.#listing(), this.#listingParams()),
      this.#ask('metrics/search', { p: 1, ps: 1 }),
    ]);
    const problem = this.#reach(status, [first, metrics]);
    if (problem)
      return this.#end(
        problem.code === 'invalid_credentials' ? problem.code : 'internal_server_error',
        problem.message,
      );
    this.#note(this.#listing(), first);
    this.#note('metrics/search', metrics);
    const key = await this.#projectKey(first);
    await this.#tryProject(key);
    return this.#conclude(first);
  }

  /** In mode `browse` the list of all projects is not asked for. */
  #endpoints(): readonly Endpoint[] {
    const six = Object.keys(ENDPOINTS) as Endpoint[];
    if (this.#options.access !== 'browse') return six;
    const rest = six.filter((endpoint) => endpoint !== 'projects/search');
    return this.#named() ? rest : ['components/search', ...rest];
  }

  /** Are the projects named in the settings? */
  #named(): boolean {
    return (this.#options.projects ?? []).length > 0;
  }

  /** The endpoint that is asked first: the list of projects, or where they are named that of issues. */
  #listing(): Endpoint {
    if (this.#options.access !== 'browse') return 'projects/search';
    return this.#named() ? 'issues/search' : 'components/search';
  }

  #listingParams(): Params {
    const listing = this.#listing();
    if (listing === 'components/search') return { qualifiers: 'TRK', p: 1, ps: 100 };
    return listing === 'projects/search' ? { p: 1, ps: 100 } : { p: 1, ps: 1 };
  }

  async #ask(endpoint: Endpoint, params: Params): Promise<Said> {
    try {
      return { body: (await this.#client.get(endpoint, params)).take() };
    } catch (thrown) {
      if (this.#limit.aborted) return { error: this.#tooLate() };
      this.#options.signal?.throwIfAborted();
      const error = asConnectorError(thrown);
      // an address that may not be asked is no finding about a server
      if (error.code === 'invalid_arguments') throw error;
      return { error };
    }
  }

  #tooLate(): ConnectorError {
    const seconds = (this.#options.limitMs ?? LIMIT_MS) / 1000;
    return unreachable(
      { baseUrl: this.#client.baseUrl, endpoint: this.#listing() },
      `The server at ${this.#client.baseUrl} did not answer within ${seconds} s; a firewall may drop the packets, or the server is overloaded.`,
    );
  }

  /** The steps up to the token: what keeps everything else from being tried, if anything does. */
  #reach(status: ServerStatus | null, answers: readonly Said[]): ConnectorError | null {
    const where = { baseUrl: this.#client.baseUrl, endpoint: this.#listing() };
    this.#version = status?.version ?? null;
    const denied = (said: Said): boolean => statusOf(said) === 401 || statusOf(said) === 403;
    const [worst] = answers.flatMap((said) =>
      'error' in said && (!denied(said) || said.error.code === 'internal_server_error') ? [said.error] : [],
    );
    if (status !== null && status.status !== 'UP') {
      const notReady = unreachable(
        where,
        `The SonarQube Server at ${where.baseUrl} is not ready (status ${status.status}); try again when it is up.`,
      );
      return this.#failed('reach', notReady);
    }
    if (status?.version != null && olderThan10(status.version)) {
      this.#passed('reach', 'The server answers.');
      return this.#failed('version', tooOld(where, status.version));
    }
    if (worst) return this.#failed('reach', worst);
    this.#passed('reach', 'The server answers.');
    const refused = answers.find((said) => statusOf(said) === 401);
    if (refused && 'error' in refused) {
      this.#tellVersion();
      return this.#failed('token', refused.error);
    }
    this.#tellVersion();
    this.#passed(
      'token',
      `The server accepts the token (${TYPE_NAMES[tokenType(this.#options.token)] ?? 'of a kind not known'}).`,
    );
    return null;
  }

  #tellVersion(): void {
    this.#passed(
      'version',
      this.#version === null
        ? 'The server does not tell its version; one that accepts the token is 10 or later.'
        : `It is SonarQube ${this.#version}.`,
    );
  }

  #passed(step: string, message: string): void {
    this.#steps.push({ step, state: 'ok', message });
  }

  #failed(step: string, error: ConnectorError): ConnectorError {
    this.#steps.push({ step, state: 'failed', message: error.message });
    return error;
  }

  /** An endpoint's answer as a step; 403 is the token's, 404 the project's, anything else the server's own trouble. */
  #note(endpoint: Endpoint, said: Said): void {
    if (!('error' in said)) {
      this.#access[endpoint] = 'ok';
      this.#passed(endpoint, 'May be read.');
    } else if (statusOf(said) === 403 || statusOf(said) === 401) {
      this.#access[endpoint] = 'denied';
      this.#steps.push({
        step: endpoint,
        state: 'failed',
        message: `May not be read with this token (${String(statusOf(said))}); it needs “${permissionOf(endpoint)}”.`,
      });
    } else {
      const { message } = said.error;
      this.#steps.push({ step: endpoint, state: 'skipped', message: `Could not be tried: ${message}` });
    }
  }

  /** A project to try the endpoints on: analysed, if there is one. */
  async #projectKey(first: Said): Promise<string | null> {
    const [named] = this.#options.projects ?? [];
    if (named !== undefined) return named;
    const projects = 'body' in first ? listed.safeParse(first.body).data?.components : undefined;
    if (projects) return (projects.find((one) => one.lastAnalysisDate !== undefined) ?? projects[0])?.key ?? null;
    // a token that may not list projects may see issues of some
    const issues = await this.#ask('issues/search', { p: 1, ps: 1 });
    return ('body' in issues ? found.safeParse(issues.body).data?.issues[0]?.project : undefined) ?? null;
  }

  async #tryProject(key: string | null): Promise<void> {
    const ofProject: readonly (readonly [Endpoint, Params])[] = [
      ['issues/search', { p: 1, ps: 1, ...(key !== null && { componentKeys: key }) }],
      ['hotspots/search', { projectKey: key ?? '', p: 1, ps: 1 }],
      ['measures/component', { component: key ?? '', metricKeys: 'ncloc' }],
      ['measures/search_history', { component: key ?? '', metrics: 'ncloc', p: 1, ps: 1 }],
    ];
    const tried = ofProject.filter(([endpoint]) => endpoint !== this.#listing());
    const answers = await Promise.all(
      tried.map(async ([endpoint, params]) => {
        if (key === null && endpoint !== 'issues/search') return { endpoint, said: null };
        return { endpoint, said: await this.#ask(endpoint, params) };
      }),
    );
    for (const { endpoint, said } of answers) {
      if (said) this.#note(endpoint, said);
      else this.#steps.push({ step: endpoint, state: 'skipped', message: 'The token sees no project to try it on.' });
    }
    if (key === null) {
      this.#warnings.push('The server shows this token no project: there is nothing to read until it does.');
    }
  }

  #conclude(first: Said): Verification {
    if (this.#limit.aborted) return this.#end('internal_server_error', this.#tooLate().message);
    const endpoints = this.#endpoints();
    const denied = endpoints.filter((endpoint) => this.#access[endpoint] === 'denied');
    const names = denied.map((endpoint) => `api/${endpoint} (${permissionOf(endpoint)})`).join(', ');
    const kind = tokenType(this.#options.token);
    if (this.#options.access === 'browse') {
      this.#warnings.push(
        this.#named()
          ? 'Access “browse”: only the projects named in the settings are read, and only if the token may browse them.'
          : 'Access “browse”: only projects that the token may browse are read, 10,000 at most; api/components/search is asked beside the six endpoints.',
      );
    }
    if (denied.length === 0) return this.#end('verified', this.#verified(endpoints));
    if (this.#options.beside && denied.length < endpoints.length) {
      this.#warnings.push(`This token may not read ${names}; the connection's other credentials are used for that.`);
      return this.#end('verified', `${this.#verified(endpoints)} It is used beside another credential.`);
    }
    const remedy =
      kind === 'global_analysis' || kind === 'project_analysis'
        ? `it is a token of type ${TYPE_NAMES[kind] ?? kind}, which can only be used beside one of type User: make one under My Account > Security`
        : statusOf(first) === 403 && denied.length === 1
          ? 'use a token whose owner has it, or set access to “browse” to read only what it may browse'
          : 'use a token of type User whose owner has these permissions';
    return this.#end('invalid_permissions', `The token is good, but may not read ${names}; ${remedy}.`);
  }

  #verified(endpoints: readonly Endpoint[]): string {
    const ok = endpoints.filter((endpoint) => this.#access[endpoint] === 'ok').length;
    const server = this.#version === null ? 'The server' : `SonarQube ${this.#version}`;
    return `${server} accepts the token, which may read ${ok} of ${endpoints.length} endpoints.`;
  }

  #end(outcome: Verification['outcome'], message: string): Verification {
    const done = new Set(this.#steps.map(({ step }) => step));
    for (const step of ['reach', 'version', 'token', ...this.#endpoints()]) {
      if (!done.has(step)) this.#steps.push({ step, state: 'skipped', message: 'Not tried after what failed before.' });
    }
    const ends = this.#client.tokenExpiresAt;
    return {
      outcome,
      message,
      steps: this.#steps,
      server_version: this.#version,
      token_type: tokenType(this.#options.token),
      access: this.#access,
      expiration_date: ends === null ? null : ends.toISOString().slice(0, 10),
      warnings: this.#warnings,
      curl: curlLine(this.#client.baseUrl),
    };
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  user: 'User',
  global_analysis: 'Global Analysis',
  project_analysis: 'Project Analysis',
};
