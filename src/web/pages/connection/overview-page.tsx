/** A connection at a glance: how it is, how complete, and what people must know of it. */
import { Alert, Group, Stack, Text } from '@mantine/core';
import { useRead, type Answer } from '../../api.ts';
import { IconAlert } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { count } from '../../parts/words.ts';
import { Fact, Facts } from './facts.tsx';
import { Section } from './section.tsx';
import { useConnectionId } from './use-connection.ts';

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

function Summary({ of }: { readonly of: Overview }) {
  return (
    <>
      {of.warnings.map((warning) => (
        <Alert key={warning} color="orange" variant="light" icon={<IconAlert />} title="Attention">
          {warning}
        </Alert>
      ))}
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
