/** One connection to PostgreSQL, with what all connections of this program have in common. */
import pg from 'pg';

import { databaseError } from './errors.ts';
import { types } from './types.ts';

/** How connections of ours name themselves; those of other programs keep an embedded server from being stopped. */
export const APPLICATION = 'soundings';

/** A host that drops packets answers never; the kernel would try for two minutes. */
export const CONNECTION_TIMEOUT_MS = 15_000;

const DEFAULTS = {
  application_name: APPLICATION,
  types,
  keepAlive: true,
  connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
} satisfies pg.ClientConfig;

export function withDefaults(config: pg.ClientConfig): pg.ClientConfig {
  return { ...DEFAULTS, ...config };
}

/** A connection of its own, outside any pool. The server may go away at any time: the next statement then fails. */
export async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(withDefaults(config));
  // without a listener Node ends the whole process when the server closes an idle connection
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw databaseError(error);
  }
}

/** Ends a connection, also one whose server is gone. */
export async function disconnect(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined);
}
