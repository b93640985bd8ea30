import { describe, expect, test } from 'vitest';
import { csvOf, heatMapOf, panelsOf, type ChartColumn } from './model.ts';
import { briefly, every, shortened, ticksTo } from './scale.ts';

const column = (name: string, role: ChartColumn['role'], unit?: string): ChartColumn => ({
  name,
  role,
  type: role === 'y' || role === 'value' ? 'number' : 'text',
  title: name.toUpperCase(),
  ...(unit !== undefined && { unit }),
});

describe('panels', () => {
  test('one for each unit', () => {
    const columns = [column('date', 'x'), column('a', 'y', '%'), column('b', 'y', '%'), column('c', 'y', 'days')];
    const rows = [
      { date: '2026-01-01', a: 1, b: null, c: 3 },
      { date: '2026-01-08', a: 2, b: 5, c: 4 },
    ];
    expect(panelsOf(columns, rows)).toEqual([
      {
        title: 'A, B',
        unit: '%',
        places: ['2026-01-01', '2026-01-08'],
        series: [
          { name: 'A', values: [1, 2] },
          { name: 'B', values: [null, 5] },
        ],
      },
      { title: 'C', unit: 'days', places: ['2026-01-01', '2026-01-08'], series: [{ name: 'C', values: [3, 4] }] },
    ]);
  });

  test('one for each measure where there are series, with a gap where a row is missing', () => {
    const columns = [column('month', 'x'), column('severity', 'series'), column('median', 'y'), column('p90', 'y')];
    const rows = [
      { month: '1', severity: 'MAJOR', median: 1, p90: 2 },
      { month: '2', severity: 'MINOR', median: 3, p90: 4 },
    ];
    expect(panelsOf(columns, rows).map(({ series }) => series)).toEqual([
      [
        { name: 'MAJOR', values: [1, null] },
        { name: 'MINOR', values: [null, 3] },
      ],
      [
        { name: 'MAJOR', values: [2, null] },
        { name: 'MINOR', values: [null, 4] },
      ],
    ]);
  });

  test('none without an axis', () => {
    expect(panelsOf([column('a', 'label')], [{ a: 'x' }])).toEqual([]);
  });
});

test('a heat map keeps projects of one name apart', () => {
  const columns = [column('project', 'y'), column('rating', 'x'), column('value', 'value'), column('key', 'link')];
  const rows = [
    { project: 'Same', rating: 'Security', value: 1, key: 'a' },
    { project: 'Same', rating: 'Reliability', value: null, key: 'a' },
    { project: 'Same', rating: 'Security', value: 5, key: 'b' },
  ];
  expect(heatMapOf(columns, rows)).toEqual({
    columns: ['Security', 'Reliability'],
    rows: [
      { name: 'Same', values: [1, null] },
      { name: 'Same', values: [5, null] },
    ],
  });
});

test('CSV quotes what has to be quoted', () => {
  expect(
    csvOf(
      ['a', 'b, c'],
      [
        ['x "y"', null],
        ['', 'two\nlines'],
        [1.5, true],
      ],
    ),
  ).toBe('a,"b, c"\r\n"x ""y""",\r\n"","two\nlines"\r\n1.5,true\r\n');
});

test.each([
  [0, [0, 1]],
  [1, [0, 0.25, 0.5, 0.75, 1]],
  [7, [0, 2, 4, 6, 8]],
  [96, [0, 25, 50, 75, 100]],
  [0.3, [0, 0.1, 0.2, 0.3]],
  [12_345, [0, 5000, 10_000, 15_000]],
])('ticks up to %d', (largest, ticks) => {
  expect(ticksTo(largest)).toEqual(ticks);
});

test('labels', () => {
  expect([briefly(950), briefly(12_500), briefly(2.345)]).toEqual(['950', '12.5K', '2.35']);
  expect([every(12, 12), every(13, 12), every(0, 5)]).toEqual([1, 2, 1]);
  expect([shortened('short', 10), shortened('org.example:a-long-key', 11)]).toEqual(['short', 'org.e…g-key']);
});
