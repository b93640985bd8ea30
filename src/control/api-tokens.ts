/** API tokens: who may call the HTTP API, and for what. Only a hash is kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { Database } from '../db/database.ts';

export interface ApiToken {
  readonly id: number;
  readonly label: string;
  /** The first characters of the token, by which people recognise it. */
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

const COLUMNS = 'id, label, prefix, scopes, created_at, created_by, expires_at, revoked_at, last_used_at';
const PREFIX_LENGTH = 12;

/** 256 random bits need no slow hash: they cannot be guessed. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Makes a token; its text is returned this once and kept nowhere. */
export async function createToken(
  database: Database,
  { label, scopes, expiresAt, by }: { label: string; scopes: readonly string[]; expiresAt: Date | null; by: string },
): Promise<{ token: string; stored: ApiToken }> {
  const token = `sdg_${randomBytes(32).toString('base64url')}`;
  const { rows } = await database.query<ApiToken>(
    `insert into soundings.api_tokens (label, prefix, hash, scopes, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
    [label, token.slice(0, PREFIX_LENGTH), hashOf(token), scopes, by, expiresAt],
  );
  if (!rows[0]) throw new Error('the API token was not stored');
  return { token, stored: rows[0] };
}

/** The token that is good now, or null; notes that it was used, at most once a minute. */
export async function findToken(database: Database, token: string): Promise<ApiToken | null> {
  const { rows } = await database.query<ApiToken>(
    `select ${COLUMNS} from soundings.api_tokens
      where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [hashOf(token)],
  );
  const [found] = rows;
  if (!found) return null;
  await database.query(
    `update soundings.api_tokens set last_used_at = now()
      where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [found.id],
  );
  return found;
}

export async function listTokens(database: Database): Promise<ApiToken[]> {
  return (await database.query<ApiToken>(`select ${COLUMNS} from soundings.api_tokens order by id`)).rows;
}

/** True when there was such a token and it had not been revoked before. */
export async function revokeToken(database: Database, id: number): Promise<ApiToken | null> {
  const { rows } = await database.query<ApiToken>(
    `update soundings.api_tokens set revoked_at = now() where id = $1 and revoked_at is null returning ${COLUMNS}`,
    [id],
  );
  return rows[0] ?? null;
}
