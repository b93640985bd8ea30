/** Who asks, and what may they read. */
import type { Dataset, Project } from './dataset.ts';
import type { Features } from './versions.ts';

export interface User {
  readonly login: string;
  readonly name: string;
  readonly password: string;
  /** Administer System. */
  readonly admin: boolean;
}

export interface Token {
  /** The test's name for it; it stands in the log. */
  readonly name: string;
  readonly value: string;
  readonly kind: 'user' | 'globalAnalysis' | 'projectAnalysis';
  readonly login: string;
  /** The one project of a project analysis token. */
  readonly project?: string;
  /** Seconds; expired from then on. */
  expires?: number;
  revoked?: boolean;
}

export interface Caller {
  /** The token's name, or the login of a password. */
  readonly name: string;
  readonly user: User;
  readonly token: Token | undefined;
}

export class Accounts {
  readonly users = new Map<string, User>();
  readonly tokens = new Map<string, Token>();

  addUser(user: User): void {
    this.users.set(user.login, user);
  }

  addToken(token: Token): void {
    this.tokens.set(token.value, token);
  }

  named(name: string): Token {
    for (const token of this.tokens.values()) if (token.name === name) return token;
    throw new Error(`There is no token named ${name}`);
  }

  /** The name of the token that a header carries, whether it is good or not; for the log. */
  nameOf(header: string | undefined): string | undefined {
    const credentials = header === undefined ? undefined : credentialsOf(header);
    if (!credentials) return undefined;
    if (credentials.scheme === 'password') return credentials.login;
    return this.tokens.get(credentials.value)?.name ?? 'unknown';
  }

  /** Undefined is 401: bad, revoked, expired and none can't be told apart. */
  authenticate(header: string | undefined, features: Features, now: number): Caller | undefined {
    const credentials = header === undefined ? undefined : credentialsOf(header);
    if (!credentials) return undefined;
    if (credentials.scheme === 'password') {
      const user = this.users.get(credentials.login);
      return user?.password === credentials.password ? { name: user.login, user, token: undefined } : undefined;
    }
    if (credentials.scheme === 'bearer' && !features.bearer) return undefined;
    const token = this.tokens.get(credentials.value);
    if (!token || token.revoked || (token.expires !== undefined && token.expires <= now)) return undefined;
    const user = this.users.get(token.login);
    return user ? { name: token.name, user, token } : undefined;
  }
}

type Credentials =
  { scheme: 'bearer' | 'basic'; value: string } | { scheme: 'password'; login: string; password: string };

function credentialsOf(header: string): Credentials | undefined {
  const bearer = /^bearer ([^ ]+)$/i.exec(header);
  if (bearer?.[1] !== undefined) return { scheme: 'bearer', value: bearer[1] };
  const basic = /^basic ([^ ]+)$/i.exec(header);
  if (basic?.[1] === undefined) return undefined;
  const text = Buffer.from(basic[1], 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const login = text.slice(0, colon);
  const password = text.slice(colon + 1);
  return password === '' ? { scheme: 'basic', value: login } : { scheme: 'password', login, password };
}

function allows(list: readonly string[] | undefined, login: string): boolean {
  return list === undefined || list.includes(login);
}

/** Browse by the user alone: the search index knows nothing of token types. */
export function ownerMayBrowse(caller: Caller, project: Project): boolean {
  return allows(project.browse, caller.user.login);
}

/** The projects whose issues the caller finds; undefined: all. */
export function visibleProjects(caller: Caller, data: Dataset): Project[] | undefined {
  let all = true;
  for (const project of data.projects) {
    if (!ownerMayBrowse(caller, project)) {
      all = false;
      break;
    }
  }
  return all ? undefined : data.projects.filter((project) => ownerMayBrowse(caller, project));
}

/** Browse as the database checks it: analysis tokens have it nowhere. */
export function mayBrowse(caller: Caller, project: Project): boolean {
  return (caller.token === undefined || caller.token.kind === 'user') && ownerMayBrowse(caller, project);
}

export function mayScan(caller: Caller, project: Project): boolean {
  const kind = caller.token?.kind ?? 'user';
  if (kind === 'globalAnalysis') return true;
  if (kind === 'projectAnalysis') return caller.token?.project === project.key;
  return allows(project.scan, caller.user.login);
}

export function mayAdminister(caller: Caller): boolean {
  return caller.user.admin && (caller.token === undefined || caller.token.kind === 'user');
}
