/** Figures, budgets and the table of a run. */

/** One measured figure and what it is held against. */
export interface Figure {
  /** What was measured, in words. */
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The budget; undefined for what is only told. */
  readonly most?: number;
  readonly least?: number;
  /** How it came about, for the reader of the table. */
  readonly note?: string;
}

export const isMet = ({ value, most, least }: Figure): boolean | undefined =>
  most === undefined && least === undefined ? undefined : value <= (most ?? Infinity) && value >= (least ?? -Infinity);

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}

export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Markdown, as README and docs/performance.md carry it. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { what, value, unit, most, least, note } = figure;
    const budget = most !== undefined ? `≤ ${number(most)}` : least !== undefined ? `≥ ${number(least)}` : '';
    const met = isMet(figure);
    return [
      what,
      `${number(value)} ${unit}`.trim(),
      budget,
      met === undefined ? '' : met ? 'met' : '**not met**',
      note ?? '',
    ];
  });
  const all = [['what', 'measured', 'budget', '', 'how'], ...rows];
  const widths = all[0]?.map((_, n) => Math.max(3, ...all.map((row) => row[n]?.length ?? 0))) ?? [];
  const print = (row: readonly string[]): string =>
    `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [print(head), print(widths.map((width) => '-'.repeat(width))), ...body.map(print)].join('\n');
}
