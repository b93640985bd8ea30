/** The product's own tables, in schema `soundings`, which the query role cannot see. Forward only: never edit, only add. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from '../db/migrations.ts';

const steps = (...statements: readonly string[]): Migration => ({
  up: async (db: Kysely<unknown>) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
});

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_connections_runs_cursors': steps(
    `create table soundings.connections (
  id bigint generated always as identity primary key,
  type text not null default 'sonarqube',
  name text not null,
  settings jsonb not null default '{}',
  state text not null default 'verified',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_synced_at timestamptz
)`,
    `create unique index on soundings.connections (type, (settings ->> 'base_url'))`,
    `create table soundings.runs (
  id bigint generated always as identity primary key,
  connection_id bigint not null references soundings.connections (id),
  mode text not null check (mode in ('full', 'incremental', 'unknown')),
  state text not null check (state in ('running', 'complete', 'partly_failed', 'failed', 'cancelled')),
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  heartbeat_at timestamptz not null default now(),
  progress jsonb not null default '{}',
  shortfalls jsonb not null default '[]',
  error_code text,
  error_message text,
  program_version text not null
)`,
    'create index on soundings.runs (connection_id, started_at desc)',
    `create table soundings.cursors (
  connection_id bigint not null,
  stream text not null,
  slice text not null,
  cursor jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (connection_id, stream, slice)
)`,
  ),
};
