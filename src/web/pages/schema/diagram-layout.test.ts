import { expect, test } from 'vitest';
import { layoutOf } from './diagram-layout.ts';

const to = (table: string) => ({ column: `${table}_id`, table, foreign_column: 'id' });

test('what is referred to stands left of what refers, nothing overlaps, what has no relation is left out', () => {
  const { boxes, arrows } = layoutOf([
    { name: 'points', references: [to('projects'), to('metrics')] },
    { name: 'projects', references: [] },
    { name: 'metrics', references: [] },
    { name: 'tags', references: [to('points')] },
    { name: 'alone', references: [] },
  ]);
  const x = Object.fromEntries(boxes.map((box) => [box.name, box.x]));
  expect(Object.keys(x).sort()).toEqual(['metrics', 'points', 'projects', 'tags']);
  expect(x['projects']).toBe(x['metrics']);
  expect(x['points']).toBeGreaterThan(x['projects'] ?? NaN);
  expect(x['tags']).toBeGreaterThan(x['points'] ?? NaN);
  expect(new Set(boxes.map((box) => `${box.x} ${box.y}`)).size).toBe(boxes.length);
  expect(arrows.map(({ from, to: target }) => `${from} ${target}`)).toEqual([
    'points projects',
    'points metrics',
    'tags points',
  ]);
});

test('a circle of references, a table that refers to itself, and no table at all', () => {
  expect(
    layoutOf([
      { name: 'a', references: [to('b')] },
      { name: 'b', references: [to('a')] },
    ]).boxes,
  ).toHaveLength(2);
  expect(layoutOf([{ name: 'a', references: [to('a')] }]).arrows).toHaveLength(1);
  expect(layoutOf([]).boxes).toEqual([]);
});
