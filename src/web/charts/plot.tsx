/** One panel as SVG: columns, stacked columns, bars, lines or areas. What is drawn also stands in titles, read on hover. */
import { Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import classes from './charts.module.css';
import type { Panel, Series } from './model.ts';
import { colourOf, dashOf } from './palette.ts';
import { briefly, every, exactly, ticksTo } from './scale.ts';
import { fitted, textWidth } from './text-width.ts';

export type PlotKind = 'bar' | 'stacked-bar' | 'line' | 'area';

interface PlotProps {
  readonly kind: PlotKind;
  readonly panel: Panel;
  /** What the picture is, for who cannot see it; the numbers are in the table. */
  readonly label: string;
}

const HEIGHT = 220;
const LEFT = 52;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 28;
const BAR = 26;

export function Plot({ kind, panel, label }: PlotProps) {
  const { ref, width } = useElementSize();
  const across = Math.max(width, 280);
  return (
    <div ref={ref}>
      {panel.series.length > 1 && <Legend series={panel.series} lines={kind === 'line'} />}
      {kind === 'bar' ? (
        <Bars panel={panel} label={label} width={across} />
      ) : (
        <Columns panel={panel} label={label} width={across} kind={kind} />
      )}
    </div>
  );
}

function Legend({ series, lines }: { readonly series: readonly Series[]; readonly lines: boolean }) {
  return (
    <Group gap="md" mb={4} className={classes['chart'] ?? ''} style={{ display: 'flex' }}>
      {series.map(({ name }, index) => (
        <Group key={name} gap={6} wrap="nowrap">
          <svg width={18} height={10} aria-hidden="true">
            {lines ? (
              <line
                x1={0}
                x2={18}
                y1={5}
                y2={5}
                stroke={colourOf(name, index)}
                strokeWidth={2.5}
                strokeDasharray={dashOf(index)}
              />
            ) : (
              <rect width={18} height={10} rx={2} fill={colourOf(name, index)} />
            )}
          </svg>
          <Text span size="xs">
            {name}
          </Text>
        </Group>
      ))}
    </Group>
  );
}

interface DrawnProps {
  readonly panel: Panel;
  readonly label: string;
  readonly width: number;
}

const withUnit = (value: number | null, unit: string | null): string =>
  value === null || unit === null ? exactly(value) : `${exactly(value)} ${unit}`;

/** Horizontal: names of rules and severities are long. */
function Bars({ panel: { places, series, unit }, label, width }: DrawnProps) {
  const values = series[0]?.values ?? [];
  const left = Math.min(width * 0.45, 9 + Math.max(24, ...places.map((place) => textWidth(fitted(place, width)))));
  const ticks = ticksTo(Math.max(0, ...values.map((value) => value ?? 0)));
  const most = ticks.at(-1) ?? 1;
  const height = places.length * BAR + BOTTOM;
  const x = (value: number): number => left + (value / most) * (width - left - 48);
  return (
    <svg className={classes['chart']} width={width} height={height} role="img" aria-label={label}>
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={x(tick)} x2={x(tick)} y1={0} y2={height - BOTTOM} stroke="var(--chart-line)" />
          <text x={x(tick)} y={height - 10} textAnchor="middle" fill="var(--chart-text)">
            {briefly(tick)}
          </text>
        </g>
      ))}
      {places.map((place, index) => {
        const value = values[index] ?? null;
        return (
          <g key={place} data-place={place} data-value={value ?? ''}>
            <title>{`${place}: ${withUnit(value, unit)}`}</title>
            <text x={left - 8} y={index * BAR + 17} textAnchor="end" fill="var(--chart-text)">
              {fitted(place, left - 8)}
            </text>
            <rect
              x={left}
              y={index * BAR + 4}
              width={Math.max(0, x(value ?? 0) - left)}
              height={BAR - 8}
              rx={2}
              fill={colourOf(place, 0)}
            />
            <text x={x(value ?? 0) + 6} y={index * BAR + 17} fill="var(--chart-text)">
              {value === null ? '–' : briefly(value)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

function Columns({ panel, label, width, kind }: DrawnProps & { readonly kind: Exclude<PlotKind, 'bar'> }) {
  const { places, series, unit } = panel;
  const stacked = kind === 'stacked-bar';
  const total = (index: number): number => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
  const largest = stacked
    ? Math.max(0, ...places.map((_, index) => total(index)))
    : Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const ticks = ticksTo(largest);
  const most = ticks.at(-1) ?? 1;
  const inner = width - LEFT - RIGHT;
  const y = (value: number): number => HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
  const slot = inner / Math.max(1, places.length);
  const x = (index: number): number => LEFT + (index + 0.5) * slot;
  const step = stacked ? 1 : every(places.length, inner / 86);
  return (
    <svg className={classes['chart']} width={width} height={HEIGHT} role="img" aria-label={label}>
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} stroke="var(--chart-line)" />
          <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end" fill="var(--chart-text)">
            {briefly(tick)}
          </text>
        </g>
      ))}
      {places.map((place, index) => {
        if (index % step !== 0) return null;
        const text = fitted(place, stacked ? slot - 6 : 120);
        // under the last place it may not go beyond the edge
        const middle = Math.min(x(index), width - textWidth(text) / 2 - 1);
        return (
          <text key={place} x={middle} y={HEIGHT - 9} textAnchor="middle" fill="var(--chart-text)">
            {text}
          </text>
        );
      })}
      {stacked
        ? places.map((place, index) => (
            <Stack key={place} panel={panel} index={index} x={x(index)} width={Math.min(72, slot * 0.7)} y={y} />
          ))
        : series.map((one, index) => (
            <Line key={one.name} series={one} index={index} x={x} y={y} filled={kind === 'area'} />
          ))}
      {!stacked &&
        places.map((place, index) => (
          // what the pointer is over, the whole height of it
          <rect
            key={place}
            x={x(index) - slot / 2}
            y={TOP}
            width={slot}
            height={HEIGHT - TOP - BOTTOM}
            fill="transparent"
          >
            <title>
              {[place, ...series.map(({ name, values }) => `${name}: ${withUnit(values[index] ?? null, unit)}`)].join(
                '\n',
              )}
            </title>
          </rect>
        ))}
    </svg>
  );
}

interface StackProps {
  readonly panel: Panel;
  readonly index: number;
  readonly x: number;
  readonly width: number;
  readonly y: (value: number) => number;
}

function Stack({ panel: { places, series, unit }, index, x, width, y }: StackProps) {
  const tops = series.map((_, place) =>
    series.slice(0, place + 1).reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
  );
  return (
    <g>
      {series.map(({ name, values }, place) => {
        const value = values[index] ?? 0;
        const [top, bottom] = [tops[place] ?? 0, tops[place - 1] ?? 0];
        return (
          <rect
            key={name}
            data-place={places[index]}
            data-series={name}
            data-value={value}
            x={x - width / 2}
            width={width}
            y={y(top)}
            height={Math.max(0, y(bottom) - y(top))}
            fill={colourOf(name, place)}
          >
            <title>{`${places[index] ?? ''}, ${name}: ${withUnit(value, unit)}`}</title>
          </rect>
        );
      })}
    </g>
  );
}

interface LineProps {
  readonly series: Series;
  readonly index: number;
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
  readonly filled: boolean;
}

/** Broken where there is no value; a value on its own is a dot. */
function Line({ series: { name, values }, index, x, y, filled }: LineProps) {
  const colour = colourOf(name, index);
  const runs: [number, number][][] = [];
  let run: [number, number][] = [];
  for (const [place, value] of values.entries()) {
    if (value === null) {
      if (run.length > 0) runs.push(run);
      run = [];
    } else run.push([x(place), y(value)]);
  }
  if (run.length > 0) runs.push(run);
  const path = (points: readonly (readonly [number, number])[]): string =>
    points.map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  return (
    <g data-series={name} data-values={values.map((value) => value ?? '').join(',')}>
      {runs.map((points) => {
        const [first, last] = [points[0], points.at(-1)];
        if (!first || !last) return null;
        return (
          <g key={first[0]}>
            {filled && (
              <path d={`${path(points)}L${last[0]} ${y(0)}L${first[0]} ${y(0)}Z`} fill={colour} fillOpacity={0.2} />
            )}
            {points.length === 1 ? (
              <circle cx={first[0]} cy={first[1]} r={3.5} fill={colour} />
            ) : (
              <path d={path(points)} fill="none" stroke={colour} strokeWidth={2} strokeDasharray={dashOf(index)} />
            )}
          </g>
        );
      })}
    </g>
  );
}
