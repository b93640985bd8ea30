/** One run: how far it is or how it went, what it warns of, what is missing and why, and what to do about it. */
import { Alert, Code, Group, List, Stack, Text, Title } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { ApiError } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconAlert, IconClock } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { StateBadge, type State } from '../../parts/state-badge.tsx';
import { count, counted } from '../../parts/words.ts';
import { Fact, Facts } from './facts.tsx';
import { Cancel, Start } from './run-actions.tsx';
import { RunProgress } from './run-progress.tsx';
import { isOpen, modeOf, remedyOf, streamOf, triggerOf, written, type Sample } from './run-words.ts';
import { Section } from './section.tsx';
import { useConnection, useConnectionId } from './use-connection.ts';
import { useRun, type Run } from './use-run.ts';

export function RunPage() {
  const connection = useConnectionId();
  const { run: named } = useParams({ strict: false });
  const id = named !== undefined && /^[1-9]\d{0,14}$/.test(named) ? Number(named) : 0;
  const { asked, run, samples } = useRun(id);
  const missing = id === 0 || (asked.error instanceof ApiError && asked.error.code === 'run_not_found');
  // the run of another connection has no place on this one's page
  if (missing || (run && run.connection_id !== connection)) {
    return (
      <EmptyState title="No such run" icon={<IconClock size={28} />}>
        It is older than runs are kept, or the link is wrong.{' '}
        <PageLink to="/connections/$id/runs" params={{ id: String(connection) }} size="sm" underline="always">
          All runs of this connection
        </PageLink>
      </EmptyState>
    );
  }
  return (
    <Loaded of={asked} what="The run">
      {({ run: found }) => <OneRun run={found} samples={samples} />}
    </Loaded>
  );
}

type Shortfall = Run['shortfalls'][number];

function OneRun({ run, samples }: { readonly run: Run; readonly samples: readonly Sample[] }) {
  const navigate = useNavigate();
  const connection = useConnection(run.connection_id).data?.connection;
  const { added, changed, gone } = written(run.progress);
  const goTo = (other: number): void =>
    void navigate({
      to: '/connections/$id/runs/$run',
      params: { id: String(run.connection_id), run: String(other) },
    });
  return (
    <Stack>
      <Group gap="sm">
        <Title order={2} size="h3">
          Run {run.id}
        </Title>
        <StateBadge state={run.state} />
      </Group>
      {run.error && (
        <Alert color="red" variant="light" icon={<IconAlert />} title="Why it ended" role="alert">
          <Stack gap="xs" align="flex-start">
            <Text size="sm">{run.error.message}</Text>
            <Text size="sm">{remedyOf(run.error.code)}</Text>
            <Code>{run.error.code}</Code>
          </Stack>
        </Alert>
      )}
      <Section title={isOpen(run.state) ? 'Progress' : 'What was read'}>
        <RunProgress run={run} samples={samples} />
        {isOpen(run.state) ? (
          <Cancel run={run} />
        ) : (
          <Start
            connection={run.connection_id}
            label={run.state === 'complete' ? 'Sync again' : 'Retry'}
            disabled={connection?.disabled_at !== null}
            onStarted={goTo}
          />
        )}
      </Section>
      {run.shortfalls.length > 0 && <Shortfalls of={run.shortfalls} />}
      {run.progress.warnings.length > 0 && (
        <Section title="Warnings">
          <List size="sm" spacing="xs">
            {run.progress.warnings.map((warning, index) => (
              <List.Item key={index}>{warning}</List.Item>
            ))}
          </List>
        </Section>
      )}
      <Section title="About this run">
        <Facts>
          <Fact name="Begun by">{triggerOf(run.trigger)}</Fact>
          <Fact name="Reads">{modeOf(run.mode)}</Fact>
          <Fact name="Queued">
            <Moment at={run.queued_at} />
          </Fact>
          <Fact name="Started">
            <Moment at={run.started_at} never="not yet" />
          </Fact>
          <Fact name="Ended">
            <Moment at={run.ended_at} never="not yet" />
          </Fact>
          <Fact name="Rows">
            {count(added)} added, {count(changed)} changed, {count(gone)} gone
          </Fact>
          <Fact name="Soundings">{run.program_version}</Fact>
        </Facts>
      </Section>
    </Stack>
  );
}

const STATES: readonly State[] = ['moving', 'short', 'suspect', 'unreadable'];

const COLUMNS: readonly Column<Shortfall>[] = [
  {
    id: 'project',
    header: 'Project',
    value: ({ project }) => project,
    cell: ({ project }) => <bdi>{project ?? 'the whole connection'}</bdi>,
  },
  { id: 'stream', header: 'Stream', value: ({ stream }) => stream, cell: ({ stream }) => streamOf(stream) },
  {
    id: 'state',
    header: 'State',
    value: ({ state }) => state,
    cell: ({ state, reason }) => {
      const known = STATES.find((one) => one === state);
      return known ? <StateBadge state={known} why={reason} /> : state;
    },
  },
  { id: 'reason', header: 'Why', cell: ({ reason }) => reason },
];

function Shortfalls({ of }: { readonly of: readonly Shortfall[] }) {
  return (
    <Section title="Not complete" about={`${counted(of.length, 'stream')} of projects, and why`}>
      <DataTable
        label="What is not complete"
        rows={of}
        columns={COLUMNS}
        rowKey={({ stream, project, state }) => `${stream} ${project ?? ''} ${state}`}
      />
    </Section>
  );
}
