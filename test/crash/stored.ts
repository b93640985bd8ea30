/** What is stored of a server, in a form in which two servers with the same contents are equal. */
import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';

/** mulberry32: small, fast, and the same everywhere. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** When and where a row was written here; everything else must be the same. */
const OWN_COLUMNS = [
  ...['id', 'connection_id', 'first_seen_at', 'synced_at', 'checked_at', 'full_read_at', 'suspected_since'],
  ...['observed_at', 'issues_synced_at', 'metrics_synced_at', 'updated_by_us_at'],
  // empty in a run that compared totals only
  'seen',
];

/** References by what they stand for. */
const REFERENCES: Readonly<Record<string, string>> = {
  project_id: '(select source_key from sonarqube_projects r where r.id = t.project_id)',
  metric_id: '(select source_key from sonarqube_metrics r where r.id = t.metric_id)',
  issue_id: '(select source_key from sonarqube_issues r where r.id = t.issue_id)',
  tag_set_id: `(select array_agg(r.name order by r.name collate "C") from sonarqube_tag_set_tags s
    join sonarqube_tags r on r.id = s.tag_id where s.tag_set_id = t.tag_set_id)`,
};

const COUNTS = /"(present|server_total|total_before)": \d+/g;

export type Stored = ReadonlyMap<string, readonly string[]>;

/** Every row of every table of one server as text, without ids and times of ours; and the cursors. */
export async function stored(database: Database, baseUrl: string): Promise<Stored> {
  const { rows: connections } = await database.query<{ id: number }>(
    `select id from soundings.connections where settings ->> 'base_url' = $1`,
    [baseUrl],
  );
  expect(connections).toHaveLength(1);
  const { rows: tables } = await database.query<{ name: string; references: string[] | null }>(
    `select c.relname as name, array_agg(a.attname::text) filter (where a.attname like '%\\_id' and a.attname not in ('connection_id', 'source_id'))
            as references
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        and exists (select from pg_attribute o where o.attrelid = c.oid and o.attname = 'connection_id')
      group by 1 order by 1`,
  );
  const result = new Map<string, string[]>();
  for (const { name, references } of tables) {
    const named = (references ?? []).map((column) => {
      expect(REFERENCES, `${name}.${column}`).toHaveProperty(column);
      return `'${column}', ${REFERENCES[column] ?? 'null'}`;
    });
    const { rows } = await database.query<{ row: string }>(
      `select ((to_jsonb(t) - $2::text[] - 'deleted_at') || jsonb_build_object(
                'gone', to_jsonb(t) ->> 'deleted_at' is not null${named.map((one) => `, ${one}`).join('')}))::text as row
         from public.${name} t where connection_id = $1 order by 1`,
      [connections[0]?.id, OWN_COLUMNS],
    );
    result.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  // a run that goes on counts only the analyses since the last one stored
  const ledger = result.get('sonarqube_completeness') ?? [];
  result.set(
    'sonarqube_completeness',
    ledger.map((row) => (row.includes('"measures_history"') ? row.replaceAll(COUNTS, '"$1": "n"') : row)).sort(),
  );
  const { rows: cursors } = await database.query<{ row: string }>(
    `select jsonb_build_array(stream, slice, cursor)::text as row from soundings.cursors where connection_id = $1 order by 1`,
    [connections[0]?.id],
  );
  result.set(
    'cursors',
    cursors.map(({ row }) => row),
  );
  return result;
}

export function expectSame(found: Stored, wanted: Stored): void {
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [table, rows] of wanted) {
    const here = found.get(table) ?? [];
    const [before, after] = [new Set(rows), new Set(here)];
    const missing = rows.filter((row) => !after.has(row));
    const extra = here.filter((row) => !before.has(row));
    expect({ table, missing: missing.slice(0, 3), extra: extra.slice(0, 3) }).toEqual({
      table,
      missing: [],
      extra: [],
    });
    expect(here, `${table}: rows that stand there twice`).toHaveLength(rows.length);
  }
}
