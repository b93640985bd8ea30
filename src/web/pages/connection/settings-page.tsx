/** Everything that can be set on a connection: its settings, its credentials, and its end. */
import { Stack } from '@mantine/core';
import { Credentials } from './credentials.tsx';
import { Danger } from './danger.tsx';
import { SettingsForm } from './settings-form.tsx';
import { useConnection, useConnectionId } from './use-connection.ts';

export function SettingsPage() {
  const id = useConnectionId();
  const connection = useConnection(id).data?.connection;
  // the frame around this page says why there is none
  if (!connection) return null;
  return (
    <Stack maw={1000}>
      <Credentials connection={connection} />
      <SettingsForm key={id} connection={connection} />
      <Danger connection={connection} />
    </Stack>
  );
}
