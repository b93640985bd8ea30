/** Everything that can be set on a connection: its settings, its credentials, and its end. */
import { Alert, Stack } from '@mantine/core';
import { IconInfo } from '../../parts/icons.tsx';
import { Credentials } from './credentials.tsx';
import { Danger } from './danger.tsx';
import classes from './connection-page.module.css';
import { SettingsForm } from './settings-form.tsx';
import { useConnection, useConnectionId, useMayChange } from './use-connection.ts';

export function SettingsPage() {
  const id = useConnectionId();
  const may = useMayChange();
  const connection = useConnection(id).data?.connection;
  // the frame around this page says why there is none
  if (!connection) return null;
  return (
    <fieldset disabled={!may} className={classes['settings']}>
      <Stack maw={1000}>
        {!may && (
          <Alert color="sea" variant="light" icon={<IconInfo />} title="Only to look at">
            Your role may look at settings, not change them; an editor may.
          </Alert>
        )}
        <Credentials connection={connection} />
        <SettingsForm key={id} connection={connection} />
        <Danger connection={connection} />
      </Stack>
    </fieldset>
  );
}
