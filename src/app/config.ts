/** Everything the environment and the flags can say, parsed once at the entry; nobody else reads the environment. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { ConnectorError } from '../protocol/errors.ts';
import { Egress } from '../source/egress.ts';
import { oidcConfig, type OidcConfig } from './oidc-config.ts';
import type { KeySource } from '../vault/keys.ts';

export type { OidcConfig };

const environment = z.object({
  SOUNDINGS_TOKEN: z.string().optional(),
  SOUNDINGS_DATABASE: z.string().optional(),
  SOUNDINGS_DATA_DIR: z.string().optional(),
  SOUNDINGS_QUERY_DATABASE: z.string().optional(),
  /** Which servers may be connected to: `public`, hosts, networks. */
  SOUNDINGS_EGRESS: z.string().optional(),
  SOUNDINGS_KEY: z.string().optional(),
  SOUNDINGS_KEY_COMMAND: z.string().optional(),
  SOUNDINGS_KEY_FILE: z.string().optional(),
  /** For commands that talk to a running server. */
  SOUNDINGS_API_TOKEN: z.string().optional(),
  /** Where people reach this program, when that is not the address it listens on. */
  SOUNDINGS_URL: z.string().optional(),
  SOUNDINGS_OIDC_ISSUER: z.string().optional(),
  SOUNDINGS_OIDC_CLIENT_ID: z.string().optional(),
  SOUNDINGS_OIDC_CLIENT_SECRET: z.string().optional(),
  /** What stands on the button. */
  SOUNDINGS_OIDC_NAME: z.string().optional(),
  /** Which claim says what somebody may do, and its values for admins and editors. */
  SOUNDINGS_OIDC_ROLE_CLAIM: z.string().optional(),
  SOUNDINGS_OIDC_ADMINS: z.string().optional(),
  SOUNDINGS_OIDC_EDITORS: z.string().optional(),
  /** `viewer` (the default), `editor` or `none`: whoever the claim names no role for. */
  SOUNDINGS_OIDC_DEFAULT_ROLE: z.string().optional(),
  /** Mail domains, separated by commas, of whom may sign in. */
  SOUNDINGS_OIDC_DOMAINS: z.string().optional(),
  XDG_DATA_HOME: z.string().optional(),
  XDG_CONFIG_HOME: z.string().optional(),
  HTTP_PROXY: z.string().optional(),
  http_proxy: z.string().optional(),
  HTTPS_PROXY: z.string().optional(),
  https_proxy: z.string().optional(),
  NO_PROXY: z.string().optional(),
  no_proxy: z.string().optional(),
  /** Days that runs are kept. */
  SOUNDINGS_KEEP_RUNS_DAYS: z.string().optional(),
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  SOUNDINGS_LOG_LEVEL: z.string().optional(),
  /** `json` or `text`. */
  SOUNDINGS_LOG_FORMAT: z.string().optional(),
  /** Any of these asks for traces, where OpenTelemetry is installed. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  NO_COLOR: z.string().optional(),
});
export type Environment = z.infer<typeof environment>;

export function parseEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  return environment.parse(env);
}

/** Where the data is: flags as given, before defaults. */
export interface StoreFlags {
  readonly dataDir?: string;
  readonly database?: string;
  readonly schema?: string;
}

/** The store to open: an embedded server in a folder, or a PostgreSQL elsewhere. */
export type StoreConfig = (
  { readonly dataDir: string } | { readonly url: string; readonly schema?: string; readonly queryUrl?: string }
) & { readonly poolSize?: number };

/** Flags before environment before defaults; `--database` and `--data-dir` exclude each other. */
export function storeConfig(flags: StoreFlags, env: Environment, isRoot: boolean): StoreConfig {
  if (flags.database !== undefined && flags.dataDir !== undefined) {
    throw new ConnectorError(
      'invalid_arguments',
      'Give either --database or --data-dir: the data can only be in one place.',
    );
  }
  const url = flags.database ?? (flags.dataDir === undefined ? env.SOUNDINGS_DATABASE : undefined);
  if (url !== undefined && url !== '') {
    return {
      url,
      ...(flags.schema !== undefined && { schema: flags.schema }),
      ...(env.SOUNDINGS_QUERY_DATABASE !== undefined && { queryUrl: env.SOUNDINGS_QUERY_DATABASE }),
    };
  }
  if (flags.schema !== undefined) {
    throw new ConnectorError(
      'invalid_arguments',
      '--schema belongs to --database; the embedded database uses schema public.',
    );
  }
  return { dataDir: resolve(flags.dataDir ?? env.SOUNDINGS_DATA_DIR ?? defaultDataDir(env, isRoot)) };
}

/** What `serve` and `worker` do beside answering. */
export interface BackgroundFlags {
  readonly slots?: number;
  readonly keepRuns?: number;
}

export interface BackgroundConfig {
  readonly slots: number;
  readonly keepRunsDays: number;
  /** Database connections that this takes: each slot has two writers, and each writes, renews and looks. */
  readonly poolSize: number;
}

const SLOTS = 4;
const KEEP_RUNS_DAYS = 90;
const POOL_SIZE = 8;

