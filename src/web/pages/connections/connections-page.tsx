/** Home: every connection, and the way to a new one. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { lazy, Suspense, useMemo, useState, type ReactNode } from 'react';
import { useRead } from '../../api.ts';
import { DataTable } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconPlug, IconPlus } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { useMay } from '../../session.ts';
import { COLUMNS } from './columns.tsx';
import { SampleButton } from './sample-button.tsx';
import type { Connection } from './state.ts';

const NewConnection = lazy(() => import('./new-connection.tsx').then((part) => ({ default: part.NewConnection })));

/** More than this are worth a filter. */
const FEW = 8;

export function ConnectionsPage() {
  const connections = useRead('connections.overview', {}, { refresh: 10_000 });
  const [adding, setAdding] = useState(false);
  const add = useMay('connections:write') ? (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
      Connection
    </Button>
  ) : null;
  return (
    <>
      <PageTitle title="Connections" about="The SonarQube Servers that are kept in this warehouse." actions={add} />
      <Loaded of={connections} what="The connections">
        {({ connections: rows }) => (rows.length === 0 ? <NoneYet add={add} /> : <All rows={rows} />)}
      </Loaded>
      {adding && (
        <Suspense fallback={<Text role="status">The form is loaded …</Text>}>
          <NewConnection onClose={() => setAdding(false)} />
        </Suspense>
      )}
    </>
  );
}

function All({ rows }: { readonly rows: readonly Connection[] }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const found = useMemo(
    () => rows.filter(({ name, base_url: url }) => `${name}\n${url}`.toLowerCase().includes(wanted)),
    [rows, wanted],
  );
  return (
    <Stack>
      {rows.length > FEW && (
        <Group>
          <TextInput
            aria-label="Filter by name or address"
            placeholder="Filter by name or address"
            w={{ base: '100%', sm: 320 }}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Text size="sm" c="dimmed" role="status">
            {found.length} of {rows.length}
          </Text>
        </Group>
      )}
      {found.length === 0 ? (
        <EmptyState title="No connection matches the filter" icon={<IconPlug size={28} />} />
      ) : (
        <DataTable
          label="Connections"
          rows={found}
          columns={COLUMNS}
          rowKey={({ id }) => String(id)}
          sortedBy={{ id: 'name' }}
          minWidth={1010}
        />
      )}
    </Stack>
  );
}

function NoneYet({ add }: { readonly add: ReactNode }) {
  return (
    <EmptyState
      title="No connection yet"
      icon={<IconPlug size={28} />}
      actions={
        add && (
          <Group justify="center" align="flex-start">
            {add}
            <SampleButton />
          </Group>
        )
      }
    >
      Connect a SonarQube Server with its address and a token; everything it knows is then kept here, in PostgreSQL.
      Without one at hand, look around with the recording of a real server.
    </EmptyState>
  );
}
