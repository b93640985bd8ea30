/** One project: each of its streams, counted by the server and here, and why they differ. */
import { Code, Drawer, Group, Stack, Table, Text } from '@mantine/core';
import { useRead } from '../../api.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Waiting } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { count } from '../../parts/words.ts';
import { Fact, Facts } from './facts.tsx';
import type { Project } from './projects-page.tsx';

export interface ProjectDetailsProps {
  readonly connection: number;
  readonly projectKey: string;
  /** What is loaded already; the project is asked for when it is not among them. */
  readonly rows: readonly Project[];
  readonly onClose: () => void;
}

export function ProjectDetails({ connection, projectKey, rows, onClose }: ProjectDetailsProps) {
  const loaded = rows.find(({ key }) => key === projectKey);
  const asked = useRead(
    'projects.list',
    { connection_id: connection, search: projectKey.slice(0, 500), sort: 'key', limit: 500 },
    { enabled: loaded === undefined },
  );
  const project = loaded ?? asked.data?.projects.find(({ key }) => key === projectKey);
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="xl"
      title={
        <Text span fw={650} dir="auto" lineClamp={3}>
          {project?.name ?? projectKey}
        </Text>
      }
      closeButtonProps={{ 'aria-label': 'Close the project' }}
    >
      {project ? (
        <Details project={project} />
      ) : asked.isError ? (
        <ErrorNotice error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isSuccess ? (
        <Text size="sm">
          There is no project with the key <Code>{projectKey}</Code> in this connection.
        </Text>
      ) : (
        <Waiting />
      )}
    </Drawer>
  );
}

function Details({ project }: { readonly project: Project }) {
  return (
    <Stack>
      <Group gap="sm">
        <StateBadge state={project.state} />
        <Code>
          <bdi>{project.key}</bdi>
        </Code>
        <CopyButton text={project.key} label="Copy the key" />
      </Group>
      <Facts>
        <Fact name="Visibility">{project.visibility ?? 'not told'}</Fact>
        <Fact name="Last analysis">
          <Moment at={project.last_analysis_date} />
        </Fact>
        <Fact name="Issues confirmed">
          <Moment at={project.issues_synced_at} />
        </Fact>
        <Fact name="Measures confirmed">
          <Moment at={project.metrics_synced_at} />
        </Fact>
        {project.deleted_at !== null && (
          <Fact name="Gone since">
            <Moment at={project.deleted_at} /> ({project.gone_reason ?? 'no reason is known'}); what was stored stays
          </Fact>
        )}
      </Facts>
      {project.streams.length === 0 ? (
        <Text size="sm" c="dimmed">
          {project.deleted_at === null
            ? 'Nothing of it has been read yet; the next sync does.'
            : 'The server has nothing of it any more to compare with.'}
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={480}>
          <Table aria-label="Streams of the project">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Stream</Table.Th>
                <Table.Th scope="col">State</Table.Th>
                <Table.Th scope="col" ta="right">
                  Server
                </Table.Th>
                <Table.Th scope="col" ta="right">
                  Here
                </Table.Th>
                <Table.Th scope="col">Checked</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {project.streams.map((stream) => (
                <Table.Tr key={stream.stream}>
                  <Table.Td>
                    {stream.stream}
                    {stream.reason !== null && (
                      <Text size="xs" c="dimmed">
                        {stream.reason}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <StateBadge state={stream.state} why={stream.reason} />
                  </Table.Td>
                  <Table.Td ta="right" className="numbers">
                    {stream.server_total === null ? 'not told' : count(stream.server_total)}
                  </Table.Td>
                  <Table.Td ta="right" className="numbers">
                    {count(stream.present)}
                    {stream.kept > 0 && (
                      <Text size="xs" c="dimmed">
                        and {count(stream.kept)} gone, kept
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Moment at={stream.checked_at} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}
