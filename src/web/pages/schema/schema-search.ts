/** Search over everything the schema says. Pure. */

export interface SchemaSearch {
  readonly q?: string;
}

export function schemaSearch(raw: Readonly<Record<string, unknown>>): SchemaSearch {
  const q = raw['q'];
  if (typeof q !== 'string' && typeof q !== 'number' && typeof q !== 'boolean') return {};
  const text = String(q).slice(0, 200);
  return text === '' ? {} : { q: text };
}

interface Searched {
  readonly name: string;
  readonly description: string | null;
  readonly columns: readonly { readonly name: string; readonly description: string | null }[];
}

export interface Hit {
  readonly table: string;
  /** Null: the table itself. */
  readonly column: string | null;
  readonly meaning: string;
}

/** Tables and columns whose name or meaning holds every word; names first. */
export function hitsOf(tables: readonly Searched[], search: string): Hit[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const fits = (text: string): boolean => words.every((word) => text.toLowerCase().includes(word));
  const hits: Hit[] = [];
  for (const { name, description, columns } of tables) {
    if (fits(`${name} ${description ?? ''}`)) hits.push({ table: name, column: null, meaning: description ?? '' });
    for (const column of columns) {
      // with the table's name, so that "issues severity" finds the one column
      if (fits(`${column.name} ${column.description ?? ''}`) || fits(`${name}.${column.name}`))
        hits.push({ table: name, column: column.name, meaning: column.description ?? '' });
    }
  }
  const named = ({ table, column }: Hit): number => (fits(column ?? table) ? 0 : 1);
  return hits.sort((a, b) => named(a) - named(b));
}
