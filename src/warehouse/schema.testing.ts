/** What the warehouse's own tests need of the product tables, without the room that owns them. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from '../db/migrations.ts';

export const MIGRATIONS_FOR_TESTS: Readonly<Record<string, Migration>> = {
  '0001_cursors': {
    up: async (db: Kysely<unknown>) => {
      await sql
        .raw(
          `create table soundings.cursors (connection_id bigint, stream text, slice text, cursor jsonb,
             updated_at timestamptz default now(), primary key (connection_id, stream, slice))`,
        )
        .execute(db);
    },
  },
};
