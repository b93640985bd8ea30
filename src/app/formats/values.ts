/** PostgreSQL's values as other formats can carry them, losing nothing. Pure. */

/** For JSON: bytes as `\x…`, and the numbers that JSON has no sign for as their names. */
export function jsonable(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  return Array.isArray(value) ? value.map(jsonable) : value;
}

/** For CSV and other texts: null stays null, what is not a text is written as JSON. */
export function textual(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const plain = jsonable(value);
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

/** Names that stand once each: a second `name` becomes `name_2`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; seen.has(unique) || (unique !== name && taken.has(unique)); n++) unique = `${name}_${n}`;
    seen.add(unique);
    return unique;
  });
}
