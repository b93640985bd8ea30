/** One table: its columns with type, meaning, source, examples and how much of them is filled. */
import { Badge, Code, Group, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useRead, type Answer } from '../../api.ts';
import { ButtonLink } from '../../parts/button-link.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { IconCode } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { bytes, count } from '../../parts/words.ts';

type Table = Answer<'schema.info'>['table'];
type TableColumn = Table['columns'][number];

export function TablePage() {
  const { table = '' }: { table?: string } = useParams({ strict: false });
  const found = useRead('schema.info', { table });
  return (
    <Stack>
      <PageLink to="/schema" size="sm">
        All tables
      </PageLink>
      <Loaded of={found} what={`The table ${table}`}>
        {({ table: info }) => <Shown table={info} />}
      </Loaded>
    </Stack>
  );
}

/** Names that need no quotes in SQL; ours all are such. */
export const selectOf = ({ name, columns }: Pick<Table, 'name' | 'columns'>): string =>
  `select ${columns.map((column) => column.name).join(', ')}\n  from ${name}\n limit 100`;

function Shown({ table }: { readonly table: Table }) {
  const query = selectOf(table);
  return (
    <>
      <PageTitle
        title={table.name}
        about={table.description ?? ''}
        beside={
          table.kind === 'view' ? (
            <Badge variant="default" tt="none">
              view
            </Badge>
          ) : undefined
        }
        actions={
          <>
            <CopyButton text={query} label="Copy query" size="sm" />
            <ButtonLink variant="default" leftSection={<IconCode size={16} />} to="/sql" search={{ sql: query }}>
              Open in SQL
            </ButtonLink>
          </>
        }
      />
      <Group gap="xl">
        {table.rows !== null && <Fact name="Rows">{count(table.rows)}</Fact>}
        {table.bytes !== null && <Fact name="Size">{bytes(table.bytes)}</Fact>}
        <Fact name="Compared with the server">
          <Moment at={table.fresh_at} />
        </Fact>
        {table.references.length > 0 && (
          <Fact name="Refers to">
            <Group gap="xs">
              {table.references.map(({ column, table: other, foreign_column }) => (
                <PageLink key={column} to="/schema/$table" params={{ table: other }} size="sm">
                  {column} → {other}.{foreign_column}
                </PageLink>
              ))}
            </Group>
          </Fact>
        )}
      </Group>
      <DataTable label="Columns" rows={table.columns} columns={COLUMNS} rowKey={({ name }) => name} minWidth={1000} />
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="div" size="sm">
        {children}
      </Text>
    </div>
  );
}

const COLUMNS: readonly Column<TableColumn>[] = [
  { id: 'name', header: 'Column', value: ({ name }) => name, cell: ({ name }) => <Code>{name}</Code>, width: '16%' },
  {
    id: 'type',
    header: 'Type',
    value: ({ type }) => type,
    cell: ({ type }) => <Text size="sm">{type}</Text>,
    width: '11%',
  },
  { id: 'meaning', header: 'Meaning', cell: ({ description }) => <Text size="sm">{description}</Text> },
  {
    id: 'source',
    header: 'Comes from',
    value: ({ source }) => source && `${source.endpoint} ${source.field ?? ''}`,
    cell: ({ source }) =>
      source ? (
        <Text size="sm">
          {source.endpoint}
          {source.field !== null && (
            <>
              {' '}
              <Code>{source.field}</Code>
            </>
          )}
        </Text>
      ) : (
        <Text size="sm" c="dimmed">
          this warehouse
        </Text>
      ),
    width: '18%',
  },
  {
    id: 'empty',
    header: 'Empty',
    align: 'right',
    value: ({ null_share }) => null_share,
    cell: ({ null_share }) => (null_share === null ? '–' : share(null_share)),
    width: 80,
  },
  {
    id: 'examples',
    header: 'Examples',
    cell: ({ examples }) => (
      <Group gap={4}>
        {examples.slice(0, 3).map((example) => (
          <Code key={example} style={{ maxWidth: 220 }}>
            <bdi>{example.length > 60 ? `${example.slice(0, 59)}…` : example}</bdi>
          </Code>
        ))}
      </Group>
    ),
    width: '20%',
  },
];

/** Never "0 %" when something is empty, nor "100 %" when something is not. */
function share(part: number): string {
  if (part === 0 || part === 1) return `${part * 100} %`;
  return part < 0.01 ? '< 1 %' : part > 0.99 ? '> 99 %' : `${Math.round(part * 100)} %`;
}
