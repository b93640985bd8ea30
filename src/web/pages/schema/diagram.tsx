/** The relations of the tables, drawn; and in words for who cannot see the drawing. */
import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { BOX, layoutOf, type DrawnTable } from './diagram-layout.ts';
import classes from './schema.module.css';

export function Diagram({ tables }: { readonly tables: readonly DrawnTable[] }) {
  const { boxes, arrows, width, height } = useMemo(() => layoutOf(tables), [tables]);
  if (boxes.length === 0) return null;
  return (
    <>
      <div className={classes['drawing']} tabIndex={0} role="region" aria-label="Relations, drawn">
        <svg
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          role="group"
          aria-label="Tables and what they refer to"
        >
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX={7} refY={4} markerWidth={8} markerHeight={8} orient="auto">
              <path d="M0 0 8 4 0 8Z" className={classes['tip']} />
            </marker>
          </defs>
          {arrows.map(({ from, column, to, path }) => (
            <path key={`${from}.${column}`} d={path} className={classes['arrow']} markerEnd="url(#arrow)">
              <title>{`${from}.${column} → ${to}`}</title>
            </path>
          ))}
          {boxes.map(({ name, x, y }) => (
            <Link key={name} to="/schema/$table" params={{ table: name }} className={classes['node'] ?? ''}>
              <rect x={x} y={y} width={BOX.width} height={BOX.height} rx={6} className={classes['box']} />
              <text x={x + BOX.width / 2} y={y + BOX.height / 2 + 5} textAnchor="middle" className={classes['name']}>
                {name.replace(/^sonarqube_/, '')}
              </text>
            </Link>
          ))}
        </svg>
      </div>
      <details>
        <summary>
          <Text span size="sm">
            Relations in words
          </Text>
        </summary>
        <ul className={classes['words']}>
          {arrows.map(({ from, column, to }) => (
            <li key={`${from}.${column}`}>
              <Text span size="sm">
                {from}.{column} → {to}
              </Text>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}
