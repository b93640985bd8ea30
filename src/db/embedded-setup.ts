/**
 * What a fresh cluster lacks: the database, and a login for queries that can read the warehouse and do nothing else.
 * Asked for with one statement at each start; done under a lock, again after a crash in the middle.
 */
import pg from 'pg';

export const QUERY_ROLE = 'soundings_query';

/** Runs something on a connection to the database in question, which cannot be entered before it exists. */
type Enter = (use: (client: pg.Client) => Promise<void>) => Promise<void>;

/**
 * What everybody may do in a new database, though only reading is meant: making large objects and temporary tables,
 * which fill the disk, taking advisory locks, with which one query could hold up every sync, and ending other sessions of
 * the same login, which are other people's queries.
 */
const HARDEN = `
do $$
declare f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and (proname ~ '^pg_(try_)?advisory_' or proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_open',
                         'pg_cancel_backend', 'pg_terminate_backend'))
  loop
    execute format('revoke execute on function %s from public', f);
  end loop;
end
$$`;

interface State {
  readonly role: boolean;
  readonly database: boolean;
  /** The grant that is made last, so it stands for all before it. */
  readonly granted: boolean;
}

async function readState(client: pg.Client, database: string): Promise<State> {
  const { rows } = await client.query<State>(
    `with role as (select oid from pg_roles where rolname = $2),
          database as (select datacl from pg_database where datname = $1)
     select exists (select from role) as role,
            exists (select from database) as database,
            exists (select from database, aclexplode(datacl) where grantee = (select oid from role)) as granted`,
    [database, QUERY_ROLE],
  );
  return rows[0] ?? { role: false, database: false, granted: false };
}

/** `client` is connected to the maintenance database as the owner. */
export async function ensureEmbeddedDatabase(
  client: pg.Client,
  database: string,
  queryPassword: string,
  enter: Enter,
): Promise<void> {
  if ((await readState(client, database)).granted) return;
  // given back when the connection ends; "create database" allows no transaction
  await client.query(`select pg_advisory_lock(hashtextextended('soundings setup', 0))`);
  const state = await readState(client, database);
  if (!state.role) await createQueryRole(client, queryPassword);
  const name = pg.escapeIdentifier(database);
  if (!state.database) await client.query(`create database ${name}`);
  if (state.granted) return;
  await enter(async (inside) => {
    await inside.query(HARDEN);
  });
  await client.query(`revoke connect, temporary on database ${name} from public`);
  await client.query(`grant connect on database ${name} to ${QUERY_ROLE}`);
}

async function createQueryRole(client: pg.Client, password: string): Promise<void> {
  await client.query(`
    begin;
    create role ${QUERY_ROLE} login password ${pg.escapeLiteral(password)};
    alter role ${QUERY_ROLE} set default_transaction_read_only = on;
    alter role ${QUERY_ROLE} set temp_file_limit = '10GB';
    revoke connect on database postgres, template1 from public;
    commit`);
}
