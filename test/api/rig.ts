/** The API over HTTP, on a database of its own, with a simulated SonarQube Server behind it. */
import { startServer } from '../../src/api/server.ts';
import type { Scope } from '../../src/api/method.ts';
import { testService } from '../../src/app/service.testing.ts';
import { createToken } from '../../src/control/api-tokens.ts';
import { generate, startSimulator } from '../simulator/index.ts';

export type Encoding = 'json' | 'form';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export interface CallOptions {
  readonly encoding?: Encoding;
  readonly token?: string | null;
  readonly method?: string;
  /** Sent as it is, instead of arguments. */
  readonly raw?: { readonly body: string; readonly type: string };
}

/** Rows of connections and credentials as text: two of these are equal only when nothing at all changed. */
const ROWS = `select (select coalesce(json_agg(c order by c.id), '[]') from soundings.connections c)::text
  || (select coalesce(json_agg(c order by c.id), '[]') from soundings.credentials c)::text as rows`;

export async function apiRig() {
  const service = await testService();
  const { database } = service.store;
  const sim = await startSimulator({ version: '10.0', data: generate({ version: '10.0', projects: 2, seed: 7 }) });
  const server = await startServer({ service, rateLimit: 100_000 });
  const tokenFor = async (...scopes: Scope[]): Promise<string> =>
    (await createToken(database, { label: 'test', scopes, expiresAt: null, by: 'test' })).token;
  const admin = await tokenFor('admin');
  /** Everything that was ever answered. */
  const answers: string[] = [];

  const call = async (path: string, args: object | null, options: CallOptions = {}): Promise<Answer> => {
    const { encoding = 'json', token = admin, raw, method = args === null && !raw ? 'GET' : 'POST' } = options;
    const type = raw?.type ?? (encoding === 'json' ? 'application/json' : 'application/x-www-form-urlencoded');
    const body = raw?.body ?? (args === null ? undefined : encoding === 'json' ? JSON.stringify(args) : form(args));
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    answers.push(text);
    return { status: response.status, body: JSON.parse(text) as Record<string, unknown>, text };
  };

  return {
    service,
    sim,
    server,
    tokenFor,
    admin,
    answers,
    call,
    rows: async (): Promise<string> => (await database.query<{ rows: string }>(ROWS)).rows[0]?.rows ?? '',
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await sim.close();
      await service.close();
    },
  };
}

/** Nested fields as `settings[base_url]=…`, the way forms are written. */
function form(args: object, prefix = ''): string {
  return Object.entries(args)
    .map(([name, value]) => {
      const field = prefix === '' ? name : `${prefix}[${name}]`;
      return typeof value === 'object' && value !== null
        ? form(value as object, field)
        : `${encodeURIComponent(field)}=${encodeURIComponent(String(value))}`;
    })
    .join('&');
}
