/** The columns of the connections. */
import { Badge, Group, Text, Tooltip } from '@mantine/core';
import type { Column } from '../../parts/data-table.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { useNow } from '../../parts/use-now.ts';
import { count, counted } from '../../parts/words.ts';
import { completenessOf, endingOf, stateOf, type Connection } from './state.ts';

export const COLUMNS: readonly Column<Connection>[] = [
  { id: 'name', header: 'Name', value: ({ name }) => name, cell: (connection) => <Name of={connection} /> },
  {
    id: 'version',
    header: 'Version',
    value: ({ server_version }) => server_version,
    cell: ({ server_version }) => <Version of={server_version} />,
    width: 90,
  },
  {
    id: 'state',
    header: 'State',
    value: (connection) => stateOf(connection).state,
    cell: (connection) => <StateOf {...stateOf(connection)} />,
    width: 130,
  },
  {
    id: 'synced',
    header: 'Last completed sync',
    value: ({ last_synced_at }) => last_synced_at,
    cell: ({ last_synced_at }) => <Moment at={last_synced_at} />,
    width: 160,
  },
  {
    id: 'next',
    header: 'Next sync',
    value: ({ next_sync_at }) => next_sync_at,
    cell: ({ next_sync_at }) => <Moment at={next_sync_at} never="by hand" />,
    width: 110,
  },
  {
    id: 'projects',
    header: 'Projects',
    align: 'right',
    value: ({ projects }) => projects,
    cell: ({ projects }) => count(projects),
    width: 85,
  },
  {
    id: 'completeness',
    header: 'Completeness',
    align: 'right',
    value: ({ completeness }) => completenessOf(completeness)?.share ?? null,
    cell: ({ completeness }) => <CompletenessOf found={completenessOf(completeness)} />,
    width: 125,
  },
  {
    id: 'ends',
    header: 'Token ends',
    value: ({ expiration_date }) => expiration_date,
    cell: ({ expiration_date }) => <TokenEnd day={expiration_date} />,
    width: 120,
  },
];

function Dimmed({ children }: { readonly children: string }) {
  return (
    <Text span inherit c="dimmed">
      {children}
    </Text>
  );
}

/** The number that people know it by; the build is told on hover. */
function Version({ of: version }: { readonly of: string | null }) {
  if (version === null) return <Dimmed>not known</Dimmed>;
  return <span title={version}>{version.split('.').slice(0, 3).join('.')}</span>;
}

function Name({ of: { id, name, base_url: url, warnings } }: { readonly of: Connection }) {
  return (
    <>
      <Group gap={4}>
        <PageLink to="/connections/$id" params={{ id: String(id) }} fw={600} dir="auto" lineClamp={2} title={name}>
          {name}
        </PageLink>
        {warnings.length > 0 && (
          <Tooltip label={warnings.join(' ')} multiline maw={420} events={{ hover: true, focus: true, touch: true }}>
            <Badge
              className="state-badge"
              data-color="orange"
              color="orange"
              variant="light"
              tt="none"
              radius="sm"
              tabIndex={0}
              style={{ flexShrink: 0 }}
            >
              <span aria-hidden="true">! </span>
              {counted(warnings.length, 'warning')}
            </Badge>
          </Tooltip>
        )}
      </Group>
      <Text size="xs" c="dimmed" lineClamp={1} title={url}>
        <bdi>{url}</bdi>
      </Text>
    </>
  );
}

function StateOf({ state, why }: ReturnType<typeof stateOf>) {
  return (
    <>
      <StateBadge state={state} why={why} />
      {why !== null && (
        <Text size="xs" c="dimmed" mt={2} lineClamp={2} title={why}>
          {why}
        </Text>
      )}
    </>
  );
}

function CompletenessOf({ found }: { readonly found: ReturnType<typeof completenessOf> }) {
  if (!found) return <Dimmed>nothing read yet</Dimmed>;
  return (
    <>
      {found.share} %
      {found.rest !== '' && (
        <Text size="xs" c="dimmed">
          {found.rest}
        </Text>
      )}
    </>
  );
}

function TokenEnd({ day }: { readonly day: string | null }) {
  const now = useNow();
  if (day === null) return <Dimmed>no end known</Dimmed>;
  const ending = endingOf(day, now);
  if (ending === 'ended') return <StateBadge state="expired" why={`It ended on ${day} and is not used any more.`} />;
  return (
    <>
      <span style={{ whiteSpace: 'nowrap' }}>{day}</span>
      {ending === 'soon' && (
        <Text size="xs" fw={600}>
          <Moment at={`${day}T00:00:00.000Z`} />
        </Text>
      )}
    </>
  );
}
