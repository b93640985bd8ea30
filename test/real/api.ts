/**
 * The smallest possible client of a SonarQube Web API, for the tests' own use: to fill a server, to change it and to
 * read it back independently. It deliberately shares nothing with the program under test.
 */

/** Values of a request; undefined ones are left out. */
export type Params = Record<string, string | number | boolean | undefined>;

/** Who asks: a token (sent as Bearer), or a login with its password. */
export type Credentials = { token: string } | { login: string; password: string };

/** An answer whose status was not expected. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: string;

  constructor(method: string, route: string, status: number, body: string) {
    super(`${method} ${route} answered ${status}: ${body.slice(0, 400)}`);
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
  }
}

/** A client of one server with one identity. */
export interface Api {
  readonly url: string;
  /** GET api/ROUTE, parsed JSON. */
  get<T = unknown>(route: string, params?: Params): Promise<T>;
  /** POST api/ROUTE with form parameters, parsed JSON (undefined when the answer is empty). */
  post<T = unknown>(route: string, params?: Params): Promise<T>;
  /** As get, but answers of these statuses give undefined instead of an error. */
  tryGet<T = unknown>(route: string, params: Params, allowed: readonly number[]): Promise<T | undefined>;
  /** As post, but answers of these statuses give undefined instead of an error. */
  tryPost<T = unknown>(route: string, params: Params, allowed: readonly number[]): Promise<T | undefined>;
}

function authorization(credentials: Credentials): string {
  if ('token' in credentials) return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.login}:${credentials.password}`).toString('base64')}`;
}

/** Makes a client of the server at `url` (without `/api`) that asks as `credentials`. */
export function connect(url: string, credentials: Credentials): Api {
  async function call(
    method: 'GET' | 'POST',
    route: string,
    params: Params,
  ): Promise<{ status: number; text: string }> {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) if (value !== undefined) form.append(name, String(value));
    const query = method === 'GET' && form.size > 0 ? `?${form.toString()}` : '';
    const response = await fetch(`${url}/api/${route}${query}`, {
      method,
      headers: { authorization: authorization(credentials), accept: 'application/json' },
      ...(method === 'POST' ? { body: form } : {}),
      signal: AbortSignal.timeout(120_000),
    });
    return { status: response.status, text: await response.text() };
  }
  async function request<T>(
    method: 'GET' | 'POST',
    route: string,
    params: Params,
    allowed: readonly number[],
  ): Promise<T | undefined> {
    const { status, text } = await call(method, route, params);
    if (allowed.includes(status)) return undefined;
    if (status < 200 || status > 299) throw new ApiError(method, route, status, text);
    return text === '' ? undefined : (JSON.parse(text) as T);
  }
  return {
    url,
    get: async <T>(route: string, params: Params = {}) => (await request<T>('GET', route, params, [])) as T,
    post: async <T>(route: string, params: Params = {}) => (await request<T>('POST', route, params, [])) as T,
    tryGet: (route, params, allowed) => request('GET', route, params, allowed),
    tryPost: (route, params, allowed) => request('POST', route, params, allowed),
  };
}

/** Resolves after so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
