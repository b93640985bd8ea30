/** Stopping a connection, and its end. */
import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange } from '../../api.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Moment } from '../../parts/moment.tsx';
import { Section } from './section.tsx';
import { CONNECTION_FAMILIES, type ConnectionInfo } from './use-connection.ts';

export function Danger({ connection }: { readonly connection: ConnectionInfo }) {
  const [deleting, setDeleting] = useState(false);
  return (
    <Section title="Stop and delete">
      {connection.disabled_at === null ? <Disable connection={connection} /> : <Enable connection={connection} />}
      <Group justify="space-between">
        <Text size="sm" style={{ flex: '1 1 16rem' }}>
          Deleting forgets the tokens and takes the connection out of every list; the data can be kept.
        </Text>
        <Button color="red" variant="outline" onClick={() => setDeleting(true)}>
          Delete the connection
        </Button>
      </Group>
      {deleting && <DeleteDialog connection={connection} onClose={() => setDeleting(false)} />}
    </Section>
  );
}

function Disable({ connection }: { readonly connection: ConnectionInfo }) {
  const disable = useChange('connections.disable', CONNECTION_FAMILIES);
  const [reason, setReason] = useState('');
  const given = reason.trim();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        disable.mutate({ id: connection.id, ...(given !== '' && { reason: given }) });
      }}
    >
      <Stack gap="sm">
        <Group align="flex-end">
          <TextInput
            label="Why it is to stop"
            placeholder="Optional: shown to everybody who wonders"
            maxLength={500}
            dir="auto"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            style={{ flex: '1 1 16rem' }}
          />
          <Button type="submit" variant="default" loading={disable.isPending}>
            Disable the connection
          </Button>
        </Group>
        {disable.isError && <ErrorNotice error={disable.error} title="It was not disabled" />}
      </Stack>
    </form>
  );
}

function Enable({ connection }: { readonly connection: ConnectionInfo }) {
  const enable = useChange('connections.enable', CONNECTION_FAMILIES);
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" style={{ flex: '1 1 16rem' }}>
          Disabled <Moment at={connection.disabled_at} />:{' '}
          <bdi>{connection.disabled_reason ?? 'no reason is known'}</bdi>
        </Text>
        <Button loading={enable.isPending} onClick={() => enable.mutate({ id: connection.id })}>
          Enable the connection
        </Button>
      </Group>
      {enable.isError && <ErrorNotice error={enable.error} title="It was not enabled" />}
    </Stack>
  );
}

function DeleteDialog({ connection, onClose }: { readonly connection: ConnectionInfo; readonly onClose: () => void }) {
  const remove = useChange('connections.delete', CONNECTION_FAMILIES);
  const navigate = useNavigate();
  const [purge, setPurge] = useState(false);
  const [typed, setTyped] = useState('');
  // a name is typed as it is seen: runs of blanks look like one
  const plain = (text: string): string => text.trim().replace(/\s+/g, ' ').normalize('NFC');
  const confirmed = plain(typed) === plain(connection.name);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title="Delete the connection"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!confirmed) return;
          // the page finds the connection gone and takes this dialog away before callbacks of its own would be called
          remove.mutateAsync({ id: connection.id, purge_data: purge }).then(
            () => navigate({ to: '/connections', replace: true }),
            () => undefined, // shown below
          );
        }}
      >
        <Stack>
          <Text size="sm">
            “<bdi>{connection.name}</bdi>” is taken out of every list, its tokens are forgotten and its runs are
            stopped.
          </Text>
          <Checkbox
            label="Delete its data too"
            description="Every row of it in every table, at once and for good; without this the data stays and can be queried"
            checked={purge}
            onChange={(event) => setPurge(event.currentTarget.checked)}
          />
          <TextInput
            label={
              <>
                Type its name to confirm: <bdi>{connection.name}</bdi>
              </>
            }
            autoComplete="off"
            dir="auto"
            data-autofocus
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          {remove.isError && <ErrorNotice error={remove.error} title="It was not deleted" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Keep it
            </Button>
            <Button type="submit" color="red.9" disabled={!confirmed} loading={remove.isPending}>
              {purge ? 'Delete it and its data' : 'Delete it'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
