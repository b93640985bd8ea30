/** A chart's rows as what is drawn: panels with one scale each, lines and bars in them. Pure. */
import type { Answer } from '../api.ts';

export type Insight = Answer<'insights.list'>['insights'][number];
export type ChartColumn = Insight['columns'][number];
export type ChartRow = Answer<'insights.run'>['rows'][number];

export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

export interface Panel {
  readonly title: string;
  readonly unit: string | null;
  /** Places along the x axis, in order. */
  readonly places: readonly string[];
  readonly series: readonly Series[];
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

/** The panels of a chart: one for each measure where rows are told apart by a series, else one for each unit. */
export function panelsOf(columns: readonly ChartColumn[], rows: readonly ChartRow[]): Panel[] {
  const x = columns.find(({ role }) => role === 'x');
  const ys = columns.filter(({ role }) => role === 'y');
  const by = columns.find(({ role }) => role === 'series');
  if (!x || ys.length === 0) return [];
  const places = distinct(rows.map((row) => textOf(row[x.name])));
  if (by) {
    const names = distinct(rows.map((row) => textOf(row[by.name])));
    const cells = new Map(rows.map((row) => [`${textOf(row[x.name])}\0${textOf(row[by.name])}`, row]));
    return ys.map((y) => ({
      title: y.title,
      unit: y.unit ?? null,
      places,
      series: names.map((name) => ({
        name,
        values: places.map((place) => numberOf(cells.get(`${place}\0${name}`)?.[y.name])),
      })),
    }));
  }
  const units = distinct(ys.map(({ unit }) => unit ?? ''));
  const byPlace = new Map(rows.map((row) => [textOf(row[x.name]), row]));
  return units.map((unit) => {
    const inUnit = ys.filter((y) => (y.unit ?? '') === unit);
    return {
      title: inUnit.map(({ title }) => title).join(', '),
      unit: unit === '' ? null : unit,
      places,
      series: inUnit.map((y) => ({
        name: y.title,
        values: places.map((place) => numberOf(byPlace.get(place)?.[y.name])),
      })),
    };
  });
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

/** A heat map's cells: rows of projects, columns of what is rated. */
export interface HeatMap {
  readonly rows: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly columns: readonly string[];
}

export function heatMapOf(columns: readonly ChartColumn[], rows: readonly ChartRow[]): HeatMap {
  const nameOf = (role: ChartColumn['role']): string => columns.find((column) => column.role === role)?.name ?? '';
  const [x, y, value] = [nameOf('x'), nameOf('y'), nameOf('value')];
  const links = columns.filter(({ role }) => role === 'link').map(({ name }) => name);
  const across = distinct(rows.map((row) => textOf(row[x])));
  const found = new Map<string, { name: string; values: (number | null)[] }>();
  for (const row of rows) {
    // two projects can have one name; their links tell them apart
    const key = [textOf(row[y]), ...links.map((link) => textOf(row[link]))].join('\0');
    const line = found.get(key) ?? { name: textOf(row[y]), values: across.map(() => null) };
    line.values[across.indexOf(textOf(row[x]))] = numberOf(row[value]);
    found.set(key, line);
  }
  return { rows: [...found.values()], columns: across };
}

/** Something to draw at all? */
export const isEmpty = (rows: readonly ChartRow[]): boolean => rows.length === 0;

/** RFC 4180, names first; NULL is nothing. */
export function csvOf(names: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cell = (value: unknown): string => {
    if (value === null || value === undefined) return '';
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}
