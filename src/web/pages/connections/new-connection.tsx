/** "+ Connection": asks for a server and a token, has both verified, and stores them only when that succeeds. */
import { Anchor, Button, Collapse, Group, List, Modal, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useChange, type Answer } from '../../api.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { PageLink } from '../../parts/page-link.tsx';
import { CONNECTION_FAMILIES } from '../connection/use-connection.ts';
import { ChangeFailure, VerificationResult } from '../connection/verification.tsx';
import { EMPTY, inputOf, isAdvanced, NO_SECRETS, read, stepsOf, type Draft } from './draft.ts';
import { AdvancedFields, ServerFields } from './new-connection-fields.tsx';
import { SampleButton, takenBy } from './sample-button.tsx';

const KEPT = 'soundings.new-connection';

export function NewConnection({ onClose }: { readonly onClose: () => void }) {
  const create = useChange('connections.create', CONNECTION_FAMILIES);
  const made = create.data;
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={made ? 'The connection is stored' : 'New connection'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {made ? <Made made={made} onClose={onClose} /> : <Form create={create} onClose={onClose} />}
    </Modal>
  );
}

interface FormProps {
  readonly create: ReturnType<typeof useChange<'connections.create'>>;
  readonly onClose: () => void;
}

function Form({ create, onClose }: FormProps) {
  const [draft, setDraft] = useState(() => read(kept()));
  const [secrets, setSecrets] = useState(NO_SECRETS);
  const [opened, setOpened] = useState(() => isAdvanced(draft));
  const { error, isPending } = create;
  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    keep(next);
  };
  const verify = (): void =>
    create.mutate(inputOf(draft, secrets), {
      onSuccess: () => {
        setSecrets(NO_SECRETS);
        keep(EMPTY);
      },
    });
  const taken = takenBy(error);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        verify();
      }}
    >
      <Stack>
        <ServerFields
          draft={draft}
          secrets={secrets}
          change={change}
          changeSecrets={(part) => setSecrets({ ...secrets, ...part })}
          error={error}
        />
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="left"
          aria-expanded={opened}
          onClick={() => setOpened(!opened)}
        >
          {opened ? 'Fewer settings' : 'More settings: name, access, proxy, certificates'}
        </Anchor>
        <Collapse expanded={opened}>
          <AdvancedFields
            draft={draft}
            secrets={secrets}
            change={change}
            changeSecrets={(part) => setSecrets({ ...secrets, ...part })}
            error={error}
          />
        </Collapse>
        {isPending && <Steps names={stepsOf(draft)} />}
        {create.isError && <ChangeFailure error={error} title="The connection was not stored" />}
        {taken !== null && (
          <PageLink to="/connections/$id" params={{ id: String(taken) }}>
            Open the connection that there is
          </PageLink>
        )}
        <Group justify="space-between">
          <SampleButton />
          <Group>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={isPending}>
              Verify and connect
            </Button>
          </Group>
        </Group>
        <Text size="xs" c="dimmed">
          Nothing is stored until the server accepts the token. What is entered here, but for the token and the key, is
          kept in this tab until then.
        </Text>
      </Stack>
    </form>
  );
}

/** What is being tried; the server's answers to all of it come together. */
function Steps({ names }: { readonly names: readonly string[] }) {
  return (
    <div role="status">
      <Text size="sm">The server is asked, for 15 seconds at most:</Text>
      <List listStyleType="none" size="sm" spacing={2}>
        {names.map((name) => (
          <List.Item key={name}>
            <span aria-hidden="true">…</span> <VisuallyHidden>waits: </VisuallyHidden>
            <b>{name}</b>
          </List.Item>
        ))}
      </List>
    </div>
  );
}

interface MadeProps {
  readonly made: Answer<'connections.create'>;
  readonly onClose: () => void;
}

/** It is stored: what was found, and the first sync. */
function Made({ made: { connection, verification }, onClose }: MadeProps) {
  const navigate = useNavigate();
  const start = useChange('syncs.start', CONNECTION_FAMILIES);
  const begin = (): void =>
    start.mutate(
      { connection_id: connection.id },
      { onSuccess: () => void navigate({ to: '/connections/$id', params: { id: String(connection.id) } }) },
    );
  return (
    <Stack>
      <Text fw={600} dir="auto">
        {connection.name}
      </Text>
      <VerificationResult found={verification} />
      {start.isError && <ErrorNotice error={start.error} title="The sync was not started" />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Later
        </Button>
        <Button data-autofocus loading={start.isPending} onClick={begin}>
          Start the first sync
        </Button>
      </Group>
    </Stack>
  );
}

/** A browser may forbid a page to keep anything: then a draft lasts as long as the dialog. */
function kept(): string | undefined {
  try {
    return sessionStorage.getItem(KEPT) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(draft: Draft): void {
  try {
    if (draft === EMPTY) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(draft));
  } catch {
    return;
  }
}
