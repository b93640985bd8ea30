/** Home: every connection. */
import { useMemo } from 'react';
import { useRead, type Answer } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconPlug } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';

type Connection = Answer<'connections.list'>['connections'][number];

export function ConnectionsPage() {
  const connections = useRead('connections.list', {}, { refresh: 10_000 });
  const columns = useMemo<readonly Column<Connection>[]>(
    () => [
      { id: 'name', header: 'Name', value: ({ name }) => name, cell: ({ name }) => <bdi>{name}</bdi> },
      {
        id: 'state',
        header: 'State',
        value: ({ state }) => state,
        cell: ({ state, disabled_at }) => <StateBadge state={disabled_at === null ? state : 'disabled'} />,
      },
      {
        id: 'synced',
        header: 'Last completed sync',
        value: ({ last_synced_at }) => last_synced_at,
        cell: ({ last_synced_at }) => <Moment at={last_synced_at} />,
      },
    ],
    [],
  );
  return (
    <>
      <PageTitle title="Connections" about="The SonarQube Servers that are kept in this warehouse." />
      <Loaded of={connections} what="The connections">
        {({ connections: rows }) =>
          rows.length === 0 ? (
            <EmptyState title="No connection yet" icon={<IconPlug size={28} />} />
          ) : (
            <DataTable label="Connections" rows={rows} columns={columns} rowKey={({ id }) => String(id)} />
          )
        }
      </Loaded>
    </>
  );
}
