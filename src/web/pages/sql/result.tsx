/** What a query gave: a table or a chart, and downloads of all of it. */
import { Alert, Button, Group, NativeSelect, SegmentedControl, Stack, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Answer } from '../../api.ts';
import { panelsOf } from '../../charts/model.ts';
import { Plot } from '../../charts/plot.tsx';
import { saveBlob } from '../../charts/save.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconDownload } from '../../parts/icons.tsx';
import { count, counted } from '../../parts/words.ts';
import { FORMATS, fileOf, type Format } from './download.ts';

type Result = Answer<'query.run'>;

interface ResultProps {
  readonly sql: string;
  readonly answer: Result;
}

export function Result({ sql, answer }: ResultProps) {
  const [view, setView] = useState<'table' | 'chart'>('table');
  return (
    <Stack gap="sm" component="section" aria-label="Result">
      <Group justify="space-between">
        <Text size="sm" aria-live="polite">
          {counted(answer.row_count, 'row')} in {count(answer.duration_ms)} ms
        </Text>
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="How the result is shown"
            value={view}
            onChange={(value) => setView(value === 'chart' ? 'chart' : 'table')}
            data={[
              { value: 'table', label: 'Table' },
              { value: 'chart', label: 'Chart' },
            ]}
          />
          <Downloads sql={sql} />
        </Group>
      </Group>
      {answer.notice !== null && (
        <Alert color="orange" variant="light" role="status">
          {answer.notice}
        </Alert>
      )}
      {answer.columns.length === 0 ? (
        <Text c="dimmed">The statement gives no columns.</Text>
      ) : view === 'table' ? (
        <ResultTable answer={answer} />
      ) : (
        <ResultChart answer={answer} />
      )}
    </Stack>
  );
}

function Downloads({ sql }: { readonly sql: string }) {
  const [busy, setBusy] = useState<Format | null>(null);
  const [error, setError] = useState<unknown>(null);
  const save = (format: Format): void => {
    setBusy(format);
    setError(null);
    fileOf(sql, format)
      .then((blob) => saveBlob(blob, `query.${format}`), setError)
      .finally(() => setBusy(null));
  };
  return (
    <>
      {FORMATS.map(({ format, name }) => (
        <Button
          key={format}
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} />}
          loading={busy === format}
          disabled={busy !== null && busy !== format}
          onClick={() => save(format)}
        >
          {name}
        </Button>
      ))}
      {error !== null && <ErrorNotice error={error} title="The download failed" />}
    </>
  );
}

interface Numbered {
  readonly index: number;
  readonly row: readonly unknown[];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function ResultTable({ answer: { columns, rows } }: { readonly answer: Result }) {
  const numbered = useMemo(() => rows.map((row, index) => ({ index, row })), [rows]);
  const shown = useMemo<readonly Column<Numbered>[]>(
    () =>
      columns.map(({ name }, index) => ({
        id: String(index),
        header: name === '' ? `column ${index + 1}` : name,
        align:
          rows.every((row) => row[index] === null || typeof row[index] === 'number') && rows.length > 0
            ? 'right'
            : 'left',
        value: ({ row }) => sortable(row[index]),
        cell: ({ row }) => <Cell value={row[index]} />,
      })),
    [columns, rows],
  );
  return (
    <DataTable
      label="Rows"
      rows={numbered}
      columns={shown}
      rowKey={({ index }) => String(index)}
      minWidth={Math.max(320, columns.length * 140)}
    />
  );
}

const sortable = (value: unknown): string | number | null =>
  value === null || value === undefined ? null : typeof value === 'number' ? value : textOf(value);

function Cell({ value }: { readonly value: unknown }) {
  if (value === null || value === undefined) {
    return (
      <Text span size="sm" c="dimmed" fs="italic">
        NULL
      </Text>
    );
  }
  const text = textOf(value);
  return (
    <bdi title={text.length > 200 ? text.slice(0, 5000) : undefined}>
      {text.length > 200 ? `${text.slice(0, 199)}…` : text}
    </bdi>
  );
}

const MOST_PLACES = 500;

function ResultChart({ answer: { columns, rows } }: { readonly answer: Result }) {
  const numeric = columns.flatMap((_, index) =>
    rows.some((row) => isNumber(row[index])) && rows.every((row) => row[index] === null || isNumber(row[index]))
      ? [index]
      : [],
  );
  const others = columns.flatMap((_, index) => (numeric.includes(index) ? [] : [index]));
  const [x, setX] = useState(others[0] ?? 0);
  const [y, setY] = useState(numeric.find((index) => index !== x) ?? -1);
  const [kind, setKind] = useState<'bar' | 'line'>('bar');
  const panels = useMemo(
    () =>
      panelsOf(
        [
          { name: 'x', type: 'text', role: 'x', title: 'x' },
          { name: 'y', type: 'number', role: 'y', title: columns[y]?.name ?? '' },
        ],
        rows.slice(0, MOST_PLACES).map((row) => ({
          x: row[x] === null ? 'NULL' : textOf(row[x]),
          y: row[y] === null || row[y] === undefined ? null : Number(row[y]),
        })),
      ),
    [columns, rows, x, y],
  );
  if (rows.length === 0) return <Text c="dimmed">There are no rows to draw.</Text>;
  if (y === -1) return <Text c="dimmed">A chart needs a column of numbers; this result has none.</Text>;
  const choices = columns.map(({ name }, index) => ({ value: String(index), label: name }));
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <NativeSelect
          size="xs"
          label="Along"
          value={String(x)}
          onChange={({ currentTarget }) => setX(Number(currentTarget.value))}
          data={choices}
        />
        <NativeSelect
          size="xs"
          label="Numbers"
          value={String(y)}
          onChange={({ currentTarget }) => setY(Number(currentTarget.value))}
          data={choices.filter((_, index) => numeric.includes(index))}
        />
        <NativeSelect
          size="xs"
          label="As"
          value={kind}
          onChange={({ currentTarget }) => setKind(currentTarget.value === 'line' ? 'line' : 'bar')}
          data={['bar', 'line']}
        />
      </Group>
      {rows.length > MOST_PLACES && (
        <Text size="sm" c="dimmed">
          The first {MOST_PLACES} rows are drawn.
        </Text>
      )}
      {panels.map((panel) => (
        <Plot
          key={`${kind} ${x} ${y}`}
          kind={kind}
          panel={panel}
          label={`${panel.title}, as a picture; the table has the same numbers.`}
        />
      ))}
    </Stack>
  );
}

/** numeric comes as text, so as to lose no digit. */
const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
