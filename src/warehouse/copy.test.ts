import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boolean,
  defineStream,
  double,
  integer,
  json,
  reference,
  required,
  tagSet,
  text,
  timestamp,
} from '../protocol/stream.ts';
import { Encoder, filled, textOf, UnreadableRecord, type Lookup } from './copy.ts';

interface Thing {
  key?: string | undefined;
  project: string;
  note?: string | null | undefined;
  line?: number | undefined;
  share?: number | undefined;
  fine?: boolean | undefined;
  range?: unknown;
  tags?: readonly string[];
  at?: string | Date | undefined;
}

const things = defineStream<Thing>({
  name: 'things',
  table: 'things',
  description: 'Things.',
  endpoint: 'issues/search',
  key: ['connection_id', 'source_key'],
  columns: {
    source_key: required(text('Key.', (t) => t.key)),
    project_id: reference('projects', 'Project.', (t) => t.project),
    note: text('Note.', (t) => t.note),
    line: integer('Line.', (t) => t.line),
    share: double('Share.', (t) => t.share),
    fine: boolean('Fine?', (t) => t.fine),
    range: json('Range.', (t) => t.range),
    tags: tagSet('Tags.', (t) => t.tags),
    at: timestamp('When.', (t) => t.at),
  },
});

const IDS = new Map([
  ['a', 1],
  ['b', 22],
  ['c', 333],
]);
const lookup: Lookup = {
  id: (stream, key) => (stream === 'projects' ? IDS.get(key) : undefined),
  tagSet: (tags) => (tags.includes('unknown') ? undefined : tags.length + 7),
};
/** Knows what the other does, but for some of it. */
const knowing = (isKnown: (name: string) => boolean): Lookup => ({
  id: (stream, key) => (isKnown(key) ? lookup.id(stream, key) : undefined),
  tagSet: (tags) => (isKnown(tags.join()) ? lookup.tagSet(tags) : undefined),
});
const observedAt = new Date('2026-01-02T03:04:05.678Z');
const encode = (records: readonly Thing[], known = lookup) =>
  new Encoder(things, 5, known).encode({ stream: 'things', records, observedAt });

/** COPY text read back as PostgreSQL's documentation says it is read. */
function decode(bytes: Buffer): (string | null)[][] {
  const lines = bytes.toString().split('\n');
  expect(lines.pop()).toBe('');
  const plain: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return lines.map((line) =>
    line
      .split('\t')
      .map((cell) => (cell === '\\N' ? null : cell.replaceAll(/\\(.)/gs, (_, one: string) => plain[one] ?? one))),
  );
}

const thing = fc.record<Thing>(
  {
    key: fc.string({ unit: 'binary', maxLength: 80 }),
    project: fc.constantFrom('a', 'b', 'c'),
    note: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({
        unit: fc.constantFrom('\\', '\n', '\t', '\r', '\0', 'x', 'é', '𝄞', '\u007f', '\ud800'),
        maxLength: 70,
      }),
      fc.constant(null),
    ),
    line: fc.integer(),
    share: fc.double({ noNaN: true, noDefaultInfinity: true }),
    fine: fc.boolean(),
    range: fc.record({ from: fc.integer(), said: fc.string({ unit: 'binary', maxLength: 20 }) }),
    tags: fc.array(fc.string(), { maxLength: 3 }),
    at: fc.constantFrom<(string | Date)[]>('2026-01-01T00:00:00+0200', new Date(0)),
  },
  { requiredKeys: ['key', 'project'] },
);

/** What PostgreSQL cannot store becomes U+FFFD, as does half of a pair. */
const storable = (value: string): string => value.toWellFormed().replaceAll('\0', '\uFFFD');

