/** What stands in the address of the SQL page: a statement to begin with. Pure. */
export interface SqlSearch {
  readonly sql?: string;
}

export function sqlSearch(raw: Readonly<Record<string, unknown>>): SqlSearch {
  const { sql } = raw;
  return typeof sql === 'string' && sql !== '' ? { sql: sql.slice(0, 100_000) } : {};
}