export function backgroundConfig(flags: BackgroundFlags, env: Environment): BackgroundConfig {
  const given = env.SOUNDINGS_KEEP_RUNS_DAYS?.trim() ?? '';
  if (!/^(\d{0,5})$/.test(given) || given === '0') {
    throw new ConnectorError('invalid_arguments', 'SOUNDINGS_KEEP_RUNS_DAYS must be a whole number of days from 1 on.');
  }
  const slots = flags.slots ?? SLOTS;
  return {
    slots,
    keepRunsDays: flags.keepRuns ?? (given === '' ? KEEP_RUNS_DAYS : Number(given)),
    poolSize: POOL_SIZE + 3 * slots,
  };
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** How the program's log is written, and whether traces are asked for. */
export interface WatchConfig {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: 'json' | 'text';
  readonly traces: boolean;
}

/** For people at a terminal as text, else as JSON lines, unless the environment says otherwise. */
export function watchConfig(env: Environment, isTerminal: boolean): WatchConfig {
  const level = oneOf('SOUNDINGS_LOG_LEVEL', env.SOUNDINGS_LOG_LEVEL, LOG_LEVELS) ?? 'info';
  const format = oneOf('SOUNDINGS_LOG_FORMAT', env.SOUNDINGS_LOG_FORMAT, ['json', 'text'] as const);
  const exporter =
    env.OTEL_TRACES_EXPORTER ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return {
    level,
    format: format ?? (isTerminal ? 'text' : 'json'),
    traces: exporter !== undefined && exporter !== '' && exporter !== 'none',
  };
}

function oneOf<T extends string>(name: string, given: string | undefined, possible: readonly T[]): T | undefined {
  if (given === undefined || given === '') return undefined;
  const found = possible.find((one) => one === given);
  if (found) return found;
  throw new ConnectorError('invalid_arguments', `${name} must be one of ${possible.join(', ')}.`);
}

/** Everything that a running service needs to know before it starts. */
export interface ServiceConfig {
  readonly store: StoreConfig;
  readonly keys: KeySource;
  readonly network: { readonly proxy: ProxyConfig; readonly egress: Egress };
  readonly oidc?: OidcConfig;
}

export function serviceConfig(flags: StoreFlags, env: Environment, isRoot: boolean): ServiceConfig {
  const store = storeConfig(flags, env, isRoot);
  const oidc = oidcConfig(env);
  return {
    store,
    ...(oidc && { oidc }),
    keys: {
      ...(env.SOUNDINGS_KEY !== undefined && { inline: env.SOUNDINGS_KEY }),
      ...(env.SOUNDINGS_KEY_COMMAND !== undefined && { command: env.SOUNDINGS_KEY_COMMAND }),
      file: env.SOUNDINGS_KEY_FILE ? resolve(env.SOUNDINGS_KEY_FILE) : defaultKeyFile(store, env, isRoot),
    },
    network: { proxy: proxyConfig(undefined, env), egress: Egress.parse(env.SOUNDINGS_EGRESS ?? '') },
  };
}

/**
 * The key file when none is named: beside the data folder and not in it, so that a copy of the data does not open by
 * itself; for a PostgreSQL elsewhere in XDG's folder for configuration, `/etc/soundings` for root.
 */
function defaultKeyFile(store: StoreConfig, env: Environment, isRoot: boolean): string {
  if ('dataDir' in store) return `${store.dataDir}.key`;
  if (env.XDG_CONFIG_HOME !== undefined && isAbsolute(env.XDG_CONFIG_HOME))
    return join(env.XDG_CONFIG_HOME, 'soundings', 'key');
  return isRoot ? '/etc/soundings/key' : join(homedir(), '.config', 'soundings', 'key');
}

/**
 * The data folder when none is named: XDG's, else `~/.local/share/soundings`; for root `/var/lib/soundings`, because
 * PostgreSQL refuses to run as root and root's home is closed to every other user.
 */
export function defaultDataDir(env: Environment, isRoot: boolean): string {
  if (env.XDG_DATA_HOME !== undefined && isAbsolute(env.XDG_DATA_HOME)) return join(env.XDG_DATA_HOME, 'soundings');
  return isRoot ? '/var/lib/soundings' : join(homedir(), '.local', 'share', 'soundings');
}

export interface ProxyConfig {
  readonly http?: string;
  readonly https?: string;
  readonly except?: string;
}

/** Proxies as curl reads them: lower case first, and no proxy for the hosts in NO_PROXY. */
export function proxyConfig(flag: string | undefined, env: Environment): ProxyConfig {
  if (flag !== undefined && !/^https?:\/\/[^/]/.test(flag)) {
    throw new ConnectorError(
      'invalid_arguments',
      'The address given by --proxy is not a URL; write it as http://proxy.example.com:3128.',
    );
  }
  const http = flag ?? env.http_proxy ?? env.HTTP_PROXY;
  const https = flag ?? env.https_proxy ?? env.HTTPS_PROXY ?? http;
  const except = env.no_proxy ?? env.NO_PROXY;
  return {
    ...(http && { http }),
    ...(https && { https }),
    ...(except && { except }),
  };
}
