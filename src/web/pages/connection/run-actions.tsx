/** Starting and cancelling a sync, and what came of it. */
import { Button, Checkbox, Group, Stack } from '@mantine/core';
import { useState } from 'react';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconRefresh, IconStop } from '../../parts/icons.tsx';
import { useMayChange } from './use-connection.ts';
import { useCancel, useStart } from './use-runs.ts';
import type { Run } from './use-run.ts';

export interface StartProps {
  readonly connection: number;
  readonly disabled?: boolean;
  /** What the button says. */
  readonly label?: string;
  /** Called with the run that was begun, or that waited already. */
  readonly onStarted?: (run: number) => void;
}

export function Start({ connection, disabled = false, label = 'Sync now', onStarted }: StartProps) {
  const start = useStart();
  const [full, setFull] = useState(false);
  if (!useMayChange()) return null;
  return (
    <Stack gap="sm">
      <Group>
        <Button
          leftSection={<IconRefresh size={16} />}
          disabled={disabled}
          loading={start.isPending}
          onClick={() =>
            start.mutate(
              { connection_id: connection, ...(full && { full }) },
              { onSuccess: ({ run }) => onStarted?.(run.id) },
            )
          }
        >
          {label}
        </Button>
        <Checkbox
          label="Read everything again, not only what changed"
          checked={full}
          disabled={disabled}
          onChange={(event) => setFull(event.currentTarget.checked)}
        />
      </Group>
      {start.isError && <ErrorNotice error={start.error} title="The sync was not started" />}
    </Stack>
  );
}

export function Cancel({ run }: { readonly run: Run }) {
  const cancel = useCancel();
  const asked = run.cancel_requested_at !== null;
  if (!useMayChange()) return null;
  return (
    <Stack gap="sm">
      <Group>
        <Button
          variant="default"
          leftSection={<IconStop size={16} />}
          loading={cancel.isPending}
          disabled={asked}
          onClick={() => cancel.mutate({ id: run.id })}
        >
          {asked ? 'Is being cancelled' : 'Cancel the sync'}
        </Button>
      </Group>
      {cancel.isError && <ErrorNotice error={cancel.error} title="The sync was not cancelled" />}
    </Stack>
  );
}
