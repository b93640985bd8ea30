/** The use case "who did what?". */
import { listAudit, type AuditRow } from '../control/audit.ts';
import type { Service } from './service.ts';

export type { AuditRow };

/** Newest first, a page at a time; `next` is where the following page begins, null on the last one. */
export async function list(
  { store }: Service,
  { before, limit, connectionId }: { before: number | null; limit: number; connectionId: number | null },
): Promise<{ rows: AuditRow[]; next: number | null }> {
  const rows = await listAudit(store.database, { before, limit: limit + 1, connectionId });
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
