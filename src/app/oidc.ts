/** Signing in through an OpenID Connect provider: code flow with PKCE, state and nonce. */
import type { Configuration } from 'openid-client';
import { audit } from '../control/audit.ts';
import { findByIdentity, findUserByName, insertUser, lockUsers, otherAdmins, updateUser } from '../control/users.ts';
import type { Role, User } from '../control/users.ts';
import type { Queryable } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import type { OidcConfig } from './oidc-config.ts';
import type { Service } from './service.ts';
import { actorOf, begin, type SignedIn } from './sign-in.ts';

/** Why a sign-in through the provider came to nothing; the sign-in page has a sentence for each. */
export type OidcRefusal = 'provider' | 'unavailable' | 'domain' | 'role' | 'removed';

export class OidcRefused extends ConnectorError {
  readonly reason: OidcRefusal;

  constructor(reason: OidcRefusal, message: string, cause?: unknown) {
    super('sign_in_failed', message, { cause });
    this.reason = reason;
  }
}

/** What the browser keeps between leaving for the provider and coming back. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

// loaded when somebody signs in so: most installations never do
const library = (): Promise<typeof import('openid-client')> => import('openid-client');

const known = new WeakMap<OidcConfig, Promise<Configuration>>();

/** What the provider says of itself, asked once; after a failure again. */
async function discovered(config: OidcConfig): Promise<Configuration> {
  const before = known.get(config);
  if (before) return before;
  const oidc = await library();
  const { discovery, None } = oidc;
  const { issuer, clientId, clientSecret } = config;
  // marked as deprecated so that nobody uses it lightly; `oidcConfig` lets http through for this machine alone
  const insecure = Reflect.get<typeof oidc, 'allowInsecureRequests'>(oidc, 'allowInsecureRequests');
  const options = { execute: issuer.startsWith('http:') ? [insecure] : [], timeout: 10 };
  const asked =
    clientSecret === undefined
      ? discovery(new URL(issuer), clientId, undefined, None(), options)
      : discovery(new URL(issuer), clientId, clientSecret, undefined, options);
  known.set(config, asked);
  return asked.catch((cause: unknown) => {
    known.delete(config);
    throw new OidcRefused('unavailable', `The OIDC provider ${issuer} cannot be asked (${reasonOf(cause)}).`, cause);
  });
}

/** Where the browser goes, and what it keeps until it comes back. */
export async function leave(config: OidcConfig, redirectUri: string): Promise<{ url: string; pending: Pending }> {
  const provider = await discovered(config);
  const oidc = await library();
  const pending = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
  const url = oidc.buildAuthorizationUrl(provider, {
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  });
  return { url: url.href, pending };
}

/** What the provider says of who came back. */
type Claims = Readonly<Record<string, unknown>> & { readonly sub: string; readonly iss: string };

/** Signs in whom the provider sent back to `cameBackTo`. */
export async function comeBack(
  service: Service,
  config: OidcConfig,
  { cameBackTo, pending, address }: { cameBackTo: URL; pending: Pending; address: string },
): Promise<SignedIn> {
  const claims = await claimsOf(config, cameBackTo, pending);
  refuseDomain(config, claims);
  const role = roleOf(config, claims);
  return service.store.database.transaction(async (client) => {
    await lockUsers(client);
    const user = await userOf(client, claims, role, address);
    return begin(client, user, address, 'oidc');
  });
}

async function claimsOf(config: OidcConfig, cameBackTo: URL, pending: Pending): Promise<Claims> {
  const provider = await discovered(config);
  const { authorizationCodeGrant } = await library();
  const tokens = await authorizationCodeGrant(provider, cameBackTo, {
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    pkceCodeVerifier: pending.verifier,
    idTokenExpected: true,
  }).catch((cause: unknown) => {
    throw new OidcRefused('provider', `The OIDC provider did not sign anybody in (${reasonOf(cause)}).`, cause);
  });
  const claims = tokens.claims();
  if (!claims) throw new OidcRefused('provider', 'The OIDC provider sent no ID token.');
  return claims;
}

/** An address counts once the provider has proved it: people may write any into their profile. */
function refuseDomain({ domains }: OidcConfig, { email, email_verified }: Claims): void {
  if (domains.length === 0) return;
  const domain = typeof email === 'string' ? email.slice(email.lastIndexOf('@') + 1).toLowerCase() : '';
  if (email_verified === true && domains.includes(domain)) return;
  throw new OidcRefused('domain', 'Only people with a verified address of certain mail domains may sign in here.');
}

/** The role that the claim names; undefined where no claim is asked. */
function roleOf(config: OidcConfig, claims: Claims): { role: Role; claimed: boolean } {
  const { roleClaim, admins, editors, defaultRole } = config;
  const claim = roleClaim === undefined ? [] : claims[roleClaim];
  const values = Array.isArray(claim) ? claim.map(String) : typeof claim === 'string' ? [claim] : [];
  const role = values.some((value) => admins.includes(value))
    ? 'admin'
    : values.some((value) => editors.includes(value))
      ? 'editor'
      : defaultRole;
  if (role === 'none') throw new OidcRefused('role', 'The provider names no role of Soundings for this user.');
  return { role, claimed: roleClaim !== undefined };
}

/** Who that is here. Never somebody who happens to have the same name: a name is not an identity. */
async function userOf(
  client: Queryable,
  claims: Claims,
  { role, claimed }: { role: Role; claimed: boolean },
  address: string,
): Promise<User> {
  const identity = { issuer: claims.iss, subject: claims.sub };
  const found = await findByIdentity(client, identity);
  if (found?.deleted) {
    throw new OidcRefused('removed', `“${found.user.name}” was removed here; an admin can add them again.`);
  }
  if (!found) {
    const name = await freeName(client, claims);
    const user = await insertUser(client, { name, role, passwordHash: null, identity });
    await audit(client, actorOf(user, address), {
      action: 'users.create',
      detail: { user: user.id, name, role, how: 'oidc' },
    });
    return user;
  }
  const { user } = found;
  if (!claimed || user.role === role) return user;
  // the provider's word, but for the last admin: without one nobody could make another
  if (user.role === 'admin' && (await otherAdmins(client, user.id)) === 0) return user;
  const after = (await updateUser(client, user.id, { role })) ?? user;
  await audit(client, actorOf(user, address), {
    action: 'users.update',
    detail: { user: user.id, name: user.name, role, how: 'oidc' },
  });
  return after;
}

async function freeName(client: Queryable, claims: Claims): Promise<string> {
  const given = ['preferred_username', 'email', 'name', 'sub'].map((claim) => claims[claim]);
  const wanted = given.map(nameOf).find((name) => name !== '') ?? 'user';
  let name = wanted;
  for (let count = 2; await findUserByName(client, name); count += 1) name = `${wanted} (${count})`;
  return name;
}

const nameOf = (claim: unknown): string =>
  typeof claim === 'string' ? claim.replace(/\p{C}/gu, '').trim().slice(0, 150) : '';

/** The provider's own words are for the log. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return 'error' in cause && typeof cause.error === 'string' ? cause.error : cause.message;
}
