/** What the API's answers are made of, as schemas: checked, documented and typed from here. Secrets have no place in them. */
import { z } from 'zod';

/** A row id; what lies beyond 2^53 cannot be one of ours. */
export const id = z.int().positive();
/** A moment: ISO-8601 UTC with milliseconds, `2026-04-07T00:00:00.000Z`. */
export const moment = z.iso.datetime({ precision: 3 });
/** A day: `YYYY-MM-DD`. */
export const day = z.iso.date();

const settings = z.record(z.string(), z.unknown());

/** A connection as `connections.list` shows it: the documented fields, and `warnings`. */
export const connection = z.object({
  id,
  type: z.string(),
  name: z.string(),
  state: z.enum(['draft', 'verified']),
  disabled_at: moment.nullable(),
  last_synced_at: moment.nullable(),
  created_at: moment,
  supports_multiple_credentials: z.boolean(),
  warnings: z.array(z.string()),
});

export const connectionInfo = connection.extend({
  settings,
  disabled_reason: z.string().nullable(),
  updated_at: moment,
});

export const runState = z.enum(['queued', 'running', 'complete', 'partly_failed', 'failed', 'cancelled']);
const failure = z.object({ code: z.string(), message: z.string() });

/** Everything that the connections page shows of a connection. */
export const connectionOverview = connection.extend({
  base_url: z.string(),
  server_version: z.string().nullable(),
  disabled_reason: z.string().nullable(),
  last_run: z
    .object({
      id,
      state: runState,
      started_at: moment.nullable(),
      ended_at: moment.nullable(),
      error: failure.nullable(),
    })
    .nullable(),
  next_sync_at: moment.nullable(),
  projects: z.int(),
  /** Ledger rows by state. */
  completeness: z.object({
    complete: z.int(),
    moving: z.int(),
    short: z.int(),
    suspect: z.int(),
    unreadable: z.int(),
  }),
  /** The earliest end of its credentials. */
  expiration_date: day.nullable(),
});

/** The four fields that `credentials.create` and `credentials.update` answer with. */
export const credentialCreated = z.object({ id, type: z.string(), label: z.string(), created_at: moment });

export const credential = credentialCreated.extend({
  settings,
  disabled_at: moment.nullable(),
  expiration_date: day.nullable(),
  disabled_reason: z.string().nullable(),
  token_type: z.string(),
  verified_at: moment,
  /** Endpoint → may it be read with this credential? */
  access: z.record(z.string(), z.enum(['ok', 'denied', 'unknown'])),
  warnings: z.array(z.string()),
});

export const credentialInfo = credential.extend({ deleted_at: moment.nullable() });

/** What a verification found, step by step, in the order in which it was tried. */
export const verification = z.object({
  outcome: z.enum(['verified', 'invalid_credentials', 'invalid_permissions', 'internal_server_error']),
  /** Cause and remedy in one sentence. */
  message: z.string(),
  steps: z.array(
    z.object({
      /** `reach`, `version`, `token`, or an endpoint such as `issues/search`. */
      step: z.string(),
      state: z.enum(['ok', 'failed', 'skipped']),
      message: z.string(),
    }),
  ),
  server_version: z.string().nullable(),
  token_type: z.string(),
  access: z.record(z.string(), z.enum(['ok', 'denied', 'unknown'])),
  expiration_date: day.nullable(),
  warnings: z.array(z.string()),
  /** The line to try by hand, with the token masked. */
  curl: z.string(),
});

const streamProgress = z.object({
  expected: z.int().nullable(),
  read: z.int(),
  added: z.int(),
  changed: z.int(),
  gone: z.int(),
});

export const progress = z.object({
  phase: z.enum(['listing', 'reading', 'checking', 'done']),
  projects: z.object({ done: z.int(), total: z.int().nullable() }),
  streams: z.record(z.string(), streamProgress),
  requests: z.int(),
  retries: z.int(),
  bytes: z.int(),
  /** Requests that may be in flight now; null when nothing is asked. */
  concurrency: z.int().nullable(),
  warnings: z.array(z.string()),
});

export const run = z.object({
  id,
  connection_id: id,
  trigger: z.string(),
  mode: z.enum(['full', 'incremental', 'unknown']),
  state: runState,
  queued_at: moment,
  started_at: moment.nullable(),
  ended_at: moment.nullable(),
  cancel_requested_at: moment.nullable(),
  progress,
  shortfalls: z.array(
    z.object({ stream: z.string(), project: z.string().nullable(), state: z.string(), reason: z.string() }),
  ),
  error: failure.nullable(),
  program_version: z.string(),
  worker: z.string().nullable(),
});

