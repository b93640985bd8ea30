/** A table that sorts by its columns' values and draws only the rows that can be seen: 50,000 are as quick as 50. */
import { Box, Group, Table, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import {
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
  type ColumnDef,
  type RowData,
  type SortFn,
  type SortingState,
  type Updater,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import classes from './data-table.module.css';
import { IconDown, IconUp } from './icons.tsx';

export interface Column<R extends RowData> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: R) => ReactNode;
  /**
   * What the column is sorted by; without it, it cannot be sorted. Rows without a value stand last either way. With
   * `onSort` the value is not looked at: that there is one says that the column can be sorted by.
   */
  readonly value?: (row: R) => string | number | null;
  /** Numbers stand at the right. */
  readonly align?: 'left' | 'right';
  /** CSS width; the rest is shared. */
  readonly width?: number | string;
}

export interface Sorting {
  readonly id: string;
  readonly desc?: boolean;
}

export interface DataTableProps<R extends RowData> {
  /** What the table shows, for screen readers. */
  readonly label: string;
  readonly rows: readonly R[];
  readonly columns: readonly Column<R>[];
  readonly rowKey: (row: R) => string;
  /** How many rows there are, when `rows` does not have them all yet. */
  readonly total?: number;
  /** The end of `rows` has come into view: time to ask for more. */
  readonly onEnd?: () => void;
  /** Column and direction at the start; with `onSort`, now. */
  readonly sortedBy?: Sorting;
  /** Somebody else sorts the rows: a server that has more of them than `rows`. */
  readonly onSort?: (by: Sorting) => void;
  readonly minWidth?: number;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
type Features = typeof features;

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
/** Fewer rows than this are all drawn: the browser's own search finds every one of them. */
const VIRTUAL_FROM = 120;
const ROW_HEIGHT = 45;

export function DataTable<R extends RowData>(props: DataTableProps<R>) {
  const { label, rows, columns, rowKey, total = rows.length, onEnd, sortedBy, onSort, minWidth = 640 } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const table = useTable({
    features,
    data: rows,
    columns: useMemo(() => columns.map((column) => definition(column)), [columns]),
    getRowId: rowKey,
    ...sortingBy(sortedBy, onSort),
  });
  const sorted = table.getRowModel().rows;
  const virtual = sorted.length > VIRTUAL_FROM;
  const virtualizer = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    enabled: virtual,
  });
  const items = virtualizer.getVirtualItems();
  const shown = virtual ? items.map(({ index }) => index) : sorted.map((_, index) => index);
  const above = virtual ? (items[0]?.start ?? 0) : 0;
  const below = virtual ? virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;

  const last = shown.at(-1) ?? -1;
  const atEnd = last >= sorted.length - 20 && rows.length < total;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd, rows.length]);

  return (
    <Box
      ref={scroll}
      className={classes['scroll']}
      data-virtual={virtual || undefined}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <Table highlightOnHover aria-rowcount={total + 1} className={classes['table']} style={{ minWidth }}>
        <Table.Thead className={classes['head']}>
          <Table.Tr aria-rowindex={1}>
            {table.getFlatHeaders().map((header) => {
              const column = columns[header.index];
              const direction = header.column.getIsSorted();
              return (
                <Table.Th
                  key={header.id}
                  scope="col"
                  ta={column?.align ?? 'left'}
                  style={{ width: column?.width }}
                  aria-sort={direction === 'asc' ? 'ascending' : direction === 'desc' ? 'descending' : undefined}
                >
                  {header.column.getCanSort() ? (
                    <UnstyledButton className={classes['sort']} onClick={header.column.getToggleSortingHandler()}>
                      <Group gap={4} wrap="nowrap" justify={column?.align === 'right' ? 'flex-end' : 'flex-start'}>
                        <Text span inherit>
                          {column?.header}
                        </Text>
                        {direction === 'asc' && <IconUp size={14} />}
                        {direction === 'desc' && <IconDown size={14} />}
                      </Group>
                    </UnstyledButton>
                  ) : column?.header === '' ? (
                    <VisuallyHidden>Actions</VisuallyHidden>
                  ) : (
                    column?.header
                  )}
                </Table.Th>
              );
            })}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {above > 0 && <Filler height={above} columns={columns.length} />}
          {shown.map((index) => {
            const row = sorted[index];
            if (!row) return null;
            return (
              <Table.Tr
                key={row.id}
                ref={virtual ? virtualizer.measureElement : null}
                data-index={index}
                aria-rowindex={index + 2}
              >
                {columns.map((column) => (
                  <Table.Td
                    key={column.id}
                    ta={column.align ?? 'left'}
                    className={column.align === 'right' ? 'numbers' : undefined}
                  >
                    {column.cell(row.original)}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
          {below > 0 && <Filler height={below} columns={columns.length} />}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

/** The table's own sorting, which begins as told; or the caller's, which is as told. */
function sortingBy(by: Sorting | undefined, onSort: DataTableProps<RowData>['onSort']) {
  const sorting: SortingState = by ? [{ id: by.id, desc: by.desc ?? false }] : [];
  if (!onSort) return { initialState: { sorting } };
  return {
    state: { sorting },
    manualSorting: true,
    enableSortingRemoval: false,
    onSortingChange: (change: Updater<SortingState>) => {
      const [next] = typeof change === 'function' ? change(sorting) : change;
      if (next) onSort(next);
    },
  };
}

/** Stands for the rows that are out of sight. */
function Filler({ height, columns }: { readonly height: number; readonly columns: number }) {
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}

function definition<R extends RowData>(column: Column<R>): ColumnDef<Features, R> {
  const { value } = column;
  if (!value) return { id: column.id, enableSorting: false };
  return {
    id: column.id,
    accessorFn: (row: R) => value(row) ?? undefined,
    enableSorting: true,
    sortUndefined: 'last',
    sortFn: byValue as SortFn<Features, R>,
  };
}

/** Numbers by size, words as people sort them: "p2" before "p10". */
function byValue(
  a: { getValue: (id: string) => unknown },
  b: { getValue: (id: string) => unknown },
  id: string,
): number {
  const [left, right] = [a.getValue(id), b.getValue(id)];
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return collator.compare(String(left), String(right));
}
