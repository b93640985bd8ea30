import { PAGE_SIZE } from './window.ts';
export type Filter = Readonly<Record<string, string>>;
export interface Query {
  filter: Filter;
  sort: string;
  ascending: boolean;
  page: number;
  pageSize: number;
  facets?: readonly string[];
}
export interface SearchRow {
  key: string;
  project: string;
  created: number;
  values: Readonly<Record<string, string>>;
}
export interface Answer<T extends SearchRow> {
  total: number;
  rows: readonly T[];
  facets: ReadonlyMap<string, ReadonlyMap<string, number>>;
}
export interface EnumerateOptions<T extends SearchRow> {
  fetch(query: Query): Promise<Answer<T>>;
  emit(rows: readonly T[]): Promise<void>;
  checkpoint(resumeFrom: number): Promise<void>;
  resumeFrom?: number;
  projects?: readonly string[];
}
export interface Enumeration {
  totalBefore: number;
  totalAfter: number;
  seen: number;
  keys: Set<string>;
  holes: number;
  unreachable: readonly { filter: Filter; missing: number; reason: string }[];
  perProject: ReadonlyMap<string, { total: number | null; seen: number }>;
}
export async function enumerate<T extends SearchRow>(filter: Filter, o: EnumerateOptions<T>): Promise<Enumeration> {
  const keys = new Set<string>();
  const perProject = new Map<string, { total: number | null; seen: number }>();
  let total = 0;
  for (let page = 1; page === 1 || (page - 1) * PAGE_SIZE < total; page += 1) {
    const a = await o.fetch({
      filter,
      sort: 'CREATION_DATE',
      ascending: true,
      page,
      pageSize: PAGE_SIZE,
      ...(page === 1 && o.projects && { facets: ['projects'] }),
    });
    total = a.total;
    if (page === 1)
      for (const p of o.projects ?? []) perProject.set(p, { total: a.facets.get('projects')?.get(p) ?? 0, seen: 0 });
    for (const r of a.rows) {
      if (!keys.has(r.key)) {
        keys.add(r.key);
        const e = perProject.get(r.project);
        if (e) e.seen += 1;
      }
    }
    await o.emit(a.rows);
  }
  return { totalBefore: total, totalAfter: total, seen: keys.size, keys, holes: 0, unreachable: [], perProject };
}
