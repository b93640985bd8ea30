/** Signing in and out, by password or by a one-time link, and what a session is good for. */
import { audit, type Actor } from '../control/audit.ts';
import {
  createSession,
  endLinksOf,
  endSession,
  endSessionsOf,
  findSession,
  forgetAttempt,
  noteAttempt,
  takeLink,
  type Session,
} from '../control/sessions.ts';
import {
  anyUser,
  findUser,
  findUserByName,
  insertUser,
  lockUsers,
  passwordHashOf,
  setPasswordHash,
  type User,
} from '../control/users.ts';
import type { Queryable } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { hashPassword, isPassword } from './passwords.ts';
import type { Service } from './service.ts';

export type { Session };

/** A session that has begun. Its token is for the browser's cookie alone. */
export interface SignedIn {
  readonly user: User;
  readonly token: string;
  readonly endsAt: string;
}

/** Failures within a quarter of an hour: from one address for one name, for one name from anywhere, from one address. */
const MOST = { byNameAndAddress: 10, byName: 100, byAddress: 100 } as const;
const WAIT_SECONDS = 15 * 60;

export const actorOf = (user: Pick<User, 'name'>, address: string | null): Actor => ({
  name: `user ${user.name}`,
  address,
});

/** Signs in by name and password. */
export async function signIn(
  { store: { database } }: Service,
  { name, password, address }: { name: string; password: string; address: string },
): Promise<SignedIn> {
  const user = await findUserByName(database, name);
  if (!user || !(await withinLimits(database, { name, address }, () => isPasswordOf(database, user, password)))) {
    if (!user) await withinLimits(database, { name, address }, () => isPassword(password, null));
    // the name is not kept when it is nobody's: people type passwords where a name belongs
    else await audit(database, actorOf(user, address), { action: 'session.refused', detail: { user: user.id } });
    throw new ConnectorError(
      'sign_in_failed',
      'Name and password do not belong together; check both, or ask an admin for a new link.',
    );
  }
  return database.transaction((client) => begin(client, user, address, 'password'));
}

const isPasswordOf = async (database: Queryable, user: User, password: string): Promise<boolean> =>
  isPassword(password, await passwordHashOf(database, user.id));

/** Tries a password, unless too many were wrong lately. */
async function withinLimits(
  database: Queryable,
  { name, address }: { name: string; address: string },
  isRight: () => Promise<boolean>,
): Promise<boolean> {
  const { id, ...attempts } = await noteAttempt(database, name, address);
  if ((['byNameAndAddress', 'byName', 'byAddress'] as const).some((kind) => attempts[kind] > MOST[kind])) {
    await forgetAttempt(database, id);
    throw new ConnectorError(
      'too_many_requests',
      'Too many sign-ins have failed; try again in a quarter of an hour, or ask an admin for a new link.',
      { retryAfter: WAIT_SECONDS },
    );
  }
  const right = await isRight();
  if (right) await forgetAttempt(database, id);
  return right;
}

/** Begins a session; `how` is for the audit log. */
export async function begin(client: Queryable, user: User, address: string, how: string): Promise<SignedIn> {
  const { token, endsAt } = await createSession(client, user.id);
  await audit(client, actorOf(user, address), { action: 'session.create', detail: { user: user.id, how } });
  return { user, token, endsAt };
}

/** Sets a password by a one-time link and signs in with it. The first user's link makes them, as an admin. */
export async function signInByLink(
  { store: { database } }: Service,
  { link, name, password, address }: { link: string; name: string | undefined; password: string; address: string },
): Promise<SignedIn> {
  const passwordHash = await hashPassword(password);
  return database.transaction(async (client) => {
    await lockUsers(client);
    const taken = await takeLink(client, link);
    const user = taken && (await userOfLink(client, taken.userId, name));
    if (!user) {
      throw new ConnectorError(
        'sign_in_failed',
        'This link is not good any more: it works once, for an hour. "soundings users link" makes another.',
      );
    }
    await setPasswordHash(client, user.id, passwordHash);
    // whoever knew the old password, or has another link, is out
    await endSessionsOf(client, user.id);
    await endLinksOf(client, user.id);
    await audit(client, actorOf(user, address), { action: 'users.password', detail: { user: user.id } });
    return begin(client, user, address, 'link');
  });
}

async function userOfLink(client: Queryable, userId: number | null, name: string | undefined): Promise<User | null> {
  if (userId !== null) return findUser(client, userId);
  if (await anyUser(client)) return null;
  if (name === undefined) {
    throw new ConnectorError('invalid_arguments', 'The first user needs a name.', { details: { name: 'is needed' } });
  }
  const user = await insertUser(client, { name, role: 'admin', passwordHash: null });
  await endLinksOf(client, null);
  return user;
}

/** The session of this token and its user's rights as they are now, or null. */
export async function sessionOf({ store }: Service, token: string): Promise<Session | null> {
  return findSession(store.database, token);
}

/** The user as they are now. */
export async function userOf({ store }: Service, id: number): Promise<User | null> {
  return findUser(store.database, id);
}

export async function signOut({ store }: Service, token: string): Promise<void> {
  await endSession(store.database, token);
}

/** Changes one's own password; all sessions end, and a new one begins. */
export async function changePassword(
  { store: { database } }: Service,
  {
    userId,
    password,
    newPassword,
    address,
  }: { userId: number; password: string; newPassword: string; address: string },
): Promise<SignedIn> {
  const before = await findUser(database, userId);
  if (!before) throw removed();
  const right = await withinLimits(database, { name: before.name, address }, () =>
    isPasswordOf(database, before, password),
  );
  if (!right) {
    throw new ConnectorError('invalid_arguments', 'That is not your password; type the one you have now.', {
      details: { password: 'is not yours' },
    });
  }
  const passwordHash = await hashPassword(newPassword);
  return database.transaction(async (client) => {
    const user = await findUser(client, userId);
    if (!user) throw removed();
    await setPasswordHash(client, userId, passwordHash);
    await endSessionsOf(client, userId);
    await audit(client, actorOf(user, address), { action: 'users.password', detail: { user: userId } });
    return begin(client, user, address, 'password');
  });
}

const removed = (): ConnectorError => new ConnectorError('user_not_found', 'You were removed meanwhile; ask an admin.');
