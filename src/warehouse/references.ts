/** Source keys → row ids, and tags → tag sets: what a row refers to, looked up once and remembered for the run. */
import type pg from 'pg';
import type { Lookup, Reference } from './copy.ts';
import type { Database } from '../db/database.ts';
import { lockInTransaction } from '../db/locks.ts';
import type { Column } from '../protocol/stream.ts';
import type { AnyStream } from './ddl.ts';

/** Tags that name the same set have the same key, whatever their order. */
function tagKey(tags: readonly string[]): string {
  // nearly every issue: asked twice for each of them
  if (tags.length < 2) return tags[0] ?? '';
  return [...new Set(tags)].sort().join('\u0001');
}

/** Ids by stream and source key, and by tags. */
class Known implements Lookup {
  readonly ids = new Map<string, Map<string, number>>();
  readonly tagSets = new Map<string, number>();

  id(stream: string, sourceKey: string): number | undefined {
    return this.ids.get(stream)?.get(sourceKey);
  }

  tagSet(tags: readonly string[]): number | undefined {
    return this.tagSets.get(tagKey(tags));
  }

  setId(stream: string, sourceKey: string, id: number): void {
    const own = this.ids.get(stream);
    if (own) own.set(sourceKey, id);
    else this.ids.set(stream, new Map([[sourceKey, id]]));
  }

  clear(): void {
    this.ids.clear();
    this.tagSets.clear();
  }
}

/**
 * Remembers ids per connection; a sync of 50,000 projects and 200 metrics keeps some 5 MB. As a `Lookup` it is that of the
 * transaction under way, which sees what it made itself.
 */
export class References implements Lookup {
  readonly #connectionId: number;
  readonly #tables: ReadonlyMap<string, string>;
  readonly #committed = new Known();
  /** What the transaction under way looked up or made: gone with it when it is rolled back. */
  readonly #open = new Known();

  constructor(connectionId: number, streams: readonly AnyStream[]) {
    this.#connectionId = connectionId;
    this.#tables = new Map(streams.map((stream) => [stream.name, stream.table]));
  }

  /** Knows only what is committed: good for rows at any time, whatever becomes of the transaction under way. */
  get committed(): Lookup {
    return this.#committed;
  }

  /** The transaction that looked things up has been committed. */
  commit(): void {
    for (const [stream, own] of this.#open.ids) for (const [key, id] of own) this.#committed.setId(stream, key, id);
    for (const [key, id] of this.#open.tagSets) this.#committed.tagSets.set(key, id);
    this.#open.clear();
  }

  id(stream: string, sourceKey: string): number | undefined {
    return this.#committed.id(stream, sourceKey) ?? this.#open.id(stream, sourceKey);
  }

  tagSet(tags: readonly string[]): number | undefined {
    return this.#committed.tagSet(tags) ?? this.#open.tagSet(tags);
  }

  /**
   * Looks up, outside of any transaction, what rows of these projects will refer to: then they are encoded as they come. Of
   * the other streams that are referred to every row is: there are some hundred metrics.
   */
  async foresee(database: Database, projects: readonly string[], streams: Iterable<AnyStream>): Promise<void> {
    const referred = new Set<string>();
    for (const { columns } of streams) {
      for (const { references } of Object.values<Column>(columns))
        if (references !== undefined) referred.add(references);
    }
    for (const stream of referred) {
      const isProject = stream === 'projects';
      if (!isProject && this.#committed.ids.has(stream)) continue;
      const missing = projects.filter((key) => this.#committed.id(stream, key) === undefined);
      if (isProject && missing.length === 0) continue;
      const { rows } = await database.query<IdRow>(
        `select id, source_key from ${this.#tables.get(stream) ?? ''}
          where connection_id = $1 and ($2::text[] is null or source_key = any($2))`,
        [this.#connectionId, isProject ? missing : null],
      );
      for (const { id, source_key } of rows) this.#committed.setId(stream, source_key, id);
    }
  }

  /** Looks up what is wanted and not known yet, and makes sets of tags that are not there; rows that are not stay unknown. */
  async load(client: pg.ClientBase, wanted: Iterable<Reference>): Promise<void> {
    const keys = new Map<string, Set<string>>();
    const tagSets: (readonly string[])[] = [];
    for (const one of wanted) {
      if ('tags' in one) tagSets.push(one.tags);
      else {
        const own = keys.get(one.stream);
        if (own) own.add(one.key);
        else keys.set(one.stream, new Set([one.key]));
      }
    }
    for (const [stream, own] of keys) await this.loadIds(client, stream, own);
    await this.#loadTagSets(client, tagSets);
  }

  async loadIds(client: pg.ClientBase, stream: string, keys: Iterable<string>): Promise<void> {
    const missing = [...new Set(keys)].filter((key) => this.id(stream, key) === undefined);
    if (missing.length === 0) return;
    const { rows } = await client.query<IdRow>(
      `select id, source_key from ${this.#tables.get(stream) ?? ''} where connection_id = $1 and source_key = any($2)`,
      [this.#connectionId, missing],
    );
    for (const { id, source_key } of rows) this.#open.setId(stream, source_key, id);
  }

  async #loadTagSets(client: pg.ClientBase, sets: readonly (readonly string[])[]): Promise<void> {
    const missing = new Map<string, string[]>();
    for (const tags of sets) {
      if (this.tagSet(tags) === undefined) missing.set(tagKey(tags), [...new Set(tags)].sort());
    }
    if (missing.size === 0) return;
    const keys = [...missing.keys()];
    const { rows: known } = await client.query<{ n: number; id: number }>(KNOWN_TAG_SETS, [
      keys.map((key) => JSON.stringify(missing.get(key))),
    ]);
    for (const { n, id } of known) {
      const key = keys[n - 1] ?? '';
      this.#open.tagSets.set(key, id);
      missing.delete(key);
    }
    // one writer at a time makes new sets: two would each miss the other's tags
    if (missing.size > 0) await lockInTransaction(client, 'soundings.tags');
    for (const [key, tags] of missing) {
      const { rows } = await client.query<{ id: number }>(TAG_SET, [tags]);
      if (rows[0]) this.#open.tagSets.set(key, rows[0].id);
    }
  }

  /** Forgets rows whose source key changed. */
  forget(stream: string, sourceKeys: readonly string[]): void {
    for (const { ids } of [this.#committed, this.#open]) for (const key of sourceKeys) ids.get(stream)?.delete(key);
  }

  /** Forgets everything: the transaction was rolled back, and what it met may be gone. */
  rollback(): void {
    this.#committed.clear();
    this.#open.clear();
  }
}

interface IdRow {
  readonly id: number;
  readonly source_key: string;
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
