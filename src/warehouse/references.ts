/** Source keys → row ids, and tags → tag sets: what a row refers to, looked up once and remembered for the run. */
import type pg from 'pg';
import type { Lookup } from './copy.ts';
import { lockInTransaction } from '../db/locks.ts';
import type { AnyStream } from './ddl.ts';

/** Tags that name the same set have the same key, whatever their order. */
function tagKey(tags: readonly string[]): string {
  // nearly every issue: asked twice for each of them
  if (tags.length < 2) return tags[0] ?? '';
  return [...new Set(tags)].sort().join('\u0001');
}

/** Remembers ids per connection; a sync of 50,000 projects and 200 metrics keeps some 5 MB. */
export class References implements Lookup {
  readonly #connectionId: number;
  readonly #tables: ReadonlyMap<string, string>;
  readonly #ids = new Map<string, Map<string, number>>();
  readonly #tagSets = new Map<string, number>();
  /** Something here was looked up or made by a transaction that has not been committed yet. */
  #isOpen = false;

  constructor(connectionId: number, streams: readonly AnyStream[]) {
    this.#connectionId = connectionId;
    this.#tables = new Map(streams.map((stream) => [stream.name, stream.table]));
  }

  /** Is everything known here committed, so that rows may be encoded with it before their own transaction begins? */
  get isCommitted(): boolean {
    return !this.#isOpen;
  }

  /** The transaction that looked things up has been committed. */
  commit(): void {
    this.#isOpen = false;
  }

  id(stream: string, sourceKey: string): number | undefined {
    return this.#ids.get(stream)?.get(sourceKey);
  }

  /** Every id that is known of a stream. */
  ids(stream: string): number[] {
    return [...(this.#ids.get(stream)?.values() ?? [])];
  }

  tagSet(tags: readonly string[]): number | undefined {
    return this.#tagSets.get(tagKey(tags));
  }

  /** Looks up what the records refer to and is not known yet; records whose reference is not stored stay unresolved. */
  async load(client: pg.ClientBase, stream: AnyStream, records: readonly unknown[]): Promise<void> {
    for (const column of Object.values(stream.columns)) {
      if (column.references !== undefined) {
        const keys = records.map((record) => column.value(record as never) as string);
        await this.loadIds(client, column.references, keys);
      } else if (column.type === 'tag_set') {
        await this.#loadTagSets(
          client,
          records.map((record) => column.value(record as never) as readonly string[]),
        );
      }
    }
  }

  async loadIds(client: pg.ClientBase, stream: string, keys: Iterable<string>): Promise<void> {
    const known = this.#ids.get(stream) ?? new Map<string, number>();
    this.#ids.set(stream, known);
    const missing = [...new Set(keys)].filter((key) => !known.has(key));
    if (missing.length === 0) return;
    this.#isOpen = true;
    const { rows } = await client.query<{ id: number; source_key: string }>(
      `select id, source_key from ${this.#tables.get(stream) ?? ''} where connection_id = $1 and source_key = any($2)`,
      [this.#connectionId, missing],
    );
    for (const row of rows) known.set(row.source_key, row.id);
  }

  async #loadTagSets(client: pg.ClientBase, sets: readonly (readonly string[])[]): Promise<void> {
    const missing = new Map<string, string[]>();
    for (const tags of sets) {
      const key = tagKey(tags);
      if (!this.#tagSets.has(key)) missing.set(key, [...new Set(tags)].sort());
    }
    if (missing.size === 0) return;
    this.#isOpen = true;
    const keys = [...missing.keys()];
    const { rows: known } = await client.query<{ n: number; id: number }>(KNOWN_TAG_SETS, [
      keys.map((key) => JSON.stringify(missing.get(key))),
    ]);
    for (const { n, id } of known) {
      const key = keys[n - 1] ?? '';
      this.#tagSets.set(key, id);
      missing.delete(key);
    }
    // one writer at a time makes new sets: two would each miss the other's tags
    if (missing.size > 0) await lockInTransaction(client, 'soundings.tags');
    for (const [key, tags] of missing) {
      const { rows } = await client.query<{ id: number }>(TAG_SET, [tags]);
      if (rows[0]) this.#tagSets.set(key, rows[0].id);
    }
  }

  /** Forgets rows whose source key changed. */
  forget(stream: string, sourceKeys: readonly string[]): void {
    for (const key of sourceKeys) this.#ids.get(stream)?.delete(key);
  }

  /** Forgets everything: a rolled back transaction may have made some of it. */
  rollback(): void {
    this.#ids.clear();
    this.#tagSets.clear();
    this.#isOpen = false;
  }
}

/** The sets that are there already, of those given as JSON arrays, by position from 1. */
const KNOWN_TAG_SETS = `select wanted.n::int as n, s.id
  from unnest($1::text[]) with ordinality wanted (tags, n)
  cross join lateral (select coalesce(array_agg(t.id order by t.id), '{}') as tag_ids
                        from jsonb_array_elements_text(wanted.tags::jsonb) name (tag)
                        join sonarqube_tags t on t.name = name.tag) ids
  join sonarqube_tag_sets s on s.tag_ids = ids.tag_ids
 where cardinality(ids.tag_ids) = jsonb_array_length(wanted.tags::jsonb)`;

/** The id of the set of the given tags; tags and set are made where they are new. Some hundred calls in a first sync. */
const TAG_SET = `with new_tags as (
  insert into sonarqube_tags (name)
  select name from unnest($1::text[]) name where not exists (select from sonarqube_tags t where t.name = name.name)
  on conflict do nothing returning id, name
), ids as (
  select coalesce(array_agg(id order by id), '{}') as tag_ids
    from (select id from new_tags union select t.id from sonarqube_tags t where t.name = any($1)) every
), new_set as (
  insert into sonarqube_tag_sets (tag_ids)
  select tag_ids from ids where not exists (select from sonarqube_tag_sets s where s.tag_ids = ids.tag_ids)
  on conflict do nothing returning id, tag_ids
), members as (
  insert into sonarqube_tag_set_tags (tag_set_id, tag_id)
  select id, unnest(tag_ids) from new_set
)
select id from new_set
union all
select s.id from sonarqube_tag_sets s join ids on s.tag_ids = ids.tag_ids`;
