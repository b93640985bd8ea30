/** The one way to call a method, from HTTP and from the command line: scope, arguments, use case, answer. */
import type { z } from 'zod';
import type { Service } from '../app/service.ts';
import { asConnectorError, ConnectorError, type ErrorCode } from '../protocol/errors.ts';
import { holds, type AnyMethod, type Browser, type Caller } from './method.ts';
import { METHODS } from './methods/index.ts';
import type { MethodName } from './routes.ts';
import { STATUS } from './status.ts';

export interface Request {
  readonly name: string;
  /** By name, as they came; texts of queries and forms are read by `coerce` before. */
  readonly args: unknown;
  /** Null: not signed in. */
  readonly caller: Caller | null;
  /** Where the request came from; null on this machine's command line. */
  readonly address: string | null;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  readonly browser?: Browser;
}

/** What every answer is: `ok`, and either the method's own fields or an error with a code from the closed list. */
export type Envelope =
  | ({ readonly ok: true } & Readonly<Record<string, unknown>>)
  | {
      readonly ok: false;
      readonly error: ErrorCode;
      /** Cause and remedy in one sentence. */
      readonly message: string;
      /** For `invalid_arguments`: field → what is wrong with it. */
      readonly details?: Readonly<Record<string, unknown>>;
    };

export interface Answer {
  readonly status: number;
  readonly body: Envelope;
  /** Seconds until it is worth asking again, where that is known. */
  readonly retryAfter?: number;
}

const BY_NAME: ReadonlyMap<string, AnyMethod> = new Map(
  (METHODS as unknown as readonly AnyMethod[]).map((method) => [method.name, method]),
);

export const methods = (): readonly AnyMethod[] => [...BY_NAME.values()];

/** A name is repeated only when it looks like one: people paste tokens into addresses. */
const named = (name: string): string => (/^[a-z_]{1,30}(\.[a-z_]{1,30})?$/i.test(name) ? `“${name}”` : 'of this name');

/** The method of this name, or `unknown_method`. */
export function methodOf(name: string): AnyMethod {
  const method = BY_NAME.get(name);
  if (method) return method;
  throw new ConnectorError(
    'unknown_method',
    `There is no method ${named(name)}; /api/openapi.json lists every method there is.`,
  );
}

/** Calls a method; every failure becomes an envelope. `onUnexpected` is told what the caller is not: the cause of a 500. */
export async function dispatch(
  service: Service,
  request: Request,
  onUnexpected: (error: ConnectorError) => void = () => undefined,
): Promise<Answer> {
  try {
    return { status: methodOf(request.name).status ?? 200, body: { ok: true, ...(await perform(service, request)) } };
  } catch (thrown) {
    return failure(thrown, onUnexpected);
  }
}

/** The same, as a value or a thrown ConnectorError. */
export async function perform(service: Service, request: Request): Promise<Record<string, unknown>> {
  const method = methodOf(request.name);
  const caller = allowed(method, request);
  const input = checked(method, request.args);
  const output = await method.run({ service, caller, signal: request.signal, browser: request.browser }, input);
  // what the schema does not name is left out: a secret that strays into an answer ends here
  return method.output.parse(output);
}

/** An error as the answer to it. The cause of what nobody foresaw is for the log, not for the caller. */
export function failure(thrown: unknown, onUnexpected: (error: ConnectorError) => void): Answer {
  const error = asConnectorError(thrown);
  const status = STATUS[error.code];
  if (error.code === 'unexpected') {
    onUnexpected(error);
    const message = 'Something failed that this program did not foresee; its log names the cause. Please report it.';
    return { status, body: { ok: false, error: error.code, message } };
  }
  const details = Object.keys(error.details).length > 0 ? { details: error.details } : {};
  const again = error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter };
  return { status, body: { ok: false, error: error.code, message: error.message, ...details }, ...again };
}

/** What there is to know of a method before it runs. */
export type Called = Pick<AnyMethod, 'name' | 'scope' | 'input'>;

/** The caller, if they may call this method. */
export function allowed(method: Called, { caller, address }: Pick<Request, 'caller' | 'address'>): Caller {
  if (method.scope === null) return caller ?? { name: 'nobody', address, scopes: [], userId: null };
  if (caller === null) {
    throw new ConnectorError(
      'not_authed',
      'Nobody is signed in, and there is no API token that is known and not past its end; sign in, or make a token with "soundings tokens create" and send it as "Authorization: Bearer …".',
    );
  }
  if (holds(caller.scopes, method.scope)) return caller;
  throw new ConnectorError(
    'missing_scope',
    `${method.name} needs the scope ${method.scope}; this token or user has ${caller.scopes.join(', ') || 'none'}.`,
    { details: { needed: method.scope, scopes: caller.scopes } },
  );
}

/** The arguments as the method wants them, or `invalid_arguments` by field. */
export function checked(method: Called, args: unknown): Record<string, unknown> {
  const unstorable = unstorableText(args, []);
  if (unstorable !== null) {
    throw invalid(method.name, { [unstorable]: 'holds a NUL or half a character, which no text can hold' });
  }
  const parsed = method.input.safeParse(args);
  if (parsed.success) return parsed.data;
  throw invalid(method.name, byField(parsed.error));
}

function invalid(name: MethodName, details: Readonly<Record<string, string>>): ConnectorError {
  const list = Object.entries(details).map(([field, problem]) => (field === '' ? problem : `${field}: ${problem}`));
  return new ConnectorError('invalid_arguments', `The arguments of ${name} cannot be used: ${list.join('; ')}.`, {
    details: { ...details },
  });
}

/** Field (`settings.base_url`) → what is wrong with it, never the value: it may be a secret. */
export function byField(error: z.ZodError): Record<string, string> {
  const details: Record<string, string> = {};
  const note = (path: readonly PropertyKey[], problem: string): void => {
    const field = path.map(String).join('.').slice(0, 200);
    details[field] = details[field] === undefined ? problem : `${details[field]}; ${problem}`;
  };
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) note([...issue.path, key], 'is not an argument of this method');
    } else note(issue.path, plain(issue.message));
  }
  return details;
}

/** zod's sentences without their heading: "Invalid input: expected string" → "expected string". */
const plain = (message: string): string => message.replace(/^Invalid input: /, '');

/** The first text that PostgreSQL cannot store, by its field; null when there is none. */
function unstorableText(value: unknown, path: readonly string[]): string | null {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path.join('.') : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    if (name.includes('\0') || !name.isWellFormed()) return [...path, 'a name'].join('.');
    const found = unstorableText(member, [...path, name]);
    if (found !== null) return found;
  }
  return null;
}
