/** What the list of projects shows, as it stands in the address: a link to it shows the same. Pure. */

export const STATES = ['complete', 'moving', 'short', 'suspect', 'unreadable', 'unread', 'gone'] as const;
export const SORTS = ['name', 'key', 'last_analysis', 'issues_synced'] as const;

export interface ProjectsSearch {
  readonly search?: string;
  readonly state?: (typeof STATES)[number];
  readonly sort?: (typeof SORTS)[number];
  readonly order?: 'desc';
  /** The key of the project whose streams are shown. */
  readonly project?: string;
}

const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined =>
  values.find((one) => one === value);

// what looks like a number or a boolean in an address comes as one
const text = (value: unknown, most: number): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value).slice(0, most)
    : '';

/** What cannot be read is left out: an old or mistyped link shows the whole list. */
export function projectsSearch(raw: Readonly<Record<string, unknown>>): ProjectsSearch {
  const search = text(raw['search'], 500);
  const project = text(raw['project'], 1000);
  const state = oneOf(STATES, raw['state']);
  const sort = oneOf(SORTS, raw['sort']);
  return {
    ...(search.trim() !== '' && { search }),
    ...(state && { state }),
    ...(sort && sort !== 'name' && { sort }),
    ...(raw['order'] === 'desc' && { order: 'desc' }),
    ...(project !== '' && { project }),
  };
}
