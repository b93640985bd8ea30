/** Credentials: the tokens a connection is read with. Secrets are here as sealed text alone. */
import type { Client, Queryable } from '../db/database.ts';

export interface Credential {
  readonly id: number;
  readonly connection_id: number;
  readonly type: string;
  readonly label: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Field → sealed text. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Endpoint → `ok`, `denied` or `unknown`, as probed when it was last verified. */
  readonly access: Readonly<Record<string, 'ok' | 'denied' | 'unknown'>>;
  readonly token_type: string;
  readonly server_version: string | null;
  readonly warnings: readonly string[];
  /** `YYYY-MM-DD`; not used from that day on. */
  readonly expiration_date: string | null;
  readonly verified_at: string;
  /** When the server refused it for the first time since it last worked; the second time disables it. */
  readonly refused_at: string | null;
  readonly disabled_at: string | null;
  readonly disabled_reason: string | null;
  readonly deleted_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly version: number;
}

/** What a verification found, stored beside the credential that it was made with. */
export type Found = Pick<Credential, 'access' | 'token_type' | 'server_version' | 'warnings'>;

export type NewCredential = Pick<Credential, 'id' | 'connection_id' | 'label' | 'settings' | 'secrets'> &
  Pick<Credential, 'expiration_date'> &
  Found;

const COLUMNS = `id, connection_id, type, label, settings, secrets, access, token_type, server_version, warnings,
  expiration_date, verified_at, refused_at, disabled_at, disabled_reason, deleted_at, created_at, updated_at, version`;

const all = async (database: Queryable, sql: string, values: unknown[]): Promise<Credential[]> =>
  (await database.query<Credential>(sql, values)).rows;

/** The credentials of a connection that are not deleted, oldest first. */
export async function listCredentials(database: Queryable, connectionId: number): Promise<Credential[]> {
  return all(
    database,
    `select ${COLUMNS} from soundings.credentials where connection_id = $1 and deleted_at is null order by id`,
    [connectionId],
  );
}

/** The credential, if it is of this connection and not deleted. */
export async function getCredential(database: Queryable, connectionId: number, id: number): Promise<Credential | null> {
  const sql = `select ${COLUMNS} from soundings.credentials where connection_id = $1 and id = $2 and deleted_at is null`;
  return (await all(database, sql, [connectionId, id]))[0] ?? null;
}

/** The id of a credential that is about to be made: its secrets are sealed for it before it is stored. */
export async function nextCredentialId(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ id: number }>(
    `select nextval(pg_get_serial_sequence('soundings.credentials', 'id')) as id`,
  );
  return rows[0]?.id ?? 0;
}

export async function insertCredential(database: Queryable, made: NewCredential): Promise<Credential> {
  const [credential] = await all(
    database,
    `insert into soundings.credentials (id, connection_id, label, settings, secrets, access, token_type, server_version,
                                        warnings, expiration_date)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${COLUMNS}`,
    [made.id, made.connection_id, ...changeable(made)],
  );
  if (!credential) throw new Error('the credential was not stored');
  return credential;
}

/** Writes what a verified update changed, and takes it into use again; null when somebody else was faster. */
export async function updateCredential(
  database: Queryable,
  { id, version }: Credential,
  changed: Omit<NewCredential, 'id' | 'connection_id'>,
): Promise<Credential | null> {
  const [credential] = await all(
    database,
    `update soundings.credentials
        set label = $3, settings = $4, secrets = $5, access = $6, token_type = $7, server_version = $8, warnings = $9,
            expiration_date = $10, verified_at = now(), refused_at = null, disabled_at = null, disabled_reason = null,
            updated_at = now(), version = version + 1
      where id = $1 and version = $2 and deleted_at is null returning ${COLUMNS}`,
    [id, version, ...changeable(changed)],
  );
  return credential ?? null;
}

const changeable = (made: Omit<NewCredential, 'id' | 'connection_id'>): unknown[] => [
  made.label,
  JSON.stringify(made.settings),
  JSON.stringify(made.secrets),
  JSON.stringify(made.access),
  made.token_type,
  made.server_version,
  JSON.stringify(made.warnings),
  made.expiration_date,
];

/** Out of every list, and its secrets are forgotten. */
export async function deleteCredential(database: Queryable, connectionId: number, id: number): Promise<boolean> {
  const deleted = await all(
    database,
    `update soundings.credentials set deleted_at = now(), updated_at = now(), secrets = '{}', version = version + 1
      where connection_id = $1 and id = $2 and deleted_at is null returning ${COLUMNS}`,
    [connectionId, id],
  );
  return deleted.length > 0;
}

export async function deleteCredentialsOf(database: Queryable, connectionId: number): Promise<void> {
  for (const { id } of await listCredentials(database, connectionId))
    await deleteCredential(database, connectionId, id);
}

/** The server refused the token: once is remembered, twice (`confirmed`) takes it out of use. */
export async function noteRefused(database: Queryable, id: number, confirmed: boolean): Promise<void> {
  const reason =
    'The server refuses the token (401): it is wrong, expired or revoked. Make a new one of type User under My Account > Security and update the credential with it.';
  await database.query(
    `update soundings.credentials
        set refused_at = coalesce(refused_at, now()),
            disabled_at = case when $2 then coalesce(disabled_at, now()) else disabled_at end,
            disabled_reason = case when $2 then coalesce(disabled_reason, $3) else disabled_reason end,
            updated_at = now()
      where id = $1`,
    [id, confirmed, reason],
  );
}

/** The token worked again: an earlier refusal was a restart's or a proxy's. */
export async function noteAccepted(database: Queryable, id: number): Promise<void> {
  await database.query(
    'update soundings.credentials set refused_at = null where id = $1 and refused_at is not null and disabled_at is null',
    [id],
  );
}

/** The day on which the token ends, as the server said with its answers. */
export async function noteExpiration(database: Queryable, id: number, date: string): Promise<void> {
  await database.query(
    'update soundings.credentials set expiration_date = $2 where id = $1 and expiration_date is distinct from $2::date',
    [id, date],
  );
}

/** Every sealed value there is, for re-sealing them all in one transaction; rows stay locked until its end. */
export async function lockSealed(database: Client): Promise<Pick<Credential, 'id' | 'connection_id' | 'secrets'>[]> {
  const { rows } = await database.query<Credential>(
    'select id, connection_id, secrets from soundings.credentials where deleted_at is null order by id for update',
  );
  return rows;
}

export async function replaceSecrets(database: Client, id: number, secrets: Record<string, string>): Promise<void> {
  await database.query('update soundings.credentials set secrets = $2, version = version + 1 where id = $1', [
    id,
    JSON.stringify(secrets),
  ]);
}

/** One sealed value of each key that is in use, for telling at the start whether all of them can be opened. */
export async function sealedSamples(
  database: Queryable,
): Promise<{ id: number; connection_id: number; field: string; sealed: string }[]> {
  const { rows } = await database.query<{
    id: number;
    connection_id: number;
    field: string;
    sealed: string;
  }>(
    `select distinct on (split_part(value, '.', 2)) c.id, c.connection_id, key as field, value as sealed
       from soundings.credentials c, jsonb_each_text(c.secrets) where c.deleted_at is null
      order by split_part(value, '.', 2), c.id`,
  );
  return rows;
}