describe('rows as COPY text', () => {
  test('read back they are what they were, one project after the other', () => {
    fc.assert(
      fc.property(fc.array(thing, { maxLength: 12 }), (records) => {
        const page = encode(records);
        const grouped = [...Map.groupBy(records, ({ project }) => project).values()].flat();
        const rows = decode(page.text);
        expect(rows.length).toBe(records.length);
        for (const [n, row] of rows.entries()) {
          const { key, project, note, line, share, fine, range, tags, at } = grouped[n] ?? { project: '' };
          const [connection, observed, ...rest] = row;
          expect([connection, observed]).toEqual(['5', observedAt.toISOString()]);
          expect(rest.slice(0, 6)).toEqual([
            storable(key ?? ''),
            String(IDS.get(project)),
            note == null ? null : storable(note),
            line === undefined ? null : String(line),
            share === undefined ? null : JSON.stringify(share),
            fine === undefined ? null : fine ? 't' : 'f',
          ]);
          const said = rest[6] == null ? undefined : (JSON.parse(rest[6]) as unknown);
          expect(said).toEqual(
            range === undefined ? undefined : JSON.parse(JSON.stringify(range).replaceAll('\\u0000', '\\ufffd')),
          );
          expect(rest[7]).toBe(tags === undefined ? null : String(tags.length + 7));
          expect(rest[8]).toBe(at === undefined ? null : at instanceof Date ? at.toISOString() : at);
        }
      }),
    );
  });

  test('parts divide the rows by project, and any choice of them is their text', () => {
    fc.assert(
      fc.property(fc.array(thing, { maxLength: 12 }), fc.subarray(['a', 'b', 'c']), (records, chosen) => {
        const page = encode(records);
        expect(page.rows).toBe(records.length);
        const counts = Map.groupBy(records, ({ project }) => project);
        expect(new Map(page.parts.map(({ project, rows }) => [project, rows]))).toEqual(
          new Map([...counts].map(([project, own]) => [project, own.length])),
        );
        const some = Buffer.concat([...textOf(page, ({ project }) => chosen.includes(project ?? ''))]);
        const wanted = [...counts].filter(([project]) => chosen.includes(project)).flatMap(([, own]) => own);
        expect(some.equals(encode(wanted).text)).toBe(true);
        expect([...(page.refers.get('projects') ?? [])]).toEqual([...counts.keys()].map((project) => IDS.get(project)));
      }),
    );
  });

  test('what is not known yet is filled in later, as if it had been known', () => {
    const few = thing.map((one) => ({ ...one, ...(one.tags && { tags: one.tags.map((tag) => tag.slice(0, 1)) }) }));
    fc.assert(
      fc.property(fc.array(few, { maxLength: 12 }), fc.func(fc.boolean()), (records, isKnown) => {
        const early = encode(records, knowing(isKnown));
        const page = filled(early, lookup);
        const { text, ...whole } = encode(records);
        expect(page).toMatchObject({ ...whole, refers: expect.anything() as unknown });
        expect(page.text.equals(text)).toBe(true);
        expect(page.refers.get('projects')).toEqual(whole.refers.get('projects'));
        expect(whole.gaps).toEqual([]);
        // the page itself stays as it was: what filled the gaps may be rolled back
        expect(filled(early, lookup)).toEqual(page);
      }),
    );
  });

  test('what is still not known then is named', () => {
    const nothing = knowing(() => false);
    expect(() => filled(encode([{ key: 'k', project: 'z' }]), lookup)).toThrow(
      new UnreadableRecord('z of projects is not stored'),
    );
    expect(() => filled(encode([{ key: 'k', project: 'a', tags: ['unknown', 'b'] }]), lookup)).toThrow(
      new UnreadableRecord('the set of the tags unknown, b is not stored'),
    );
    expect(encode([{ key: 'k', project: 'a' }], nothing).gaps).toEqual([
      { wanted: { stream: 'projects', key: 'a' }, at: [expect.any(Number)] },
    ]);
  });

  test('a page of any size', () => {
    const note = 'Ünïcödé, and quite long. '.repeat(4000);
    const records = Array.from({ length: 40 }, (_, n): Thing => ({ key: `k${n}`, project: 'a', note }));
    expect(decode(encode(records).text).map((row) => row[4])).toEqual(records.map(() => note));
  });

  test.each<[string, Thing, string]>([
    ['no key', { project: 'a' }, 'a record has no source_key'],
    ['no project', { key: 'k' } as Thing, 'a record has no project_id'],
  ])('%s is refused, and the next page is whole', (_, record, said) => {
    expect(() => encode([{ key: 'x', project: 'a' }, record])).toThrow(new UnreadableRecord(said));
    expect(decode(encode([{ key: 'y', project: 'b' }]).text).map((row) => row[2])).toEqual(['y']);
  });
});
