/** The audit log: who did what to which connection or credential, from where and when. */
import type { Database, Queryable } from '../db/database.ts';

/** Who acts: an API token, a person at the command line, or the program itself. */
export interface Actor {
  /** For example `token sdg_1a2b3c4d (CI)`, `command line (alice)` or `soundings`. */
  readonly name: string;
  /** The address the request came from; null for what happens on this machine. */
  readonly address: string | null;
}

export interface AuditEntry {
  readonly action: string;
  readonly connectionId?: number;
  readonly credentialId?: number;
  /** What changed, by name; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditRow {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly address: string | null;
  readonly action: string;
  readonly connection_id: number | null;
  readonly credential_id: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export async function audit(
  database: Queryable,
  { name, address }: Actor,
  { action, connectionId, credentialId, detail }: AuditEntry,
): Promise<void> {
  await database.query(
    `insert into soundings.audit_log (actor, address, action, connection_id, credential_id, detail)
     values ($1, $2, $3, $4, $5, $6)`,
    [name, address, action, connectionId ?? null, credentialId ?? null, JSON.stringify(detail ?? {})],
  );
}

/** Newest first, from before an id on. */
export async function listAudit(
  database: Database,
  { before, limit, connectionId }: { before: number | null; limit: number; connectionId: number | null },
): Promise<AuditRow[]> {
  const { rows } = await database.query<AuditRow>(
    `select id, at, actor, address, action, connection_id, credential_id, detail from soundings.audit_log
      where ($1::bigint is null or id < $1) and ($2::bigint is null or connection_id = $2) order by id desc limit $3`,
    [before, connectionId, limit],
  );
  return rows;
}
