/** What the environment says about signing in through an OpenID Connect provider. */
import { ConnectorError } from '../protocol/errors.ts';

export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** What stands on the button. */
  readonly name: string;
  /** Without it everybody begins with the default role, which an admin changes. */
  readonly roleClaim: string | undefined;
  readonly admins: readonly string[];
  readonly editors: readonly string[];
  readonly defaultRole: 'viewer' | 'editor' | 'none';
  /** Lower case; none: of every mail domain. */
  readonly domains: readonly string[];
  /** Where people reach this program; without it the address that the browser asked for. */
  readonly publicUrl: string | undefined;
}

interface OidcEnvironment {
  readonly SOUNDINGS_URL?: string | undefined;
  readonly SOUNDINGS_OIDC_ISSUER?: string | undefined;
  readonly SOUNDINGS_OIDC_CLIENT_ID?: string | undefined;
  readonly SOUNDINGS_OIDC_CLIENT_SECRET?: string | undefined;
  readonly SOUNDINGS_OIDC_NAME?: string | undefined;
  readonly SOUNDINGS_OIDC_ROLE_CLAIM?: string | undefined;
  readonly SOUNDINGS_OIDC_ADMINS?: string | undefined;
  readonly SOUNDINGS_OIDC_EDITORS?: string | undefined;
  readonly SOUNDINGS_OIDC_DEFAULT_ROLE?: string | undefined;
  readonly SOUNDINGS_OIDC_DOMAINS?: string | undefined;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Undefined without an issuer; what is missing or cannot be used is refused before anything starts. */
export function oidcConfig(env: OidcEnvironment): OidcConfig | undefined {
  const issuer = text(env.SOUNDINGS_OIDC_ISSUER);
  if (issuer === undefined) {
    const alone = (Object.keys(env) as (keyof OidcEnvironment)[]).find(
      (name) => name.startsWith('SOUNDINGS_OIDC_') && text(env[name]) !== undefined,
    );
    if (alone) throw unusable(`${alone} says nothing without SOUNDINGS_OIDC_ISSUER; give both or neither.`);
    return undefined;
  }
  const url = URL.canParse(issuer) ? new URL(issuer) : null;
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname)))) {
    throw unusable('SOUNDINGS_OIDC_ISSUER must be the https:// address of the provider.');
  }
  const clientId = text(env.SOUNDINGS_OIDC_CLIENT_ID);
  if (clientId === undefined) {
    throw unusable('SOUNDINGS_OIDC_CLIENT_ID is missing; the provider shows it for the client made for Soundings.');
  }
  const admins = listed(env.SOUNDINGS_OIDC_ADMINS);
  const editors = listed(env.SOUNDINGS_OIDC_EDITORS);
  const roleClaim = text(env.SOUNDINGS_OIDC_ROLE_CLAIM);
  if (roleClaim === undefined && admins.length + editors.length > 0) {
    throw unusable(
      'SOUNDINGS_OIDC_ADMINS and SOUNDINGS_OIDC_EDITORS need SOUNDINGS_OIDC_ROLE_CLAIM, for example groups.',
    );
  }
  const defaultRole = text(env.SOUNDINGS_OIDC_DEFAULT_ROLE) ?? 'viewer';
  if (defaultRole !== 'viewer' && defaultRole !== 'editor' && defaultRole !== 'none') {
    throw unusable('SOUNDINGS_OIDC_DEFAULT_ROLE must be viewer, editor or none.');
  }
  return {
    issuer,
    clientId,
    clientSecret: text(env.SOUNDINGS_OIDC_CLIENT_SECRET),
    name: text(env.SOUNDINGS_OIDC_NAME) ?? 'single sign-on',
    roleClaim,
    admins,
    editors,
    defaultRole,
    domains: listed(env.SOUNDINGS_OIDC_DOMAINS).map((domain) => domain.replace(/^@/, '').toLowerCase()),
    publicUrl: publicUrl(env),
  };
}

/** Where people reach this program, without a slash at its end. */
export function publicUrl({ SOUNDINGS_URL }: Pick<OidcEnvironment, 'SOUNDINGS_URL'>): string | undefined {
  const given = text(SOUNDINGS_URL)?.replace(/\/+$/, '');
  if (given === undefined) return undefined;
  if (/^https?:\/\/[^/?#]+$/.test(given) && URL.canParse(given)) return given;
  throw unusable('SOUNDINGS_URL must be an address such as https://soundings.example.com, without a path.');
}

const text = (value: string | undefined): string | undefined => {
  const trimmed = value?.trim() ?? '';
  return trimmed === '' ? undefined : trimmed;
};

const listed = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const unusable = (message: string): ConnectorError => new ConnectorError('invalid_arguments', message);
