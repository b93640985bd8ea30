/** The merge against a real PostgreSQL: what it writes, and what it leaves alone. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../db/database.ts';
import { testDatabase } from '../db/database.testing.ts';
import { MIGRATIONS_FOR_TESTS } from './schema.testing.ts';
import { migrate } from '../db/migrations.ts';
import { defineStream, json, reference, required, tagSet, text, timestamp } from '../protocol/stream.ts';
import type { AnyStream } from './ddl.ts';
import { ensureTables } from './schema.ts';
import { Writer, type Write } from './write.ts';

interface Project {
  key: string;
  name?: string | undefined;
}

interface Item {
  key: string;
  project: string;
  state?: string | undefined;
  note?: string | undefined;
  tags?: readonly string[];
  range?: unknown;
  changed?: string;
}

const projects = defineStream<Project>({
  name: 'projects',
  table: 'sonarqube_projects',
  description: 'Projects.',
  endpoint: 'projects/search',
  key: ['connection_id', 'source_key'],
  columns: { source_key: required(text('Key.', (p) => p.key)), name: text('Name.', (p) => p.name) },
});

const items = defineStream<Item>({
  name: 'issues',
  table: 'sonarqube_issues',
  description: 'Items.',
  endpoint: 'issues/search',
  key: ['connection_id', 'source_key'],
  columns: {
    source_key: required(text('Key.', (i) => i.key)),
    project_id: reference('projects', 'Project.', (i) => i.project),
    state: text('State.', (i) => i.state),
    note: text('Note.', (i) => i.note),
    range: json('Range.', (i) => i.range),
    tag_set_id: tagSet('Tags.', (i) => i.tags ?? []),
    updated_at: timestamp('Changed.', (i) => i.changed ?? '2026-01-01T00:00:00+0000'),
    impact_maintainability: text('x', () => null),
    impact_reliability: text('x', () => null),
    impact_security: text('x', () => null),
  },
  events: ['state'],
});

const STREAMS: readonly AnyStream[] = [projects, items];
let database: Database;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database, MIGRATIONS_FOR_TESTS);
  await ensureTables(database, STREAMS);
  await writer().write([page('projects', [{ key: 'p' }])]);
});
afterAll(() => database.close());

let clock = Date.UTC(2026, 0, 1);
const writer = (): Writer => new Writer(database, 1, STREAMS);
const page = (stream: string, records: readonly unknown[], observedAt = new Date((clock += 1000))) =>
  writer().prepared({ type: 'page', page: { stream, records, observedAt } });
const write = async (...records: Item[]) => (await writer().write([page('issues', records)])).counts.get('issues');
const stored = async (key: string) =>
  (await database.query('select * from sonarqube_issues where source_key = $1', [key])).rows[0];

describe('merge', () => {
  test('adds, changes, and leaves what is the same alone', async () => {
    expect(await write({ key: 'a', project: 'p', state: 'OPEN' }, { key: 'b', project: 'p' })).toEqual({
      seen: 2,
      added: 2,
      changed: 0,
    });
    expect(await write({ key: 'a', project: 'p', state: 'CLOSED' }, { key: 'b', project: 'p' })).toEqual({
      seen: 2,
      added: 0,
      changed: 1,
    });
    const before = await stored('b');
    expect(await write({ key: 'b', project: 'p' })).toEqual({ seen: 1, added: 0, changed: 0 });
    expect(await stored('b')).toEqual(before);
  });

  test('unchanged rows leave no dead rows and take no ids', async () => {
    const many = Array.from({ length: 500 }, (_, n) => ({ key: `same${n}`, project: 'p', tags: ['x', 'y'] }));
    await write(...many);
    const next = async () =>
      (await database.query<{ n: number }>(`select last_value as n from sonarqube_issues_id_seq`)).rows[0]?.n;
    const versions = async () =>
      (await database.query(`select count(*) as n, max(xmin::text::bigint) as x from sonarqube_issues`)).rows[0];
    const [idsBefore, versionsBefore] = [await next(), await versions()];
    expect(await write(...many)).toEqual({ seen: 500, added: 0, changed: 0 });
    expect([await next(), await versions()]).toEqual([idsBefore, versionsBefore]);
  });

  test('of equal keys in a batch the last wins', async () => {
    await write({ key: 'twice', project: 'p', note: 'first' }, { key: 'twice', project: 'p', note: 'last' });
    expect(await stored('twice')).toMatchObject({ note: 'last' });
  });

  test('of two readings in a batch the later one wins, wherever its rows come to lie', async () => {
    const [early, late] = ['OLD', 'NEW'].map((state) => page('issues', [{ key: 'read twice', project: 'p', state }]));
    await writer().write([late!, early!]);
    expect(await stored('read twice')).toMatchObject({ state: 'NEW' });
  });

  test('an older observation never overwrites a newer one', async () => {
    await write({ key: 'old', project: 'p', state: 'NEW' });
    const late = page('issues', [{ key: 'old', project: 'p', state: 'STALE' }], new Date(clock - 60_000));
    expect((await writer().write([late])).counts.get('issues')).toEqual({ seen: 1, added: 0, changed: 0 });
    expect(await stored('old')).toMatchObject({ state: 'NEW' });
  });

  test('a row that comes back is no longer marked', async () => {
    await write({ key: 'back', project: 'p' });
    await database.query(
      `update sonarqube_issues set deleted_at = synced_at, gone_reason = 'vanished' where source_key = 'back'`,
    );
    expect(await write({ key: 'back', project: 'p' })).toEqual({ seen: 1, added: 0, changed: 1 });
    expect(await stored('back')).toMatchObject({ deleted_at: null, gone_reason: null });
  });

  test('an observed change is an event, a first sight is none', async () => {
    await write({ key: 'event', project: 'p', state: 'OPEN' });
    await write({ key: 'event', project: 'p', state: 'FIXED', changed: '2026-03-04T05:06:07+0000' });
    const { rows } = await database.query(
      `select e.field, e.old_value, e.new_value, e.occurred_at from sonarqube_issue_events e join sonarqube_issues i on i.id = e.issue_id where i.source_key = 'event'`,
    );
    expect(rows).toEqual([
      { field: 'state', old_value: 'OPEN', new_value: 'FIXED', occurred_at: '2026-03-04T05:06:07.000Z' },
    ]);
  });

  test('a record without its key fails, and nothing of its batch stays', async () => {
    const broken = [
      { key: 'whole', project: 'p' },
      { key: undefined as unknown as string, project: 'p' },
    ];
    await expect(write(...broken)).rejects.toMatchObject({ code: 'internal_server_error', message: /source_key/ });
    expect(await stored('whole')).toBeUndefined();
  });

  test('any text survives, NUL as U+FFFD; tags are a set', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.array(
          fc.string({ minLength: 1, unit: 'grapheme' }).filter((tag) => !tag.includes('\0')),
          { maxLength: 4 },
        ),
        async (note, tags) => {
          await write({ key: 'any', project: 'p', note, tags, range: { note } });
          const clean = note.replaceAll('\0', '\uFFFD');
          expect(await stored('any')).toMatchObject({ note: clean, range: { note: clean } });
          const { rows } = await database.query<{ name: string }>(
            `select t.name from sonarqube_issue_tags it join sonarqube_tags t on t.id = it.tag_id
               join sonarqube_issues i on i.id = it.issue_id where i.source_key = 'any'`,
          );
          expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(tags));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('rows of a project that was never stored', () => {
  const first = async (project: string, ...records: Item[]) => {
    const own = writer();
    await own.write([page('projects', [{ key: project }])]);
    return { own, counts: (await own.write([page('issues', records)])).counts.get('issues') };
  };

  test('are copied straight into the table, and merged from the end of their pass on', async () => {
    const { own, counts } = await first('new-1', { key: 'n1', project: 'new-1', note: 'a\tb\\c' });
    expect(counts).toEqual({ seen: 1, added: 1, changed: 0 });
    expect(await stored('n1')).toMatchObject({ note: 'a\tb\\c', connection_id: 1 });
    const more = await own.write([page('issues', [{ key: 'n2', project: 'new-1' }])]);
    expect(more.counts.get('issues')).toEqual({ seen: 1, added: 1, changed: 0 });
    const again = await own.write([page('issues', [{ key: 'n2', project: 'new-1', note: 'changed' }])]);
    expect(again.counts.get('issues')).toEqual({ seen: 1, added: 0, changed: 1 });
  });

  test('that come twice in a batch, or moved there from another project, are merged instead', async () => {
    await write({ key: 'moved', project: 'p', note: 'before' });
    const { counts } = await first(
      'new-2',
      { key: 'alone', project: 'new-2' },
      { key: 'double', project: 'new-2', note: 'first' },
      { key: 'double', project: 'new-2', note: 'last' },
      { key: 'moved', project: 'new-2', note: 'after' },
    );
    expect(counts).toEqual({ seen: 3, added: 2, changed: 1 });
    expect(await stored('double')).toMatchObject({ note: 'last' });
    expect(await stored('moved')).toMatchObject({ note: 'after' });
  });

  test('and those of known ones in one batch are counted together', async () => {
    await write({ key: 'known', project: 'p', note: 'before' });
    const { counts } = await first(
      'new-3',
      { key: 'known', project: 'p', note: 'after' },
      { key: 'fresh', project: 'new-3' },
    );
    expect(counts).toEqual({ seen: 2, added: 1, changed: 1 });
  });
});

describe('a row whose project was deleted meanwhile is refused', () => {
  const GONE = /was deleted from the database while they were written/;

  test.each([
    ['that the writer never met', [], /is not stored/],
    ['whose rows are copied', ['own'], GONE],
    ['whose rows are merged', ['other', 'own'], GONE],
  ] as const)('of a project %s', async (name, before, said) => {
    const own = writer();
    await own.write([page('projects', [{ key: name }])]);
    const row = (key: string) => page('issues', [{ key: `${name} ${key}`, project: name }]);
    for (const who of before) await (who === 'own' ? own : writer()).write([row(who)]);
    await database.query('delete from sonarqube_issues where source_key like $1', [`${name}%`]);
    await database.query('delete from sonarqube_projects where source_key = $1', [name]);
    await expect(own.write([row('late')])).rejects.toThrow(said);
    expect(await stored(`${name} late`)).toBeUndefined();
  });
});

describe('two writers that add the same row', () => {
  /** Waits until a session of this database waits for another one. */
  const someoneWaits = async () => {
    const waits = async () =>
      (
        await database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
      ).rows.length > 0;
    while (!(await waits())) await new Promise((resolve) => setImmediate(resolve));
  };

  test.each([
    ['later', 'second'],
    ['earlier', 'first'],
  ])('the second read %s than the first: the %s wins, and nothing fails', async (when, winner) => {
    const key = `met ${when}`;
    const [early, late] = [new Date((clock += 1000)), new Date((clock += 1000))];
    const gate = Promise.withResolvers<undefined>();
    const held = Promise.withResolvers<undefined>();
    const slow = new Writer(database, 1, STREAMS, () => new Date(), {
      enter: () => Promise.resolve(),
      leave: async () => {
        held.resolve(undefined);
        await gate.promise;
      },
    });
    const row = (note: string): Item => ({ key, project: 'p', note });
    await write({ key: `${key} before`, project: 'p' }); // a known project: its rows are merged
    const first = slow.write([page('issues', [row('first')], when === 'later' ? early : late)]);
    await held.promise;
    const second = writer().write([page('issues', [row('second')], when === 'later' ? late : early)]);
    await someoneWaits();
    gate.resolve(undefined);
    await Promise.all([first, second]);
    expect(await stored(key)).toMatchObject({ note: winner });
  });
});

