/** Users: who may sign in, and what they may do. Removed ones stay as rows. */
import type { Queryable } from '../db/database.ts';

export const ROLES = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface User {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly created_at: string;
  readonly last_seen_at: string | null;
  /** Signs in through the OIDC provider. */
  readonly oidc: boolean;
  readonly has_password: boolean;
}

/** Who an OIDC provider says somebody is. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

const COLUMNS =
  'id, name, role, created_at, last_seen_at, oidc_subject is not null as oidc, password_hash is not null as has_password';

const one = async (client: Queryable, sql: string, values: unknown[]): Promise<User | null> =>
  (await client.query<User>(sql, values)).rows[0] ?? null;

/** Lets one change of who there is happen at a time: counts of admins stay true until the transaction ends. */
export async function lockUsers(client: Queryable): Promise<void> {
  await client.query('lock table soundings.users in share row exclusive mode');
}

export async function listUsers(client: Queryable): Promise<User[]> {
  const sql = `select ${COLUMNS} from soundings.users where deleted_at is null order by lower(name)`;
  return (await client.query<User>(sql)).rows;
}

export async function anyUser(client: Queryable): Promise<boolean> {
  const { rows } = await client.query('select 1 from soundings.users where deleted_at is null limit 1');
  return rows.length > 0;
}

/** Admins other than this one. */
export async function otherAdmins(client: Queryable, id: number): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from soundings.users where role = 'admin' and deleted_at is null and id <> $1`,
    [id],
  );
  return rows[0]?.count ?? 0;
}

export const findUser = (client: Queryable, id: number): Promise<User | null> =>
  one(client, `select ${COLUMNS} from soundings.users where id = $1 and deleted_at is null`, [id]);

export const findUserByName = (client: Queryable, name: string): Promise<User | null> =>
  one(client, `select ${COLUMNS} from soundings.users where lower(name) = lower($1) and deleted_at is null`, [name]);

/** With whom an identity signs in; `deleted` when they were removed here. */
export async function findByIdentity(
  client: Queryable,
  { issuer, subject }: Identity,
): Promise<{ user: User; deleted: boolean } | null> {
  const { rows } = await client.query<User & { deleted: boolean }>(
    `select ${COLUMNS}, deleted_at is not null as deleted from soundings.users
      where oidc_issuer = $1 and oidc_subject = $2`,
    [issuer, subject],
  );
  if (!rows[0]) return null;
  const { deleted, ...user } = rows[0];
  return { user, deleted };
}

export async function passwordHashOf(client: Queryable, id: number): Promise<string | null> {
  const { rows } = await client.query<{ password_hash: string | null }>(
    'select password_hash from soundings.users where id = $1 and deleted_at is null',
    [id],
  );
  return rows[0]?.password_hash ?? null;
}

export interface NewUser {
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string | null;
  readonly identity?: Identity;
}

/** Makes a user. Whoever was removed and had this name and an OIDC identity comes back with that identity. */
export async function insertUser(client: Queryable, { name, role, passwordHash, identity }: NewUser): Promise<User> {
  const back = identity
    ? null
    : await one(
        client,
        `update soundings.users set deleted_at = null, role = $2, password_hash = $3
          where id = (select id from soundings.users
                       where lower(name) = lower($1) and deleted_at is not null and oidc_subject is not null
                       order by deleted_at desc limit 1)
         returning ${COLUMNS}`,
        [name, role, passwordHash],
      );
  const made =
    back ??
    (await one(
      client,
      `insert into soundings.users (name, role, password_hash, oidc_issuer, oidc_subject)
       values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
      [name, role, passwordHash, identity?.issuer ?? null, identity?.subject ?? null],
    ));
  if (!made) throw new Error('the user was not stored');
  return made;
}

/** Changes what is given. */
export const updateUser = (
  client: Queryable,
  id: number,
  { name, role }: { name?: string | undefined; role?: Role | undefined },
): Promise<User | null> =>
  one(
    client,
    `update soundings.users set name = coalesce($2, name), role = coalesce($3, role)
      where id = $1 and deleted_at is null returning ${COLUMNS}`,
    [id, name ?? null, role ?? null],
  );

export async function setPasswordHash(client: Queryable, id: number, passwordHash: string): Promise<void> {
  await client.query('update soundings.users set password_hash = $2 where id = $1', [id, passwordHash]);
}

/** Removes a user: their password is forgotten, their name is free again. */
export async function removeUser(client: Queryable, id: number): Promise<void> {
  await client.query('update soundings.users set deleted_at = now(), password_hash = null where id = $1', [id]);
}