/** How a project is: the worst of its streams, `unread` before anything was read, `gone` when the server has it no more. */
export const projectState = z.enum(['complete', 'moving', 'short', 'suspect', 'unreadable', 'unread', 'gone']);

/** A project and what the ledger says of each of its streams. */
export const project = z.object({
  id,
  connection_id: id,
  key: z.string(),
  name: z.string(),
  visibility: z.string().nullable(),
  last_analysis_date: moment.nullable(),
  api_accessible: z.boolean().nullable(),
  issues_synced_at: moment.nullable(),
  metrics_synced_at: moment.nullable(),
  deleted_at: moment.nullable(),
  gone_reason: z.string().nullable(),
  state: projectState,
  streams: z.array(
    z.object({
      stream: z.string(),
      state: z.enum(['complete', 'moving', 'short', 'suspect', 'unreadable']),
      server_total: z.int().nullable(),
      present: z.int(),
      kept: z.int(),
      reason: z.string().nullable(),
      checked_at: moment,
    }),
  ),
});

export const table = z.object({
  name: z.string(),
  kind: z.enum(['table', 'view']),
  description: z.string().nullable(),
  rows: z.int().nullable(),
  bytes: z.int().nullable(),
  /** When a row was last written or confirmed; null where that is not known. */
  fresh_at: moment.nullable(),
  columns: z.array(z.object({ name: z.string(), type: z.string(), description: z.string().nullable() })),
  /** Columns that point to rows of other tables. */
  references: z.array(z.object({ column: z.string(), table: z.string(), foreign_column: z.string() })),
});

export const tableInfo = table.extend({
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      nullable: z.boolean(),
      description: z.string().nullable(),
      /** The endpoint and field that the value comes from; null for the warehouse's own bookkeeping. */
      source: z.object({ endpoint: z.string(), field: z.string().nullable() }).nullable(),
      /** 0 to 1, in a sample of the rows; null where there are none. */
      null_share: z.number().nullable(),
      examples: z.array(z.string()),
    }),
  ),
});

export const apiToken = z.object({
  id,
  label: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  created_at: moment,
  created_by: z.string(),
  expires_at: moment.nullable(),
  revoked_at: moment.nullable(),
  last_used_at: moment.nullable(),
});

export const user = z.object({
  id,
  name: z.string(),
  role: z.enum(['viewer', 'editor', 'admin']),
  /** Signs in through the OIDC provider. */
  oidc: z.boolean(),
  has_password: z.boolean(),
  created_at: moment,
  last_seen_at: moment.nullable(),
});

/** A page that sets a password, below the address of the server; it works once. */
export const signInLink = z.object({ path: z.string(), expires_at: moment });

export const savedQuery = z.object({
  id,
  name: z.string(),
  sql: z.string(),
  created_by: z.string(),
  updated_at: moment,
});

export const exampleQuery = z.object({ id: z.string(), name: z.string(), description: z.string(), sql: z.string() });

export const pastQuery = z.object({
  id,
  sql: z.string(),
  started_at: moment,
  duration_ms: z.int(),
  /** Null: it failed. */
  rows: z.int().nullable(),
  error: failure.nullable(),
});

export const queryResult = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  /** Values in the order of the columns, of which two can have one name. */
  rows: z.array(z.array(z.unknown())),
  row_count: z.int(),
  truncated: z.boolean(),
  notice: z.string().nullable(),
  duration_ms: z.int(),
});

const chartParameter = z.enum(['projects', 'connection', 'from', 'to', 'interval', 'limit']);

export const insight = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  kind: z.enum(['bar', 'stacked-bar', 'line', 'area', 'heat-map', 'table', 'number']),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['text', 'number', 'date']),
      role: z.enum(['x', 'y', 'series', 'label', 'value', 'link']),
      title: z.string(),
      unit: z.string().optional(),
    }),
  ),
  /** The filters that change what it shows. */
  parameters: z.array(chartParameter),
});

export const insightResult = z.object({
  insight,
  /** With every default filled in. */
  filters: z.object({
    projects: z.array(z.string()),
    connection: id.nullable(),
    from: day,
    to: day,
    interval: z.enum(['day', 'week', 'month']),
    limit: z.int(),
  }),
  /** By column name. */
  rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
  /** The statement that gave these rows. */
  sql: z.string(),
  duration_ms: z.int(),
});

/** A key of the vault, by its id alone. */
export const key = z.object({ id: z.string(), current: z.boolean(), held: z.boolean(), secrets: z.int() });

export const auditEntry = z.object({
  id,
  at: moment,
  actor: z.string(),
  address: z.string().nullable(),
  action: z.string(),
  connection_id: id.nullable(),
  credential_id: id.nullable(),
  detail: z.record(z.string(), z.unknown()),
});
