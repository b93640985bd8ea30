/** Projects × ratings: a letter in a coloured cell, so that colour alone says nothing. */
import { useElementSize } from '@mantine/hooks';
import classes from './charts.module.css';
import type { HeatMap } from './model.ts';
import { fitted } from './text-width.ts';

const ROW = 28;
const HEAD = 26;
const LETTERS = ['A', 'B', 'C', 'D', 'E'];

export const letterOf = (value: number | null): string =>
  value === null ? '–' : (LETTERS[Math.round(value) - 1] ?? String(value));

export function HeatMapPlot({ map, label }: { readonly map: HeatMap; readonly label: string }) {
  const { ref, width: measured } = useElementSize();
  const width = Math.max(measured, 320);
  const left = Math.min(width * 0.4, 260);
  const cell = (width - left) / Math.max(1, map.columns.length);
  const height = HEAD + map.rows.length * ROW;
  return (
    <div ref={ref} className={classes['scroll']}>
      <svg className={classes['chart']} width={width} height={height} role="img" aria-label={label}>
        {map.columns.map((name, index) => (
          <text key={name} x={left + (index + 0.5) * cell} y={16} textAnchor="middle" fill="var(--chart-text)">
            {fitted(name, cell - 4)}
          </text>
        ))}
        {map.rows.map(({ name, values }, row) => (
          <g key={row} data-place={name}>
            <text x={left - 10} y={HEAD + row * ROW + 18} textAnchor="end" fill="var(--chart-text)">
              <title>{name}</title>
              {fitted(name, left - 12)}
            </text>
            {values.map((value, index) => (
              <g key={index} data-value={value ?? ''}>
                <title>{`${name}, ${map.columns[index] ?? ''}: ${letterOf(value)}`}</title>
                <rect
                  x={left + index * cell + 1}
                  y={HEAD + row * ROW + 1}
                  width={Math.max(0, cell - 2)}
                  height={ROW - 2}
                  rx={3}
                  fill={value === null ? 'var(--chart-line)' : `var(--rating-${Math.round(value)})`}
                />
                <text
                  x={left + (index + 0.5) * cell}
                  y={HEAD + row * ROW + 18}
                  textAnchor="middle"
                  fontWeight={600}
                  fill={value === null ? 'var(--chart-text)' : '#ffffff'}
                >
                  {letterOf(value)}
                </text>
              </g>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}
