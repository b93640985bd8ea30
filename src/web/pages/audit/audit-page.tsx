/** Who did what, newest first. */
import { Button, Group, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { api, type Answer } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconList } from '../../parts/icons.tsx';
import { Waiting } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageTitle } from '../../parts/page-title.tsx';

type Entry = Answer<'audit.list'>['entries'][number];

const PAGE = 100;

export function AuditPage() {
  const log = useInfiniteQuery({
    queryKey: ['audit.list', 'pages'],
    queryFn: ({ pageParam, signal }) =>
      api.call('audit.list', { limit: PAGE, ...(pageParam !== null && { cursor: pageParam }) }, { signal }),
    initialPageParam: null as number | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <>
      <PageTitle title="Audit" about="Who did what, from where and when; newest first." />
      {log.isError && (
        <ErrorNotice
          error={log.error}
          title="The log cannot be shown as it is now"
          onRetry={() => void log.refetch()}
        />
      )}
      {log.isPending && <Waiting />}
      {log.isSuccess && entries.length === 0 && <EmptyState title="Nothing yet" icon={<IconList size={28} />} />}
      {entries.length > 0 && (
        <DataTable label="Audit log" rows={entries} columns={COLUMNS} rowKey={({ id }) => String(id)} minWidth={860} />
      )}
      {log.hasNextPage && (
        <Group justify="center" mt="md">
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Older entries
          </Button>
        </Group>
      )}
    </>
  );
}

const COLUMNS: readonly Column<Entry>[] = [
  { id: 'at', header: 'When', cell: ({ at }) => <Moment at={at} />, width: '9rem' },
  {
    id: 'actor',
    header: 'Who',
    width: '15rem',
    cell: ({ actor }) => (
      <Text span inherit dir="auto" style={{ overflowWrap: 'anywhere' }}>
        {actor}
      </Text>
    ),
  },
  { id: 'address', header: 'From', cell: ({ address }) => address ?? 'this machine', width: '9rem' },
  { id: 'action', header: 'What', cell: ({ action }) => action, width: '13rem' },
  {
    id: 'detail',
    header: 'More',
    cell: (entry) => (
      <Text span size="sm" dir="auto" style={{ overflowWrap: 'anywhere' }}>
        {detailsOf(entry)}
      </Text>
    ),
  },
];

function detailsOf({ connection_id, credential_id, detail }: Entry): string {
  const named = {
    ...(connection_id !== null && { connection: connection_id }),
    ...(credential_id !== null && { credential: credential_id }),
    ...detail,
  };
  return Object.entries(named)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
