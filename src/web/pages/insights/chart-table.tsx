/** A chart's rows as a table: for screen readers, for exact numbers, and for charts that are tables. */
import { useMemo } from 'react';
import { exactly } from '../../charts/scale.ts';
import type { ChartColumn, ChartRow, Insight } from '../../charts/model.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { PageLink } from '../../parts/page-link.tsx';

interface ChartTableProps {
  readonly insight: Insight;
  readonly rows: readonly ChartRow[];
}

interface Numbered {
  readonly index: number;
  readonly row: ChartRow;
}

export function ChartTable({ insight, rows }: ChartTableProps) {
  const columns = useMemo(() => columnsOf(insight), [insight]);
  const numbered = useMemo(() => rows.map((row, index) => ({ index, row })), [rows]);
  return (
    <DataTable
      label={insight.title}
      rows={numbered}
      columns={columns}
      rowKey={({ index }) => String(index)}
      minWidth={columns.length * 120}
    />
  );
}

function columnsOf({ columns }: Insight): readonly Column<Numbered>[] {
  return columns
    .filter(({ name }) => name !== 'connection_id' || columns.every(({ role }) => role !== 'link'))
    .map((column) => ({
      id: column.name,
      ...(column.name === 'project' && columns.length > 4 && { width: '16%' }),
      header: column.unit === undefined ? column.title : `${column.title} (${column.unit})`,
      align: column.type === 'number' ? ('right' as const) : ('left' as const),
      value: ({ row }: Numbered) => row[column.name] ?? null,
      cell: ({ row }: Numbered) => cellOf(column, row),
    }));
}

function cellOf({ name, type }: ChartColumn, row: ChartRow) {
  const value = row[name] ?? null;
  if (name === 'project_key' && typeof value === 'string' && typeof row['connection_id'] === 'number') {
    return (
      <PageLink
        to="/connections/$id/projects"
        params={{ id: String(row['connection_id']) }}
        search={{ search: value, project: value }}
      >
        <bdi>{value}</bdi>
      </PageLink>
    );
  }
  if (type === 'number') return exactly(typeof value === 'number' ? value : null);
  return value === null ? '–' : <bdi>{value}</bdi>;
}
