/** What can go wrong with a server or on the way to it, as switches. */

/** How far a server has come after its start; see README.md. */
export type Phase = 'refusing' | 'starting' | 'unauthenticated' | 'up';

export interface Request {
  readonly method: string;
  /** Without context path: '/api/issues/search'. */
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Name of the token, also of one that is no longer good. */
  readonly token: string | undefined;
}

/** What happens to one request. Everything else about it goes on as usual. */
export type Action =
  /** Answers this instead. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Waits, then answers as usual. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Sends so many bytes of the body, then cuts the connection; without `bytes` before the first header. */
  | { readonly kind: 'reset'; readonly bytes?: number }
  /** Ends the answer properly after so many bytes of the body: unreadable JSON. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Sends the body in pieces, so many bytes every so often. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly ms: number }
  /** Changes the answer. */
  | {
      readonly kind: 'edit';
      readonly body?: (body: string) => string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** `count` is how many requests of this path there were, this one included. */
export type Handler = (request: Request, count: number) => Action | undefined;

const html = (title: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;

/** The page of the web application, which every address outside the API gets. */
export const PAGE =
  '<!DOCTYPE html>\n<html lang="en"><head><meta charset="UTF-8"/><title>SonarQube</title></head>' +
  '<body><div id="content" data-base-url="" data-server-status="UP" data-instance="SonarQube"></div></body></html>\n';

/** Ready-made actions. */
export const actions = {
  tooMany(retryAfter?: number | string): Action {
    return {
      kind: 'answer',
      status: 429,
      body: '{"errors":[{"msg":"Too many requests"}]}',
      ...(retryAfter === undefined ? {} : { headers: { 'Retry-After': String(retryAfter) } }),
    };
  },
  /** A proxy that does not reach the server. */
  gateway(status: 502 | 503 | 504): Action {
    const title = { 502: '502 Bad Gateway', 503: '503 Service Unavailable', 504: '504 Gateway Time-out' }[status];
    return { kind: 'answer', status, body: html(title), contentType: 'text/html' };
  },
  indexing(): Action {
    return { kind: 'answer', status: 503, body: JSON.stringify({ errors: [{ msg: INDEXING }] }) };
  },
  serverError(): Action {
    return {
      kind: 'answer',
      status: 500,
      body: '{"errors":[{"msg":"An error has occurred. Please contact your administrator"}]}',
    };
  },
  /** A token that stopped being good, as the server says it. */
  unauthorized(): Action {
    return { kind: 'answer', status: 401, body: '' };
  },
  forbidden(): Action {
    return { kind: 'answer', status: 403, body: '{"errors":[{"msg":"Insufficient privileges"}]}' };
  },
  htmlPage(): Action {
    return { kind: 'answer', status: 200, body: PAGE, contentType: 'text/html' };
  },
  redirect(location: string, status = 302): Action {
    return { kind: 'answer', status, body: '', headers: { Location: location } };
  },
  wrongType(contentType = 'text/plain'): Action {
    return { kind: 'edit', contentType };
  },
  /** A readable answer of at least so many bytes: blanks before the last brace. */
  oversize(bytes: number): Action {
    return { kind: 'edit', body: (body) => body.slice(0, -1) + ' '.repeat(Math.max(0, bytes - body.length)) + '}' };
  },
  notJson(): Action {
    return { kind: 'edit', body: (body) => body.slice(0, body.length >> 1) };
  },
  delay(ms: number): Action {
    return { kind: 'delay', ms };
  },
  hang(): Action {
    return { kind: 'hang' };
  },
  reset(bytes?: number): Action {
    return bytes === undefined ? { kind: 'reset' } : { kind: 'reset', bytes };
  },
  truncate(bytes: number): Action {
    return { kind: 'truncate', bytes };
  },
  drip(bytes: number, ms: number): Action {
    return { kind: 'drip', bytes, ms };
  },
} as const;

export const INDEXING = 'Results are temporarily unavailable. Indexing of issues is in progress.';

/** Does the listening: the server implements it. */
export interface Listener {
  open(): Promise<void>;
  shut(): Promise<void>;
}

export class Faults {
  /** Projects whose issues are not searchable yet; 'all' for the whole instance. */
  indexing: 'all' | Set<string> | undefined;
  #phase: Phase = 'up';
  #handlers: Handler[] = [];
  readonly #counts = new Map<string, number>();
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Moves the server to a phase; 'refusing' closes the port and cuts every connection. */
  async become(phase: Phase): Promise<void> {
    const before = this.#phase;
    this.#phase = phase;
    if (phase === 'refusing' && before !== 'refusing') await this.#listener.shut();
    if (phase !== 'refusing' && before === 'refusing') await this.#listener.open();
  }

  /** Asks the handler about every request; the first handler that wants something gets it. Returns its removal. */
  on(handler: Handler): () => void {
    this.#handlers.push(handler);
    return () => {
      this.#handlers = this.#handlers.filter((one) => one !== handler);
    };
  }

  /** The nth request of this path from now on, or several of them. */
  nth(path: string, n: number | readonly number[], action: Action): () => void {
    const wanted = new Set(typeof n === 'number' ? [n] : n);
    const before = this.#counts.get(full(path)) ?? 0;
    return this.on((request, count) =>
      request.path === full(path) && wanted.has(count - before) ? action : undefined,
    );
  }

  /** The next request of any path. */
  next(action: Action): () => void {
    const off = this.on(() => {
      off();
      return action;
    });
    return off;
  }

  /** Every request of this path. */
  always(path: string, action: Action): () => void {
    return this.on((request) => (request.path === full(path) ? action : undefined));
  }

  /** Takes every fault back; a server that refused must `become('up')` itself. */
  clear(): void {
    this.#handlers = [];
    this.indexing = undefined;
  }

  /** For the server: what is to happen to this request. */
  decide(request: Request): Action | undefined {
    const count = (this.#counts.get(request.path) ?? 0) + 1;
    this.#counts.set(request.path, count);
    for (const handler of this.#handlers) {
      const action = handler(request, count);
      if (action) return action;
    }
    return undefined;
  }
}

function full(path: string): string {
  return path.startsWith('/') ? path : `/api/${path}`;
}