describe('a page that comes while a transaction makes what it refers to', () => {
  const tagsOf = async (key: string) =>
    (
      await database.query<{ name: string }>(
        `select t.name from sonarqube_issues i join sonarqube_tag_set_tags m using (tag_set_id)
           join sonarqube_tags t on t.id = m.tag_id where i.source_key = $1 order by t.name`,
        [key],
      )
    ).rows.map(({ name }) => name);
  const said = (key: string, tags: readonly string[]) => {
    const records: Item[] = [{ key, project: 'p', tags }];
    return { type: 'page', page: { stream: 'issues', records, observedAt: new Date((clock += 1000)) } } as const;
  };

  test.each(['committed', 'rolled back'])('and is %s', async (end) => {
    const tags = ['made', `then ${end}`]; // nobody else makes these
    let early: Write | undefined;
    const own: Writer = new Writer(database, 1, STREAMS, () => new Date(), {
      enter: () => Promise.resolve(),
      leave: () => {
        const isFirst = early === undefined;
        early ??= own.prepared(said(`${end} early`, tags));
        return isFirst && end === 'rolled back' ? Promise.reject(new Error('lost')) : Promise.resolve();
      },
    });
    const first = own.write([own.prepared(said(`${end} first`, tags))]);
    if (end === 'committed') await first;
    else await expect(first).rejects.toThrow('lost');
    if (!early) throw new Error('nothing was prepared');
    await own.write([early, own.prepared(said(`${end} late`, tags))]);
    expect(await tagsOf(`${end} early`)).toEqual(tags);
    expect(await tagsOf(`${end} late`)).toEqual(tags);
    expect(await tagsOf(`${end} first`)).toEqual(end === 'committed' ? tags : []);
  });

  test('what is foreseen leaves no gap', async () => {
    const own = writer();
    const gaps = () => {
      const write = own.prepared(said('foreseen', ['x']));
      return write.type === 'page' ? write.page.gaps.map(({ wanted }) => wanted) : null;
    };
    expect(gaps()).toEqual([{ stream: 'projects', key: 'p' }, { tags: ['x'] }]);
    await own.foresee(['p', 'nowhere']);
    expect(gaps()).toEqual([{ tags: ['x'] }]);
  });
});
