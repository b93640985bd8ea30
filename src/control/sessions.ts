/** Sessions of signed-in users, one-time links, and attempts to sign in. Of every secret text only a hash is kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { Queryable } from '../db/database.ts';
import type { Role } from './users.ts';

/** A session ends when nothing was asked with it for so long … */
const IDLE = `interval '12 hours'`;
/** … and in any case after so long. */
const LONGEST = `interval '7 days'`;
const LINK_LASTS = `interval '1 hour'`;
const ATTEMPTS_COUNT_FOR = `interval '15 minutes'`;

export interface Session {
  readonly id: number;
  readonly user_id: number;
  readonly name: string;
  readonly role: Role;
  readonly ends_at: string;
}

/** 256 random bits need no slow hash: they cannot be guessed. */
const newToken = (): string => randomBytes(32).toString('base64url');
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Begins a session; its token is returned this once. */
export async function createSession(client: Queryable, userId: number): Promise<{ token: string; endsAt: string }> {
  await client.query(`delete from soundings.sessions where ends_at <= now() or seen_at <= now() - ${IDLE}`);
  const token = newToken();
  const { rows } = await client.query<{ ends_at: string }>(
    `insert into soundings.sessions (hash, user_id, ends_at) values ($1, $2, now() + ${LONGEST}) returning ends_at`,
    [hashOf(token), userId],
  );
  await client.query('update soundings.users set last_seen_at = now() where id = $1', [userId]);
  if (!rows[0]) throw new Error('the session was not stored');
  return { token, endsAt: rows[0].ends_at };
}

/** The session of this token and its user as they are now, or null; notes at most once a minute that it was used. */
export async function findSession(client: Queryable, token: string): Promise<Session | null> {
  const { rows } = await client.query<Session & { stale: boolean }>(
    `select s.id, s.user_id, u.name, u.role, s.ends_at, s.seen_at < now() - interval '1 minute' as stale
       from soundings.sessions s join soundings.users u on u.id = s.user_id
      where s.hash = $1 and u.deleted_at is null and s.ends_at > now() and s.seen_at > now() - ${IDLE}`,
    [hashOf(token)],
  );
  if (!rows[0]) return null;
  const { stale, ...session } = rows[0];
  if (stale) {
    await client.query(
      `with seen as (update soundings.sessions set seen_at = now() where id = $1 returning user_id)
       update soundings.users set last_seen_at = now() where id in (select user_id from seen)`,
      [session.id],
    );
  }
  return session;
}

export async function endSession(client: Queryable, token: string): Promise<void> {
  await client.query('delete from soundings.sessions where hash = $1', [hashOf(token)]);
}

export async function endSessionsOf(client: Queryable, userId: number): Promise<void> {
  await client.query('delete from soundings.sessions where user_id = $1', [userId]);
}

/** A link that sets a password: of a user, or of the first one, who is made by it. Earlier links of the same user end. */
export async function createLink(client: Queryable, userId: number | null): Promise<{ link: string; endsAt: string }> {
  await client.query('delete from soundings.sign_in_links where ends_at <= now() or user_id = $1', [userId]);
  const link = newToken();
  const { rows } = await client.query<{ ends_at: string }>(
    `insert into soundings.sign_in_links (hash, user_id, ends_at) values ($1, $2, now() + ${LINK_LASTS}) returning ends_at`,
    [hashOf(link), userId],
  );
  if (!rows[0]) throw new Error('the sign-in link was not stored');
  return { link, endsAt: rows[0].ends_at };
}

/** Whose link that is, when it is good; it is not any more afterwards, if the transaction commits. */
export async function takeLink(client: Queryable, link: string): Promise<{ userId: number | null } | null> {
  const { rows } = await client.query<{ user_id: number | null; good: boolean }>(
    'delete from soundings.sign_in_links where hash = $1 returning user_id, ends_at > now() as good',
    [hashOf(link)],
  );
  return rows[0]?.good === true ? { userId: rows[0].user_id } : null;
}

/** Ends every link that makes the first user, or a user's. */
export async function endLinksOf(client: Queryable, userId: number | null): Promise<void> {
  await client.query('delete from soundings.sign_in_links where user_id is not distinct from $1', [userId]);
}

export interface Attempts {
  /** Of this attempt. */
  readonly id: number;
  /** Within the time that counts, this one included. */
  readonly byNameAndAddress: number;
  readonly byName: number;
  readonly byAddress: number;
}

/** Notes an attempt before it is looked at, so that many at once are counted too. */
export async function noteAttempt(client: Queryable, name: string, address: string): Promise<Attempts> {
  const nameHash = hashOf(name.toLowerCase());
  await client.query(`delete from soundings.sign_in_attempts where at < now() - ${ATTEMPTS_COUNT_FOR}`);
  const { rows: made } = await client.query<{ id: number }>(
    'insert into soundings.sign_in_attempts (name_hash, address) values ($1, $2) returning id',
    [nameHash, address],
  );
  const { rows } = await client.query<{ both: number; name: number; address: number }>(
    `select count(*) filter (where name_hash = $1 and address = $2)::int as both,
            count(*) filter (where name_hash = $1)::int as name,
            count(*) filter (where address = $2)::int as address
       from soundings.sign_in_attempts where name_hash = $1 or address = $2`,
    [nameHash, address],
  );
  if (!made[0] || !rows[0]) throw new Error('the attempt was not stored');
  return { id: made[0].id, byNameAndAddress: rows[0].both, byName: rows[0].name, byAddress: rows[0].address };
}

/** It succeeded, or was not looked at. */
export async function forgetAttempt(client: Queryable, id: number): Promise<void> {
  await client.query('delete from soundings.sign_in_attempts where id = $1', [id]);
}
