/** A running API over a fresh store, a simulated SonarQube behind it, and a caller that speaks both encodings. */
import { expect } from 'vitest';
import type { Scope } from '../../src/api/method.ts';
import { routeOf, type MethodName } from '../../src/api/routes.ts';
import { startServer, type Server } from '../../src/api/server.ts';
import type { Service } from '../../src/app/service.ts';
import { testService } from '../../src/app/service.testing.ts';
import { create as createToken } from '../../src/app/tokens.ts';
import { generate, startSimulator, type Simulator, type SimulatorOptions } from '../simulator/index.ts';

export type Encoding = 'json' | 'form';
export const ENCODINGS: readonly Encoding[] = ['json', 'form'];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown> & { ok?: boolean; error?: string; message?: string };
}

export interface CallOptions {
  readonly encoding?: Encoding;
  /** An API token; null sends none. */
  readonly token?: string | null;
}

export interface ApiRig {
  readonly sim: Simulator;
  readonly service: Service;
  readonly server: Server;
  /** An API token that may do everything. */
  readonly admin: string;
  /** Every answer's text, for looking for secrets. */
  readonly answers: string[];
  tokenFor(scopes: readonly Scope[]): Promise<string>;
  call(name: MethodName, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<Answer>;
  /** A request as it is: anything can be wrong with it. */
  raw(method: string, path: string, init?: { headers?: Record<string, string>; body?: string }): Promise<Answer>;
  /** Connections and credentials as text: equal texts, and not a byte was changed. */
  rows(): Promise<string>;
  /** A connection to the simulated server, as its administrator. */
  connect(settings?: Readonly<Record<string, unknown>>): Promise<{ connection: number; credential: number }>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function apiRig(
  options: SimulatorOptions = {},
  more: Partial<Service> & { rateLimit?: number } = {},
): Promise<ApiRig> {
  const { rateLimit = 1_000_000, ...parts } = more;
  const sim = await startSimulator({ data: generate({ projects: 2, issuesPerProject: 3, analyses: 1 }), ...options });
  const service = await testService(parts);
  const server = await startServer({ service, rateLimit });
  const answers: string[] = [];
  const actor = { name: 'test', address: null };
  const tokenFor = async (scopes: readonly Scope[]): Promise<string> =>
    (await createToken(service, actor, { label: scopes.join(' '), scopes, expiresAt: null })).token;
  const admin = await tokenFor(['admin']);

  const raw: ApiRig['raw'] = async (method, path, { headers = {}, body } = {}) => {
    const response = await fetch(`${server.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    answers.push(text);
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? (JSON.parse(text === '' ? '{}' : text) as Answer['body']) : {},
    };
  };
  const call: ApiRig['call'] = (name, args = {}, { encoding = 'json', token = admin } = {}) => {
    const { verb, path, inPath } = routeOf(name);
    const filled = path.replace(/:(\w+)/g, (_, field: string) => encodeURIComponent(String(args[field])));
    const rest = Object.fromEntries(Object.entries(args).filter(([field]) => !inPath.includes(field)));
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    if (verb === 'GET') {
      const query = form(rest);
      return raw(verb, query === '' ? filled : `${filled}?${query}`, { headers });
    }
    headers['content-type'] = encoding === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
    return raw(verb, filled, { headers, body: encoding === 'json' ? JSON.stringify(rest) : form(rest) });
  };
  return {
    sim,
    service,
    server,
    admin,
    answers,
    tokenFor,
    raw,
    call,
    rows: async () => {
      const parts: string[] = [];
      for (const table of ['connections', 'credentials']) {
        const { rows } = await service.store.database.query<{ row: string }>(
          `select to_jsonb(t)::text as row from soundings.${table} t order by id`,
        );
        parts.push(table, ...rows.map(({ row }) => row));
      }
      return parts.join('\n');
    },
    connect: async (settings = {}) => {
      const answer = await call('connections.create', {
        settings: { base_url: sim.url, ...settings },
        secrets: { api_token: sim.tokens.admin },
      });
      expect(answer).toMatchObject({ status: 201 });
      const { connection, credential } = answer.body as unknown as Record<'connection' | 'credential', { id: number }>;
      return { connection: connection.id, credential: credential.id };
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await sim.close();
      await service.close();
    },
  };
}

/** As HTML forms and `curl -d` write it: `secrets[api_token]=…`, lists as `include[]=…`, null as nothing. */
export function form(values: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  const add = (name: string, value: unknown): void => {
    if (value === undefined) return;
    if (Array.isArray(value)) for (const member of value) add(`${name}[]`, member);
    else if (typeof value === 'object' && value !== null)
      for (const [key, member] of Object.entries(value)) add(`${name}[${key}]`, member);
    else query.append(name, typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));
  };
  for (const [name, value] of Object.entries(values)) add(name, value);
  return query.toString();
}
