/** Rows as PostgreSQL's COPY text format. Pure. */
import type { Column } from '../protocol/stream.ts';

/** Resolves what a row refers to; filled before a page is encoded, see `references.ts`. */
export interface Lookup {
  /** Row id of a source key of a stream, or undefined when it is not stored. */
  id(stream: string, sourceKey: string): number | undefined;
  /** Id of a set of tags. */
  tagSet(tags: readonly string[]): number | undefined;
}

const SPECIAL = /[\\\n\r\t\0]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One value in COPY text; NUL, which PostgreSQL cannot store in text, becomes U+FFFD. */
export function field(value: unknown): string {
  if (value === undefined || value === null) return '\\N';
  if (typeof value === 'string') return SPECIAL.test(value) ? value.replaceAll(SPECIAL, escape) : value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value instanceof Date) return value.toISOString();
  return JSON.stringify(value);
}

const escape = (character: string): string => ESCAPES[character] ?? '\uFFFD';

/** jsonb refuses an escaped NUL as much as text refuses a real one. */
const jsonText = (value: unknown): string => JSON.stringify(value).replaceAll('\\u0000', '\\ufffd');

/** Thrown when a record lacks what its table needs; `sync` turns it into a failed slice. */
export class UnreadableRecord extends Error {}

/** Memory for COPY text is taken in pieces of this size. */
const CHUNK = 64 * 1024;

/**
 * COPY text of records: in front of each line `first`, or its number, and when it was observed, then the record's columns.
 * As bytes and not as strings: they wait for the socket, and what waits on the heap makes the collector copy it.
 */
export function* copyText(
  columns: readonly (readonly [string, Column])[],
  pages: readonly { readonly records: readonly unknown[]; readonly observedAt: Date }[],
  lookup: Lookup,
  first?: number,
): Generator<Buffer> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK);
  let used = 0;
  let number = 0;
  for (const { records, observedAt } of pages) {
    const observed = observedAt.toISOString();
    for (const record of records) {
      const text = line(columns, record, first ?? number, observed, lookup);
      number += 1;
      // no character takes more than three bytes
      if (used + text.length * 3 > chunk.length) {
        if (used > 0) yield chunk.subarray(0, used);
        chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK, text.length * 3));
        used = 0;
      }
      used += chunk.write(text, used);
    }
  }
  if (used > 0) yield chunk.subarray(0, used);
}

/** One line of COPY text. */
function line(
  columns: readonly (readonly [string, Column])[],
  record: unknown,
  first: number,
  observedAt: string,
  lookup: Lookup,
): string {
  let text = `${first}\t${observedAt}`;
  for (const [name, column] of columns) {
    const value = cell(column, column.value(record as never), lookup);
    if (!column.nullable && (value === undefined || value === null)) {
      throw new UnreadableRecord(`a record has no ${name}`);
    }
    text += `\t${field(value)}`;
  }
  return `${text}\n`;
}

function cell(column: Column, value: unknown, lookup: Lookup): unknown {
  if (value === undefined || value === null) return null;
  if (column.references !== undefined) return lookup.id(column.references, value as string);
  if (column.type === 'tag_set') return lookup.tagSet(value as readonly string[]);
  return column.type === 'jsonb' ? jsonText(value) : value;
}
