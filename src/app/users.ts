/** Use cases on users: who may sign in, and what they may do. There is always an admin once there was one. */
import { audit, type Actor } from '../control/audit.ts';
import { createLink, endLinksOf, endSessionsOf } from '../control/sessions.ts';
import {
  anyUser,
  findUser,
  findUserByName,
  insertUser,
  listUsers,
  lockUsers,
  otherAdmins,
  removeUser,
  ROLES,
  updateUser,
  type Role,
  type User,
} from '../control/users.ts';
import type { Queryable } from '../db/database.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { hashPassword } from './passwords.ts';
import type { Service } from './service.ts';

export { ROLES, type Role, type User };

/** What each role may do, as scopes of the API. */
export const ROLE_SCOPES = {
  viewer: ['read', 'connections:read', 'query'],
  editor: ['read', 'connections:read', 'connections:write', 'query'],
  admin: ['admin'],
} as const satisfies Readonly<Record<Role, readonly string[]>>;

/** A page of the web app that sets a password, once, and until when it does. */
export interface Link {
  /** Below the address of the server. What follows `#` reaches no server and no log of one. */
  readonly path: string;
  readonly expires_at: string;
}

/** Is there anybody who can sign in? */
export async function hasUsers({ store }: Service): Promise<boolean> {
  return anyUser(store.database);
}

export async function list({ store }: Service): Promise<User[]> {
  return listUsers(store.database);
}

/** Makes a user, with a password or with a link by which they choose one. */
export async function create(
  { store }: Service,
  actor: Actor,
  { name, role, password }: { name: string; role: Role; password?: string | undefined },
): Promise<{ user: User; link: Link | null }> {
  const passwordHash = password === undefined ? null : await hashPassword(password);
  return store.database.transaction(async (client) => {
    await lockUsers(client);
    await refuseTaken(client, name, null);
    const user = await insertUser(client, { name, role, passwordHash });
    await audit(client, actor, { action: 'users.create', detail: { user: user.id, name, role } });
    return { user, link: password === undefined ? await linkFor(client, user) : null };
  });
}

export async function update(
  { store }: Service,
  actor: Actor,
  { id, ...changes }: { id: number; name?: string | undefined; role?: Role | undefined },
): Promise<User> {
  return store.database.transaction(async (client) => {
    await lockUsers(client);
    const before = await existing(client, id);
    if (changes.name !== undefined) await refuseTaken(client, changes.name, id);
    if (before.role === 'admin' && changes.role !== undefined && changes.role !== 'admin') {
      await refuseLastAdmin(client, before);
    }
    const after = (await updateUser(client, id, changes)) ?? before;
    await audit(client, actor, { action: 'users.update', detail: { user: id, name: after.name, role: after.role } });
    return after;
  });
}

/** Removes a user; their sessions end now. */
export async function remove({ store }: Service, actor: Actor, id: number): Promise<void> {
  await store.database.transaction(async (client) => {
    await lockUsers(client);
    const user = await existing(client, id);
    if (user.role === 'admin') await refuseLastAdmin(client, user);
    await removeUser(client, id);
    await endSessionsOf(client, id);
    await endLinksOf(client, id);
    await audit(client, actor, { action: 'users.delete', detail: { user: id, name: user.name } });
  });
}

/** A new link for a user who has lost the password, or, while there is no user, for the first one. */
export async function link({ store }: Service, actor: Actor, name: string | null): Promise<Link> {
  return store.database.transaction(async (client) => {
    await lockUsers(client);
    if (name === null) {
      if (await anyUser(client)) {
        throw new ConnectorError(
          'invalid_arguments',
          'There are users already; say whose password is to be set, by name.',
          { details: { name: 'is needed' } },
        );
      }
      await audit(client, actor, { action: 'users.link' });
      const { link: token, endsAt } = await createLink(client, null);
      return { path: `/welcome#${new URLSearchParams({ link: token }).toString()}`, expires_at: endsAt };
    }
    const user = await findUserByName(client, name);
    if (!user) {
      throw new ConnectorError('user_not_found', `There is no user “${name}”; users.list shows which there are.`);
    }
    await audit(client, actor, { action: 'users.link', detail: { user: user.id, name: user.name } });
    return linkFor(client, user);
  });
}

async function linkFor(client: Queryable, user: User): Promise<Link> {
  const { link: token, endsAt } = await createLink(client, user.id);
  const query = new URLSearchParams({ link: token, name: user.name });
  return { path: `/set-password#${query.toString()}`, expires_at: endsAt };
}

async function existing(client: Queryable, id: number): Promise<User> {
  const user = await findUser(client, id);
  if (user) return user;
  throw new ConnectorError('user_not_found', `There is no user ${id}; users.list shows which there are.`);
}

async function refuseTaken(client: Queryable, name: string, id: number | null): Promise<void> {
  const other = await findUserByName(client, name);
  if (!other || other.id === id) return;
  throw new ConnectorError('conflict', `There is a user “${other.name}” already; choose another name.`, {
    details: { name: 'is taken' },
  });
}

/** Without an admin nobody could make one again from the pages. */
async function refuseLastAdmin(client: Queryable, user: User): Promise<void> {
  if ((await otherAdmins(client, user.id)) > 0) return;
  throw new ConnectorError(
    'conflict',
    `“${user.name}” is the last admin and stays one; make somebody else an admin first.`,
    { details: { role: 'is the last admin' } },
  );
}
