/** Schema explorer: every table, what it is and holds; relations; search over names and meanings. */
import { Code, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useRead, type Answer } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconSearch, IconTable } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { bytes, count, counted } from '../../parts/words.ts';
import { Diagram } from './diagram.tsx';
import { hitsOf, type SchemaSearch } from './schema-search.ts';

type Table = Answer<'schema.list'>['tables'][number];

export function SchemaPage() {
  const { q = '' }: SchemaSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const schema = useRead('schema.list', {});
  return (
    <>
      <PageTitle
        title="Schema"
        about="Every table of the warehouse: what it is, where it comes from, how much is in it and how fresh it is."
      />
      <TextInput
        label="Search tables and columns"
        placeholder="severity, coverage, closed …"
        leftSection={<IconSearch size={16} />}
        value={q}
        maxLength={200}
        onChange={({ currentTarget: { value } }) =>
          void navigate({ to: '/schema', search: value === '' ? {} : { q: value }, replace: true })
        }
        mb="lg"
      />
      <Loaded of={schema} what="The schema">
        {({ tables }) => <Found tables={tables} search={q} />}
      </Loaded>
    </>
  );
}

function Found({ tables, search }: { readonly tables: readonly Table[]; readonly search: string }) {
  const hits = useMemo(() => hitsOf(tables, search), [tables, search]);
  if (search.trim() === '') {
    return (
      <Stack gap="xl">
        <DataTable label="Tables" rows={tables} columns={TABLES} rowKey={({ name }) => name} minWidth={820} />
        <Stack gap="sm" component="section" aria-label="Relations">
          <Text fw={600}>Relations</Text>
          <Diagram tables={tables} />
        </Stack>
      </Stack>
    );
  }
  if (hits.length === 0) {
    return (
      <EmptyState title="Nothing fits" icon={<IconTable size={28} />}>
        No table and no column has this in its name or its meaning.
      </EmptyState>
    );
  }
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed" aria-live="polite">
        {counted(hits.length, 'hit')}
      </Text>
      <DataTable label="Hits" rows={hits} columns={HITS} rowKey={({ table, column }) => `${table}.${column ?? ''}`} />
    </Stack>
  );
}

const toTable = (name: string) => (
  <PageLink to="/schema/$table" params={{ table: name }} ff="monospace" size="sm">
    {name}
  </PageLink>
);

const TABLES: readonly Column<Table>[] = [
  { id: 'name', header: 'Table', value: ({ name }) => name, cell: ({ name }) => toTable(name), width: '28%' },
  { id: 'what', header: 'What it is', cell: ({ description }) => <Text size="sm">{description}</Text> },
  {
    id: 'rows',
    header: 'Rows',
    align: 'right',
    width: 110,
    value: ({ rows }) => rows,
    cell: ({ rows, kind }) => (kind === 'view' ? 'view' : rows === null ? '–' : count(rows)),
  },
  {
    id: 'size',
    header: 'Size',
    align: 'right',
    width: 100,
    value: ({ bytes: size }) => size,
    cell: ({ bytes: size }) => (size === null ? '–' : bytes(size)),
  },
  {
    id: 'fresh',
    header: 'Compared with the server',
    width: 170,
    value: ({ fresh_at }) => fresh_at,
    cell: ({ fresh_at }) => <Moment at={fresh_at} />,
  },
];

type Hit = ReturnType<typeof hitsOf>[number];

const HITS: readonly Column<Hit>[] = [
  { id: 'table', header: 'Table', value: ({ table }) => table, cell: ({ table }) => toTable(table), width: '28%' },
  {
    id: 'column',
    header: 'Column',
    value: ({ column }) => column,
    cell: ({ column }) => (column === null ? '' : <Code>{column}</Code>),
    width: '22%',
  },
  { id: 'meaning', header: 'Meaning', cell: ({ meaning }) => <Text size="sm">{meaning}</Text> },
];
