/** Rows as PostgreSQL's COPY text format. Pure. */
import type { Column } from '../protocol/stream.ts';
import type { Page } from '../protocol/sync.ts';
import { recordColumns, type AnyStream } from './ddl.ts';

/** Resolves what a row refers to, see `references.ts`. */
export interface Lookup {
  /** Row id of a source key of a stream, or undefined when it is not stored. */
  id(stream: string, sourceKey: string): number | undefined;
  /** Id of a set of tags, or undefined when it is not stored. */
  tagSet(tags: readonly string[]): number | undefined;
}

/** Rows of one project within an encoded page: bytes `from` (inclusive) to `to` (exclusive) of its text. */
export interface Part {
  /** The project's source key; null for rows that belong to none. */
  readonly project: string | null;
  readonly rows: number;
  readonly from: number;
  readonly to: number;
}

/** What rows refer to: the row of a stream with this source key, or the set of these tags. */
export type Reference = { readonly stream: string; readonly key: string } | { readonly tags: readonly string[] };

/** What the lookup did not know, and the bytes of the text, ascending, before which its id is missing. */
export interface Gap {
  readonly wanted: Reference;
  readonly at: readonly number[];
}

/**
 * A page as COPY text: connection, time of the answer, then the record's columns. As bytes and not as objects or strings:
 * they wait for the database, and what waits on the heap makes the collector copy it.
 */
export interface EncodedPage {
  readonly stream: string;
  readonly rows: number;
  readonly text: Buffer;
  readonly parts: readonly Part[];
  /** By stream: ids of the rows that these refer to. */
  readonly refers: ReadonlyMap<string, ReadonlySet<number>>;
  /** `filled` fills them in. */
  readonly gaps: readonly Gap[];
}

const SPECIAL = /[\\\n\r\t\0]/;
const EVERY_SPECIAL = /[\\\n\r\t\0]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const TAB = 0x09;
const LINE_END = 0x0a;
const TRUE = 't'.charCodeAt(0);
const FALSE = 'f'.charCodeAt(0);
const BACKSLASH = 0x5c;
const N = 'N'.charCodeAt(0);

/** A text in COPY text; NUL, which PostgreSQL cannot store, becomes U+FFFD. */
function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replaceAll(EVERY_SPECIAL, (one) => ESCAPES[one] ?? '\uFFFD') : text;
}

/** jsonb refuses an escaped NUL as much as text refuses a real one. */
function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\u0000') ? text.replaceAll('\\u0000', '\\ufffd') : text;
}

/** Thrown when a record lacks what its table needs. */
export class UnreadableRecord extends Error {}

/** Up to so many characters a text is written here, one by one; beyond, calling into Node for it is quicker. */
const SHORT = 48;

/** What a page of usual size takes; a larger one does not keep its memory. */
const USUAL = 4 * 1024 * 1024;

/** Bytes being written. Grows as needed and is used again, so that a page leaves nothing for the collector but itself. */
class Bytes {
  #buffer = Buffer.allocUnsafeSlow(256 * 1024);
  used = 0;

  /** A copy of what was written, of exactly its size. */
  taken(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.used);
    this.#buffer.copy(copy, 0, 0, this.used);
    if (this.#buffer.length > USUAL) this.#buffer = Buffer.allocUnsafeSlow(USUAL);
    return copy;
  }

  byte(value: number): void {
    if (this.used === this.#buffer.length) this.#grow(1);
    this.#buffer[this.used++] = value;
  }

  /** What stands for nothing. */
  nothing(): void {
    this.byte(BACKSLASH);
    this.byte(N);
  }

  /** A text that is COPY text already. */
  raw(text: string): void {
    // no character takes more than three bytes
    if (this.used + text.length * 3 > this.#buffer.length) this.#grow(text.length * 3);
    this.used += this.#buffer.write(text, this.used);
  }

  /** Any text. */
  text(text: string): void {
    const { length } = text;
    if (length > SHORT) {
      this.raw(escaped(text));
      return;
    }
    if (this.used + length > this.#buffer.length) this.#grow(length);
    const buffer = this.#buffer;
    let at = this.used;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      // a backslash, a control character or one of several bytes
      if (code < 0x20 || code > 0x7e || code === BACKSLASH) {
        this.raw(escaped(text));
        return;
      }
      buffer[at++] = code;
    }
    this.used = at;
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.used + by));
    this.#buffer.copy(larger, 0, 0, this.used);
    this.#buffer = larger;
  }
}

/** One for all: a page is encoded in one go. */
const bytes = new Bytes();

/** Writes one column of a record, in COPY text. */
type Cell = (record: unknown) => void;

/** What a page refers to, as it comes to be known while the page is encoded. */
class Referred {
  readonly refers = new Map<string, Set<number>>();
  readonly #gaps = new Map<string, { wanted: Reference; at: number[] }>();

  get gaps(): readonly Gap[] {
    return [...this.#gaps.values()];
  }

  /** The id is missing where the next byte will be written; what is wanted under one name is the same. */
  miss(name: string, wanted: Reference): void {
    const gap = this.#gaps.get(name);
    if (gap) gap.at.push(bytes.used);
    else this.#gaps.set(name, { wanted, at: [bytes.used] });
  }

  note(stream: string, id: number): void {
    const own = this.refers.get(stream);
    if (own) own.add(id);
    else this.refers.set(stream, new Set([id]));
  }
}

/** Encodes the pages of one stream for one connection. */
export class Encoder {
  readonly #stream: AnyStream;
  readonly #connectionId: number;
  readonly #lookup: Lookup;
  readonly #columns: readonly (readonly [string, Column])[];
  readonly #project: Column | undefined;

