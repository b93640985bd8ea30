/** The projects of a connection: search, filter, sorted by the server, and each one's freshness and completeness. */
import { Anchor, CloseButton, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { api, keyOf, type Answer } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconSearch, IconTable } from '../../parts/icons.tsx';
import { Waiting } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { count, counted } from '../../parts/words.ts';
import { ProjectDetails } from './project-details.tsx';
import { projectsSearch, SORTS, STATES, type ProjectsSearch } from './projects-search.ts';
import { useConnectionId } from './use-connection.ts';

export type Project = Answer<'projects.list'>['projects'][number];

const PAGE = 200;
const TYPING_MS = 250;

export function ProjectsPage() {
  const id = useConnectionId();
  const shown: ProjectsSearch = useSearch({ strict: false });
  const { change, open } = useChange();
  const list = useProjects(id, shown);
  const rows = useMemo(() => list.data?.pages.flatMap(({ projects }) => projects) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total ?? 0;
  const columns = useMemo(() => columnsOf(open), [open]);
  const { hasNextPage, isFetching, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const filtered = shown.search !== undefined || shown.state !== undefined;

  return (
    <Stack>
      <Filters shown={shown} onChange={change} />
      {list.isError && (
        <ErrorNotice
          error={list.error}
          title="The projects cannot be shown as they are now"
          onRetry={() => void list.refetch()}
        />
      )}
      {list.data === undefined ? (
        !list.isError && <Waiting />
      ) : rows.length === 0 ? (
        <EmptyState title={filtered ? 'No project fits' : 'No project yet'} icon={<IconTable size={28} />}>
          {filtered
            ? 'Search for less of the name, or take the filter away.'
            : 'The first sync lists them: projects appear here as soon as it has begun.'}
        </EmptyState>
      ) : (
        <>
          <Text size="sm" c="dimmed" aria-live="polite">
            {counted(total, 'project')}
            {rows.length < total && `, ${count(rows.length)} loaded; scroll down for more`}
          </Text>
          <DataTable
            label="Projects"
            rows={rows}
            total={total}
            columns={columns}
            rowKey={(row) => String(row.id)}
            onEnd={onEnd}
            sortedBy={{ id: shown.sort ?? 'name', desc: shown.order === 'desc' }}
            onSort={({ id: by, desc }) => {
              const sort = SORTS.find((one) => one === by);
              change({ ...(sort && { sort }), order: desc === true ? 'desc' : undefined });
            }}
            minWidth={900}
          />
        </>
      )}
      {shown.project !== undefined && (
        <ProjectDetails connection={id} projectKey={shown.project} rows={rows} onClose={() => open(undefined)} />
      )}
    </Stack>
  );
}

/** Pages of the list, asked again while it is looked at: a sync may be under way. */
function useProjects(connection: number, { search, state, sort, order }: ProjectsSearch) {
  const input = {
    connection_id: connection,
    limit: PAGE,
    ...(search !== undefined && { search }),
    ...(state && { state }),
    ...(sort && { sort }),
    ...(order && { order }),
  };
  return useInfiniteQuery({
    queryKey: keyOf('projects.list', input),
    queryFn: ({ pageParam, signal }) =>
      api.call('projects.list', { ...input, ...(pageParam !== null && { cursor: pageParam }) }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    enabled: connection > 0,
    placeholderData: (before) => before,
    // all loaded pages are asked again: of a list that was scrolled far down that would be many
    refetchInterval: ({ state: { data } }) => ((data?.pages.length ?? 0) > 2 ? false : 15_000),
  });
}

type Change = { readonly [K in keyof ProjectsSearch]?: ProjectsSearch[K] | undefined };

/** Writes into the address; what is undefined leaves it. */
function useChange() {
  const navigate = useNavigate();
  const write = useCallback(
    (change: Change, replace: boolean) =>
      void navigate({
        to: '.',
        search: (before) => projectsSearch({ ...before, ...change }),
        replace,
        resetScroll: false,
      }),
    [navigate],
  );
  const change = useCallback((values: Change) => write(values, true), [write]);
  const open = useCallback((project: string | undefined) => write({ project }, false), [write]);
  return { change, open };
}

interface FiltersProps {
  readonly shown: ProjectsSearch;
  readonly onChange: (change: Change) => void;
}

function Filters({ shown, onChange }: FiltersProps) {
  const [text, setText] = useState(shown.search ?? '');
  const search = useDebouncedCallback((value: string) => {
    onChange({ search: value.trim() === '' ? undefined : value });
  }, TYPING_MS);
  const type = (value: string): void => {
    setText(value);
    search(value);
  };
  return (
    <Group align="flex-end">
      <TextInput
        label="Search"
        placeholder="Name or key"
        type="search"
        maxLength={500}
        value={text}
        dir="auto"
        leftSection={<IconSearch size={16} />}
        rightSection={text !== '' && <CloseButton size="sm" aria-label="Clear the search" onClick={() => type('')} />}
        onChange={(event) => type(event.currentTarget.value)}
        style={{ flex: '1 1 16rem' }}
      />
      <Select
        label="State"
        placeholder="Any"
        clearable
        data={STATES.map((state) => ({ value: state, label: LABELS[state] }))}
        value={shown.state ?? null}
        onChange={(value) => onChange({ state: STATES.find((state) => state === value) })}
        style={{ flex: '0 1 14rem' }}
      />
    </Group>
  );
}

const LABELS: Readonly<Record<(typeof STATES)[number], string>> = {
  complete: 'Complete',
  moving: 'Moving',
  short: 'Short',
  suspect: 'Suspect',
  unreadable: 'Unreadable',
  unread: 'Not read yet',
  gone: 'Gone',
};

const of = (project: Project, name: string) => project.streams.find(({ stream }) => stream === name);

/** "41 of 45": here, of what the server counts. */
function Rows({ project, stream }: { readonly project: Project; readonly stream: string }) {
  const found = of(project, stream);
  if (!found)
    return (
      <Text span inherit c="dimmed">
        –
      </Text>
    );
  const { present, server_total: total, state } = found;
  if (state === 'complete' || total === null || total === present) return <>{count(present)}</>;
  return (
    <>
      {count(present)} of {count(total)}
    </>
  );
}

function columnsOf(open: (key: string) => void): readonly Column<Project>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      value: ({ name }) => name,
      cell: ({ name, key }) => (
        <Anchor component="button" type="button" ta="start" size="sm" onClick={() => open(key)} title={name}>
          <Text span inherit lineClamp={1} dir="auto" maw={420}>
            {name}
          </Text>
        </Anchor>
      ),
    },
    {
      id: 'key',
      header: 'Key',
      value: ({ key }) => key,
      cell: ({ key }) => (
        <Text span inherit lineClamp={1} dir="auto" maw={280} title={key} c="dimmed">
          {key}
        </Text>
      ),
    },
    { id: 'state', header: 'State', cell: (project) => <StateBadge state={project.state} why={whyOf(project)} /> },
    {
      id: 'last_analysis',
      header: 'Last analysis',
      value: ({ last_analysis_date }) => last_analysis_date,
      cell: ({ last_analysis_date }) => <Moment at={last_analysis_date} />,
    },
    {
      id: 'issues_synced',
      header: 'Confirmed',
      value: ({ issues_synced_at }) => issues_synced_at,
      cell: ({ issues_synced_at }) => <Moment at={issues_synced_at} />,
    },
    { id: 'issues', header: 'Issues', align: 'right', cell: (project) => <Rows project={project} stream="issues" /> },
    {
      id: 'hotspots',
      header: 'Hotspots',
      align: 'right',
      cell: (project) => <Rows project={project} stream="hotspots" />,
    },
  ];
}

/** The reason of the stream that makes the project's state. */
const whyOf = ({ state, streams }: Project): string | null =>
  streams.find((stream) => stream.state === state)?.reason ?? null;
