/** The embedded database: a real PostgreSQL in a data folder, shared by all soundings processes on that folder. */
import type pg from 'pg';

import { findBinaries } from './binaries.ts';
import { connect, disconnect } from './client.ts';
import { ensureCluster, OWNER } from './cluster.ts';
import { ensureEmbeddedDatabase, QUERY_ROLE } from './embedded-setup.ts';
import { openFolder, rolePassword } from './folder.ts';
import { serverSettings, type Settings } from './settings.ts';
import { address, join } from './sharing.ts';
import { serverUser } from './system-user.ts';

/** The database in the cluster that holds the warehouse. */
export const DATABASE = 'soundings';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** Which database of the cluster; only tests use another one. */
  readonly database?: string;
  /** Settings in place of the usual ones; only tests use them. */
  readonly settings?: Settings;
  readonly log?: (line: string) => void;
}

/** A connection other programs can use too: loopback, for not all of them know sockets. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface EmbeddedDatabase {
  /** As the owner, by the fastest way. Read anew for each connection: after a crash the server may be elsewhere. */
  readonly config: Login;
  /** As the owner by TCP, for programs that know no sockets. */
  readonly ownerLogin: Login;
  /** As the role that can read the warehouse and nothing else. */
  readonly queryConfig: Login;
  /** Ends our use; the last user's end stops the server, unless other programs are connected. */
  close(): Promise<void>;
}

export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { dataDir, database = DATABASE, settings = {}, log = () => undefined } = options;
  const folder = await openFolder(dataDir);
  const user = await serverUser(folder.cluster);
  const binaries = await findBinaries(user);
  const password = await rolePassword(folder, OWNER);
  const queryPassword = await rolePassword(folder, QUERY_ROLE);
  await ensureCluster(folder, binaries, user, password);
  const membership = await join({
    folder,
    binaries,
    user,
    settings: { ...(await serverSettings()), ...settings },
    log,
    owner: OWNER,
    password,
  });
  let closing: Promise<void> | undefined;
  const loopback = { host: '127.0.0.1', database };
  const opened: EmbeddedDatabase = {
    get config() {
      return { ...address(membership.postmaster), user: OWNER, password, database };
    },
    get ownerLogin() {
      return { ...loopback, port: membership.postmaster.port, user: OWNER, password };
    },
    get queryConfig() {
      return { ...loopback, port: membership.postmaster.port, user: QUERY_ROLE, password: queryPassword };
    },
    close: () => (closing ??= membership.leave()),
  };
  try {
    await withConnection({ ...opened.config, database: 'postgres' }, (client) =>
      ensureEmbeddedDatabase(client, database, queryPassword, (use) => withConnection(opened.config, use)),
    );
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function withConnection<T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(config);
  try {
    return await use(client);
  } finally {
    await disconnect(client);
  }
}
