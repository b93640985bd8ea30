import { expect, test } from 'vitest';
import { projectsSearch } from './projects-search.ts';

test.each<[Readonly<Record<string, unknown>>, object]>([
  [{}, {}],
  [
    { search: 'a b', state: 'short', sort: 'key', order: 'desc', project: 'p:1' },
    { search: 'a b', state: 'short', sort: 'key', order: 'desc', project: 'p:1' },
  ],
  [
    { search: 42, project: true },
    { search: '42', project: 'true' },
  ],
  [{ search: '   ', state: 'fine', sort: 'size', order: 'up', project: '' }, {}],
  [{ search: ['a'], state: null, sort: 'name', order: 'asc', project: { a: 1 } }, {}],
  [{ search: 'x'.repeat(600) }, { search: 'x'.repeat(500) }],
])('%j is %j', (raw, expected) => {
  expect(projectsSearch(raw)).toEqual(expected);
});
