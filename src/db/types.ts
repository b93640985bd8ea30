/** How PostgreSQL's values become JavaScript's, decided once for every connection: what JSON can carry, losing nothing. */
import pg from 'pg';

export type Parse = (text: string) => unknown;

/** bigint: a number where a number is exact (±2^53 − 1), else the digits as text. */
const parseBigint: Parse = (text) => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
};

/** numeric has more digits than a double can hold; intervals have no JSON form: both stay as PostgreSQL writes them. */
const asText: Parse = (text) => text;

const MOMENT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(\+00)?$/;

/**
 * timestamptz as `2024-05-17T08:15:30.123Z`, timestamp the same without Z. Every connection runs in UTC, so the zone is
 * always +00; what does not look like that (infinity, BC, years beyond 9999) stays as it is.
 */
const parseMoment: Parse = (text) => {
  const match = MOMENT.exec(text);
  if (match === null) return text;
  const [, day = '', time = '', fraction = '', zone] = match;
  return `${day}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}${zone === undefined ? '' : 'Z'}`;
};

/** pg's own parsers; its types know no arrays. */
const builtIn = (oid: number, format: 'text' | 'binary' = 'text'): Parse =>
  (pg.types.getTypeParser as (oid: number, format: string) => Parse)(oid, format);

/** An array is read by PostgreSQL's array syntax, as text[] is, its elements by the type's own parser. */
const readTextArray = builtIn(1009);

function arrayOf(parse: Parse): Parse {
  const each = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(each) : typeof value === 'string' ? parse(value) : value;
  return (text) => each(readTextArray(text));
}

/** Type oid, oid of its array type, parser. */
const TYPES: readonly (readonly [oid: number, array: number, parse: Parse])[] = [
  [20 /* int8 */, 1016, parseBigint],
  [1700 /* numeric */, 1231, asText],
  [1082 /* date */, 1182, asText],
  [1114 /* timestamp */, 1115, parseMoment],
  [1184 /* timestamptz */, 1185, parseMoment],
  [1186 /* interval */, 1187, asText],
];

const PARSERS = new Map<number, Parse>(
  TYPES.flatMap(([oid, array, parse]) => [[oid, parse] as const, [array, arrayOf(parse)] as const]),
);

/** The parser of a type's texts. */
export const parserOf = (oid: number): Parse => PARSERS.get(oid) ?? builtIn(oid);

/** The `types` of every pg client and pool of this program. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    (format === 'binary' ? undefined : PARSERS.get(oid)) ?? builtIn(oid, format),
};
