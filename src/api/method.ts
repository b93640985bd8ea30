/** What a method is: a value that names its scope, its arguments and its answer, and the use case it calls. */
import type { z } from 'zod';
import type { Service } from '../app/service.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { MethodName } from './routes.ts';

/**
 * What an API token may be made for. Each method declares the one that it needs; `admin` holds all others,
 * `connections:write` holds `connections:read`.
 */
export const SCOPES = ['read', 'connections:read', 'connections:write', 'query', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who calls, from where, and with what rights. */
export interface Caller {
  /** For the audit log, for example `token sdg_1a2b3c4d (CI)`, `user alice` or `command line (alice)`. */
  readonly name: string;
  /** The address the request came from; null on this machine's command line. */
  readonly address: string | null;
  readonly scopes: readonly Scope[];
  /** The signed-in user's id; null for API tokens and the command line. */
  readonly userId: number | null;
}

/** The browser that a call came from: it keeps its session's token in a cookie. */
export interface Browser {
  readonly address: string;
  /** The session's token; null for none. */
  readonly token: string | null;
  keep(token: string, endsAt: Date): void;
  forget(): void;
}

/** One call of a method. */
export interface Call {
  readonly service: Service;
  readonly caller: Caller;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
  /** Not on this machine's command line. */
  readonly browser?: Browser | undefined;
}

export interface Method<N extends MethodName, I extends z.ZodObject, O extends z.ZodObject> {
  readonly name: N;
  /** Null: also without signing in. */
  readonly scope: Scope | null;
  /** One line for the OpenAPI document and the CLI's help. */
  readonly summary: string;
  /** Arguments, those in the path among them; unknown ones are refused (`z.strictObject`). */
  readonly input: I;
  /** The answer beside `ok: true`. */
  readonly output: O;
  /** Status of success; 200 unless told. */
  readonly status?: 201 | 202;
  /** What it answers with beyond what every method may answer with. */
  readonly errors?: readonly ErrorCode[];
  readonly run: (call: Call, input: z.output<I>) => Promise<Unchanging<z.input<O>>>;
}

/** The same value, of which nobody changes a part: what use cases return. */
type Unchanging<T> = T extends readonly (infer E)[]
  ? readonly Unchanging<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Unchanging<T[K]> }
    : T;

// any: a list of methods holds different arguments; `Methods` in client.ts keeps each one's own
export type AnyMethod = Method<MethodName, z.ZodObject, z.ZodObject>;

/** Fixes the types of a method, so that its use case is checked against its arguments and its answer. */
export function method<N extends MethodName, I extends z.ZodObject, O extends z.ZodObject>(
  definition: Method<N, I, O>,
): Method<N, I, O> {
  return definition;
}

/** Does a caller with these scopes have this one? */
export function holds(scopes: readonly Scope[], needed: Scope): boolean {
  if (scopes.includes('admin') || scopes.includes(needed)) return true;
  return needed === 'connections:read' && scopes.includes('connections:write');
}
