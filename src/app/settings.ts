/** What `settings` of a connection and `secrets` of a credential may hold: one schema for the API, the page and the command line. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { ConnectorError } from '../protocol/errors.ts';
import { parseBaseUrl } from '../source/base-url.ts';
import { checkSchedule } from './schedule.ts';

const text = (most: number): z.ZodString => z.string().min(1).max(most);
const patterns = z.array(text(400)).max(1000);

/** Runs a check that throws, and says its sentence at the field. */
function checked<T>(read: (input: string) => T): (input: string, context: z.RefinementCtx) => T {
  return (input, context) => {
    try {
      return read(input);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  };
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** PEM text of one or more certificates. */
function certificates(input: string): string {
  const found = input.match(PEM) ?? [];
  if (found.length === 0) throw new Error('must be in PEM form (-----BEGIN CERTIFICATE-----)');
  for (const one of found) {
    try {
      new X509Certificate(one);
    } catch {
      throw new Error('holds a certificate that cannot be read');
    }
  }
  return input;
}

function proxyUrl(input: string): string {
  const url = URL.canParse(input) ? new URL(input) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Error('must be a URL such as http://proxy.example.com:3128');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error('must not hold a user or a password: settings are shown; give those by HTTPS_PROXY to the program');
  }
  return url.origin;
}

/** A query belongs to a page's address, which is shortened; behind a base URL it would be lost, so it is refused. */
function baseUrl(input: string): string {
  const normal = parseBaseUrl(input);
  const { pathname, search, origin } = new URL(input.trim());
  const whole = [origin, ...pathname.split('/').filter((segment) => segment !== '')].join('/');
  if (search !== '' && whole === normal) throw new Error('must not have a query (“?…”)');
  return normal;
}

const FIELDS = {
  /** The server's address with its context path; `/api`, slashes at the end and a page's path are taken off. */
  base_url: text(2000).transform(checked(baseUrl)),
  /** Proxy for this server; else HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the program count. */
  proxy_url: text(2000).transform(checked(proxyUrl)),
  /** PEM of certificate authorities to trust beside the known ones. */
  ca_certificate: text(200_000).transform(checked(certificates)),
  /** PEM of the certificate that is shown to the server; its key is the credential's secret `client_key`. */
  client_certificate: text(200_000).transform(checked(certificates)),
  /** Only projects whose key matches one of these patterns (`*`, `?`). */
  include: patterns,
  /** No projects whose key matches one of these. */
  exclude: patterns,
  /** With access `browse`: the keys of the projects to read; without them the server is asked for a list. */
  projects: z.array(text(400)).max(10_000),
  /** `every 1 h`, `manual`, or cron with a time zone. */
  schedule: text(200).transform(checked(checkSchedule)),
  /** `admin`: the token may list all projects; `browse`: it need not. */
  access: z.enum(['admin', 'browse']),
  /** Requests in flight at once. */
  max_concurrency: z.int().min(1).max(64),
  /** Look again after so many hours for what no date shows; 0: never. */
  audit_hours: z.number().min(0).max(87_600),
  /** Never ask system/status, not even to explain a failure. */
  listed_endpoints_only: z.boolean(),
} as const;

const { base_url, ...others } = FIELDS;

/** For a new connection. */
export const newSettings = z.strictObject({ base_url, ...optional(others) });
/** For a change: what is not named stays, null takes a setting away. */
export const changedSettings = z.strictObject({ base_url: base_url.optional(), ...nullish(others) });

export type NewSettings = z.output<typeof newSettings>;
export type ChangedSettings = z.output<typeof changedSettings>;

type Shape = Readonly<Record<string, z.ZodType>>;
function optional<S extends Shape>(shape: S): { [K in keyof S]: z.ZodOptional<S[K]> } {
  return mapped(shape, (schema) => schema.optional()) as { [K in keyof S]: z.ZodOptional<S[K]> };
}
function nullish<S extends Shape>(shape: S): { [K in keyof S]: z.ZodOptional<z.ZodNullable<S[K]>> } {
  return mapped(shape, (schema) => schema.nullish()) as { [K in keyof S]: z.ZodOptional<z.ZodNullable<S[K]>> };
}
function mapped(shape: Shape, change: (schema: z.ZodType) => z.ZodType): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, change(schema)]));
}

/** As stored; `sample` marks the bundled sample, and nobody can set it. */
export interface StoredSettings extends Readonly<NewSettings> {
  readonly sample?: boolean;
}

/** Settings with a change: by field, null takes one away. */
export function merge(settings: StoredSettings, change: ChangedSettings): StoredSettings {
  const merged = Object.entries({ ...settings, ...change }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(merged) as unknown as StoredSettings;
}

/** A token as people paste it, with what stands around it. */
function apiToken(input: string): string {
  const token = input.trim();
  if (!/^[\x21-\x7e]*$/.test(token))
    throw new Error('holds characters that no token has (blanks, line ends, non-ASCII)');
  return token;
}

/** Secrets of a credential; an empty one counts as not given. Messages never repeat a value. */
export const secrets = z.strictObject({
  api_token: z.string().max(2000).transform(checked(apiToken)).optional(),
  client_key: z.string().max(20_000).optional(),
});
export type Secrets = { readonly [K in keyof z.output<typeof secrets>]?: string };

/** Secrets that were given, without empty ones. */
export function given({ api_token, client_key }: z.output<typeof secrets>): Secrets {
  return {
    ...(api_token !== undefined && api_token !== '' && { api_token }),
    ...(client_key !== undefined && client_key.trim() !== '' && { client_key }),
  };
}

/** Refuses a client certificate without its key, or with another's. */
export function requireKeyOf(certificate: string | undefined, key: string | undefined): void {
  const refuse = (problem: string): never => {
    throw new ConnectorError('invalid_arguments', `secrets.client_key ${problem}.`, {
      details: { 'secrets.client_key': problem },
    });
  };
  if (certificate === undefined) {
    if (key !== undefined) refuse('belongs to settings.client_certificate of the connection, which is not set');
    return;
  }
  if (key === undefined) return refuse('is missing: the key of settings.client_certificate');
  const matches = (): boolean => {
    try {
      return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    } catch {
      return refuse('cannot be read: it must be a private key in PEM form without a passphrase');
    }
  };
  if (!matches()) refuse('is not the key of settings.client_certificate');
}
