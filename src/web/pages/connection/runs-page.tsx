/** Every run of a connection: what it was, how it went, how long it took. */
import { Group, Select, Stack } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconClock } from '../../parts/icons.tsx';
import { Waiting } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { useNow } from '../../parts/use-now.ts';
import { count, duration } from '../../parts/words.ts';
import { modeOf, secondsOf, triggerOf, written } from './run-words.ts';
import { RUN_STATES, runsSearch } from './runs-search.ts';
import { Start } from './run-actions.tsx';
import { useConnection, useConnectionId } from './use-connection.ts';
import type { Run } from './use-run.ts';
import { useRuns } from './use-runs.ts';

export function RunsPage() {
  const id = useConnectionId();
  const { state } = runsSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  const connection = useConnection(id).data?.connection;
  const list = useRuns(id, state ? { state } : {});
  const rows = useMemo(() => list.data?.pages.flatMap(({ runs }) => runs) ?? [], [list.data]);
  const { hasNextPage, isFetching, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Select
          label="State"
          placeholder="Any"
          clearable
          data={RUN_STATES.map((one) => ({ value: one, label: one.replace('_', ' ') }))}
          value={state ?? null}
          onChange={(value) =>
            void navigate({ to: '.', search: (before) => runsSearch({ ...before, state: value }), replace: true })
          }
        />
        <Start connection={id} disabled={connection?.disabled_at !== null} />
      </Group>
      {list.isError && (
        <ErrorNotice
          error={list.error}
          title="The runs cannot be shown as they are now"
          onRetry={() => void list.refetch()}
        />
      )}
      {list.data === undefined ? (
        !list.isError && <Waiting />
      ) : rows.length === 0 ? (
        <EmptyState title={state ? 'No run ended like that' : 'No run yet'} icon={<IconClock size={28} />}>
          {state ? 'Take the filter away to see the others.' : 'Runs appear here once the connection is synced.'}
        </EmptyState>
      ) : (
        <DataTable
          label="Runs"
          rows={rows}
          columns={COLUMNS}
          rowKey={(run) => String(run.id)}
          total={hasNextPage ? rows.length + 1 : rows.length}
          onEnd={onEnd}
          minWidth={820}
        />
      )}
    </Stack>
  );
}

const COLUMNS: readonly Column<Run>[] = [
  {
    id: 'run',
    header: 'Run',
    cell: (run) => (
      <PageLink
        to="/connections/$id/runs/$run"
        params={{ id: String(run.connection_id), run: String(run.id) }}
        aria-label={`Run ${run.id}`}
        size="sm"
      >
        {run.id}
      </PageLink>
    ),
  },
  { id: 'state', header: 'State', cell: (run) => <StateBadge state={run.state} why={run.error?.message ?? null} /> },
  { id: 'started', header: 'Started', cell: (run) => <Moment at={run.started_at} never="not yet" /> },
  { id: 'took', header: 'Took', cell: (run) => <Took run={run} /> },
  { id: 'mode', header: 'Reads', cell: ({ mode }) => modeOf(mode) },
  { id: 'trigger', header: 'Begun by', cell: ({ trigger }) => triggerOf(trigger) },
  {
    id: 'changes',
    header: 'Rows added, changed, gone',
    align: 'right',
    cell: ({ progress }) => {
      const { added, changed, gone } = written(progress);
      return `${count(added)}, ${count(changed)}, ${count(gone)}`;
    },
  },
  { id: 'requests', header: 'Requests', align: 'right', cell: ({ progress }) => count(progress.requests) },
];

function Took({ run }: { readonly run: Run }) {
  const seconds = secondsOf(run, useNow());
  return <>{seconds === null ? '–' : duration(seconds)}</>;
}