  constructor(stream: AnyStream, connectionId: number, lookup: Lookup) {
    this.#stream = stream;
    this.#connectionId = connectionId;
    this.#lookup = lookup;
    this.#columns = recordColumns(stream);
    this.#project = this.#columns.find(([, { references }]) => references === 'projects')?.[1];
  }

  /**
   * Encodes a page; rows of one project stand together, in the order of the page. What the lookup does not know leaves a gap.
   * @throws UnreadableRecord when a record lacks a column that must be there
   */
  encode({ records, observedAt }: Page): EncodedPage {
    const referred = new Referred();
    const cells = this.#columns.map(([name, column]) => cellOf(name, column, this.#writerOf(column, referred)));
    const connection = String(this.#connectionId);
    const observed = observedAt.toISOString();
    const parts: Part[] = [];
    bytes.used = 0;
    for (const [project, own] of this.#byProject(records)) {
      const from = bytes.used;
      for (const record of own) {
        bytes.text(connection);
        bytes.byte(TAB);
        bytes.text(observed);
        for (const cell of cells) {
          bytes.byte(TAB);
          cell(record);
        }
        bytes.byte(LINE_END);
      }
      parts.push({ project, rows: own.length, from, to: bytes.used });
    }
    const { refers, gaps } = referred;
    return { stream: this.#stream.name, rows: records.length, text: bytes.taken(), parts, refers, gaps };
  }

  #byProject(records: readonly unknown[]): ReadonlyMap<string | null, readonly unknown[]> {
    const project = this.#project;
    if (!project) return new Map(records.length === 0 ? [] : [[null, records]]);
    return Map.groupBy(records, (record) => project.value(record as never) as string);
  }

  /** Writes a value of a column that is there. */
  #writerOf({ references, type }: Column, referred: Referred): (value: unknown) => void {
    if (references !== undefined) return this.#referenceWriter(references, referred);
    switch (type) {
      case 'tag_set':
        return (value) => {
          const tags = value as readonly string[];
          const id = this.#lookup.tagSet(tags);
          if (id === undefined) referred.miss(JSON.stringify(tags), { tags });
          else bytes.text(String(id));
        };
      case 'jsonb':
        return (value) => bytes.text(jsonText(value));
      default:
        return (value) => {
          if (typeof value === 'string') bytes.text(value);
          else if (typeof value === 'boolean') bytes.byte(value ? TRUE : FALSE);
          else bytes.text(value instanceof Date ? value.toISOString() : JSON.stringify(value));
        };
    }
  }

  /** Rows that refer to the same row mostly follow each other. */
  #referenceWriter(stream: string, referred: Referred): (value: unknown) => void {
    let last: string | undefined;
    let text: string | undefined;
    return (value) => {
      const key = value as string;
      if (key !== last) {
        const id = this.#lookup.id(stream, key);
        if (id !== undefined) referred.note(stream, id);
        last = key;
        text = id === undefined ? undefined : String(id);
      }
      if (text === undefined) referred.miss(`${stream} ${key}`, { stream, key });
      else bytes.text(text);
    };
  }
}

function cellOf(name: string, column: Column, write: (value: unknown) => void): Cell {
  const value = column.value as (record: unknown) => unknown;
  const { nullable } = column;
  return (record) => {
    const found = value(record);
    if (found !== undefined && found !== null) write(found);
    else if (nullable) bytes.nothing();
    else throw new UnreadableRecord(`a record has no ${name}`);
  };
}

/**
 * The page with its gaps filled in.
 * @throws UnreadableRecord when the lookup does not know what it refers to
 */
export function filled(page: EncodedPage, lookup: Lookup): EncodedPage {
  if (page.gaps.length === 0) return page;
  const refers = new Map([...page.refers].map(([stream, ids]) => [stream, new Set(ids)]));
  const ids: { readonly at: number; readonly id: Buffer }[] = [];
  for (const { wanted, at } of page.gaps) {
    const id = 'tags' in wanted ? lookup.tagSet(wanted.tags) : lookup.id(wanted.stream, wanted.key);
    if (id === undefined) throw new UnreadableRecord(`${described(wanted)} is not stored`);
    if ('stream' in wanted) refers.set(wanted.stream, (refers.get(wanted.stream) ?? new Set()).add(id));
    const digits = Buffer.from(String(id));
    for (const one of at) ids.push({ at: one, id: digits });
  }
  ids.sort((a, b) => a.at - b.at);

  const text = Buffer.allocUnsafeSlow(page.text.length + ids.reduce((sum, { id }) => sum + id.length, 0));
  let [read, written, next] = [0, 0, 0];
  /** Takes over the text up to a byte; where that byte is now. */
  const upTo = (end: number): number => {
    for (; ; next += 1) {
      const gap = ids[next];
      const isDue = gap !== undefined && gap.at < end;
      const to = isDue ? gap.at : end;
      written += page.text.copy(text, written, read, to);
      read = to;
      if (!isDue) return written;
      written += gap.id.copy(text, written);
    }
  };
  const parts = page.parts.map((part) => ({ ...part, from: written, to: upTo(part.to) }));
  return { ...page, text, parts, refers, gaps: [] };
}

const described = (wanted: Reference): string =>
  'tags' in wanted ? `the set of the tags ${wanted.tags.join(', ')}` : `${wanted.key} of ${wanted.stream}`;

/** The bytes of the parts that are wanted; parts that follow each other go as one piece. */
export function* textOf(page: EncodedPage, wanted: (part: Part) => boolean): Generator<Buffer> {
  let from = 0;
  let to = 0;
  for (const part of page.parts) {
    if (!wanted(part)) continue;
    if (part.from !== to) {
      if (to > from) yield page.text.subarray(from, to);
      ({ from } = part);
    }
    ({ to } = part);
  }
  if (to > from) yield page.text.subarray(from, to);
}
