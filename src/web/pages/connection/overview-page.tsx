/** A connection at a glance: how it is, how complete, and what people must know of it. */
import { Alert, Group, Stack, Text } from '@mantine/core';
import { useRead, type Answer } from '../../api.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconAlert } from '../../parts/icons.tsx';
import { Loaded, Waiting } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { count } from '../../parts/words.ts';
import { Fact, Facts } from './facts.tsx';
import { Cancel, Start } from './run-actions.tsx';
import { RunProgress } from './run-progress.tsx';
import { isOpen } from './run-words.ts';
import { Section } from './section.tsx';
import { Timeline } from './timeline.tsx';
import { useConnectionId } from './use-connection.ts';
import { useRun } from './use-run.ts';
import { useRuns } from './use-runs.ts';

/** As many as fit side by side. */
const SHOWN_RUNS = 40;

type Overview = Answer<'connections.overview'>['connections'][number];

export function OverviewPage() {
  const id = useConnectionId();
  const overview = useRead('connections.overview', {}, { refresh: 10_000 });
  return (
    <Stack>
      <Loaded of={overview} what="The overview">
        {({ connections }) => {
          const found = connections.find((one) => one.id === id);
          // the frame around this page says that it is gone
          return found ? <Summary of={found} /> : null;
        }}
      </Loaded>
    </Stack>
  );
}

/** The run that is under way, or the way to begin one; and the last runs. */
function Sync({ of }: { readonly of: Overview }) {
  const list = useRuns(of.id, { limit: SHOWN_RUNS });
  const runs = list.data?.pages[0]?.runs ?? [];
  // of two that wait and run, the running one is older
  const open = runs.findLast(({ state }) => isOpen(state));
  return (
    <>
      <Section title={open ? 'A sync is under way' : 'Sync'}>
        {open ? (
          <UnderWay key={open.id} id={open.id} />
        ) : (
          <>
            {of.disabled_at !== null && (
              <Text size="sm">
                The connection is disabled: <bdi>{of.disabled_reason ?? 'no reason is known'}</bdi>. Enable it in its
                settings to sync it.
              </Text>
            )}
            <Start connection={of.id} disabled={of.disabled_at !== null} />
          </>
        )}
      </Section>
      <Section title="Last runs">
        {list.isError && (
          <ErrorNotice
            error={list.error}
            title="The runs cannot be shown as they are now"
            onRetry={() => void list.refetch()}
          />
        )}
        {list.data ? <Timeline connection={of.id} runs={runs} /> : !list.isError && <Waiting />}
        {of.last_run?.error && (
          <Text size="sm">
            The last one ended early: {of.last_run.error.message}{' '}
            <PageLink
              to="/connections/$id/runs/$run"
              params={{ id: String(of.id), run: String(of.last_run.id) }}
              size="sm"
              underline="always"
            >
              What happened, and what to do
            </PageLink>
          </Text>
        )}
      </Section>
    </>
  );
}

function UnderWay({ id }: { readonly id: number }) {
  const { asked, samples } = useRun(id);
  return (
    <Loaded of={asked} what="The run">
      {({ run }) => (
        <>
          <RunProgress run={run} samples={samples} />
          {isOpen(run.state) && <Cancel run={run} />}
        </>
      )}
    </Loaded>
  );
}

function Summary({ of }: { readonly of: Overview }) {
  return (
    <>
      {of.warnings.map((warning) => (
        <Alert key={warning} color="orange" variant="light" icon={<IconAlert />} title="Attention">
          {warning}
        </Alert>
      ))}
      <Sync of={of} />
      <Section title="State">
        <Facts>
          <Fact name="Server">
            {of.server_version === null ? 'version not known yet' : `SonarQube ${of.server_version}`}
          </Fact>
          <Fact name="Last completed sync">
            <Moment at={of.last_synced_at} />
          </Fact>
          <Fact name="Next sync">
            <Moment at={of.next_sync_at} never={of.disabled_at === null ? 'none planned' : 'none while disabled'} />
          </Fact>
          <Fact name="Token ends">{of.expiration_date ?? 'no end is known'}</Fact>
          <Fact name="Projects">
            <PageLink to="/connections/$id/projects" params={{ id: String(of.id) }}>
              {count(of.projects)}
            </PageLink>
          </Fact>
        </Facts>
      </Section>
      <Completeness of={of} />
    </>
  );
}

const STATES = ['complete', 'moving', 'short', 'suspect', 'unreadable'] as const;

/** How many streams of how many projects are proven complete, and how many are not. */
function Completeness({ of }: { readonly of: Overview }) {
  const all = STATES.reduce((sum, state) => sum + of.completeness[state], 0);
  return (
    <Section title="Completeness" about="Each stream of each project is compared with the server’s own count.">
      {all === 0 ? (
        <Text size="sm">Nothing has been read yet.</Text>
      ) : (
        <Group gap="lg">
          {STATES.filter((state) => state === 'complete' || of.completeness[state] > 0).map((state) => (
            <Group gap="xs" key={state}>
              <StateBadge state={state} />
              <PageLink
                to="/connections/$id/projects"
                params={{ id: String(of.id) }}
                search={{ state }}
                className="numbers"
                aria-label={`${count(of.completeness[state])} of ${count(all)} are ${state}: show the projects`}
              >
                {count(of.completeness[state])}
              </PageLink>
            </Group>
          ))}
        </Group>
      )}
    </Section>
  );
}
