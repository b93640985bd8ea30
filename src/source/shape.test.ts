import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { hasShape } from './shape.ts';
import * as hotspots from './streams/hotspots.ts';
import * as issues from './streams/issues.ts';
import * as measures from './streams/measures.ts';
import * as history from './streams/measures_history.ts';
import * as metrics from './streams/metrics.ts';
import * as projects from './streams/projects.ts';

/** One answer of each endpoint with every field that is read, and its schema. */
const ANSWERS: readonly (readonly [string, z.ZodType, unknown])[] = [
  [
    'issues/search',
    issues.answer,
    {
      paging: { total: 1 },
      issues: [
        {
          key: 'k',
          component: 'c',
          project: 'p',
          rule: 'java:S1',
          severity: 'MAJOR',
          type: 'BUG',
          status: 'OPEN',
          resolution: 'FIXED',
          issueStatus: 'OPEN',
          effort: '1h',
          debt: '1h',
          message: 'm',
          line: 3,
          hash: 'h',
          textRange: { startLine: 3 },
          assignee: 'a',
          author: 'b',
          tags: ['t'],
          scope: 'MAIN',
          quickFixAvailable: true,
          cleanCodeAttribute: 'CLEAR',
          cleanCodeAttributeCategory: 'INTENTIONAL',
          impacts: [{ softwareQuality: 'SECURITY', severity: 'HIGH' }],
          ruleDescriptionContextKey: 'x',
          creationDate: '2026-01-01T00:00:00+0000',
          updateDate: '2026-01-01T00:00:00+0000',
          closeDate: '2026-01-01T00:00:00+0000',
        },
      ],
      components: [{ key: 'c', path: 'src/c' }],
      facets: [{ property: 'rules', values: [{ val: 'java:S1', count: 1 }] }],
    },
  ],
  [
    'hotspots/search',
    hotspots.answer,
    {
      paging: { total: 1 },
      hotspots: [
        {
          key: 'k',
          component: 'c',
          project: 'p',
          status: 'TO_REVIEW',
          line: 1,
          textRange: { startLine: 1 },
          creationDate: 'd',
          updateDate: 'd',
        },
      ],
      components: [{ key: 'c', path: 'p' }],
    },
  ],
  [
    'measures/component',
    measures.answer,
    {
      component: {
        key: 'p',
        measures: [{ metric: 'm', value: '1', bestValue: true, period: { value: '2', bestValue: false } }],
      },
      period: { mode: 'previous_version', parameter: '1', date: 'd' },
    },
  ],
  [
    'measures/search_history',
    history.answer,
    {
      paging: { total: 1 },
      measures: [{ metric: 'm', history: [{ date: 'd', value: '1' }, { date: 'e' }] }],
    },
  ],
  [
    'metrics/search',
    metrics.answer,
    {
      total: 1,
      metrics: [
        { id: '1', key: 'm', name: 'M', type: 'INT', domain: 'D', direction: 1, qualitative: false, hidden: false },
      ],
    },
  ],
  [
    'projects/search',
    projects.answer,
    {
      paging: { total: 1 },
      components: [
        { key: 'p', name: 'P', qualifier: 'TRK', visibility: 'public', lastAnalysisDate: 'd', revision: 'r' },
      ],
    },
  ],
];

/** Every place in a value, by path. */
function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) =>
      places(inner, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

/** The value with another one, or (undefined) nothing, in a place. */
function changed(value: unknown, [first, ...rest]: readonly (string | number)[], to: unknown): unknown {
  if (first === undefined) return to;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  const inner = changed(copy[first], rest, to);
  if (inner === undefined) Reflect.deleteProperty(copy, first);
  else copy[first] = inner;
  return copy;
}

describe.each(ANSWERS)('the shape of %s', (_, schema, whole) => {
  test('is there', () => {
    expect(schema.safeParse(whole).error).toBeUndefined();
    expect(hasShape(schema, structuredClone(whole))).toBe(true);
  });

  test('anything wrong or missing anywhere is seen as the schema itself sees it, and defaults are the same', () => {
    const wrong = fc.constantFrom<unknown[]>(undefined, null, 7, 'text', true, [], {}, [7], { a: {} });
    fc.assert(
      fc.property(fc.constantFrom(...places(whole)), wrong, (path, to) => {
        const body = changed(whole, path, to);
        const parsed = schema.safeParse(body);
        expect(hasShape(schema, body)).toBe(parsed.success);
        if (parsed.success) expect(body).toMatchObject(parsed.data as object);
      }),
      { numRuns: 400 },
    );
  });
});
