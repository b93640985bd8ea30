/** Makes the connection to the bundled sample, begins its first sync and goes there to watch; or goes to the one there is. */
import { Button, Stack } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { ApiError, useChange } from '../../api.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { CONNECTION_FAMILIES } from '../connection/use-connection.ts';

export function SampleButton() {
  const navigate = useNavigate();
  const create = useChange('connections.create_sample', CONNECTION_FAMILIES);
  const start = useChange('syncs.start', CONNECTION_FAMILIES);
  const open = (id: number): Promise<void> => navigate({ to: '/connections/$id', params: { id: String(id) } });
  const explore = async (): Promise<void> => {
    try {
      const { connection } = await create.mutateAsync({});
      // a sync that does not begin can be begun on the connection's page, which says why
      await start.mutateAsync({ connection_id: connection.id }).catch(() => undefined);
      await open(connection.id);
    } catch (error) {
      const there = takenBy(error);
      if (there !== null) await open(there);
    }
  };
  return (
    <Stack align="center" gap="sm">
      <Button variant="default" loading={create.isPending || start.isPending} onClick={() => void explore()}>
        Explore with the sample server
      </Button>
      {create.isError && takenBy(create.error) === null && (
        <ErrorNotice error={create.error} title="The sample was not connected" />
      )}
    </Stack>
  );
}

/** The connection that is to that server already, when that is what was refused. */
export function takenBy(error: unknown): number | null {
  const id = error instanceof ApiError && error.code === 'conflict' ? error.details['connection_id'] : null;
  return typeof id === 'number' ? id : null;
}
