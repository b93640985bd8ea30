/** COPY … FROM STDIN from anything that can be iterated; backpressure and cancelling by the stream itself. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type pg from 'pg';
import { from as copyStream } from 'pg-copy-streams';

import { databaseError } from './errors.ts';

/**
 * Runs one `copy … from stdin` statement and sends it the chunks; gives the number of rows. When the source fails, the
 * copy is cancelled and nothing of it stays.
 */
export async function copyFrom(
  client: pg.ClientBase,
  sql: string,
  rows: AsyncIterable<Buffer | string> | Iterable<Buffer | string>,
): Promise<number> {
  const target = client.query(copyStream(sql));
  try {
    await pipeline(Readable.from(rows, { objectMode: true }), target);
    return target.rowCount;
  } catch (error) {
    throw databaseError(error);
  }
}
