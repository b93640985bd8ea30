/** The credentials of a connection: what each may read, when it ends, and what can be done with it. */
import { Alert, Badge, Button, Card, Group, List, Modal, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useState } from 'react';
import { useChange, useRead, type Answer } from '../../api.ts';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconAlert, IconKey, IconPlus } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { useNow } from '../../parts/use-now.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import { CredentialDialog } from './credential-dialog.tsx';
import { Section } from './section.tsx';
import { CONNECTION_FAMILIES, type ConnectionInfo } from './use-connection.ts';
import { ChangeFailure, VerificationResult } from './verification.tsx';

export type Credential = Answer<'credentials.list'>['credentials'][number];

type Open = { readonly what: 'add' } | { readonly what: 'update' | 'delete'; readonly credential: Credential };

export function Credentials({ connection }: { readonly connection: ConnectionInfo }) {
  const found = useRead('credentials.list', { connection_id: connection.id }, { refresh: 15_000 });
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  const sample = connection.settings['sample'] === true;
  return (
    <Section
      title="API credentials"
      about="Requests are spread over all that are in use. A token is stored sealed, and never shown again."
      actions={
        !sample && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => setOpen({ what: 'add' })}>
            Add credential
          </Button>
        )
      }
    >
      <Loaded of={found} what="The credentials">
        {({ credentials }) =>
          credentials.length === 0 ? (
            <EmptyState title="No credential" icon={<IconKey size={28} />}>
              Without one the connection cannot be synced: add a token of a user who may read what is to be read.
            </EmptyState>
          ) : (
            <Stack gap="sm">
              {credentials.map((credential) => (
                <OneCredential
                  key={credential.id}
                  connection={connection.id}
                  credential={credential}
                  onOpen={setOpen}
                  fixed={sample}
                />
              ))}
            </Stack>
          )
        }
      </Loaded>
      {open?.what === 'add' && <CredentialDialog connection={connection} onClose={close} />}
      {open?.what === 'update' && (
        <CredentialDialog connection={connection} credential={open.credential} onClose={close} />
      )}
      {open?.what === 'delete' && (
        <DeleteDialog
          connection={connection.id}
          credential={open.credential}
          last={found.data?.credentials.length === 1}
          onClose={close}
        />
      )}
    </Section>
  );
}

interface OneCredentialProps {
  readonly connection: number;
  readonly credential: Credential;
  readonly onOpen: (open: Open) => void;
  /** The sample's: nothing can be done with it. */
  readonly fixed: boolean;
}

function OneCredential({ connection, credential, onOpen, fixed }: OneCredentialProps) {
  const verify = useChange('connections.verify', CONNECTION_FAMILIES);
  const now = useNow();
  const { id, label, disabled_at, disabled_reason, expiration_date, warnings } = credential;
  const ended = expiration_date !== null && Date.parse(expiration_date) <= now;
  return (
    <Card withBorder radius="md" component="article" aria-label={`Credential ${label}`}>
      <Stack gap="xs">
        <Group justify="space-between" align="flex-start">
          <Group gap="sm" style={{ minWidth: 0 }}>
            <Text fw={600} dir="auto">
              {label}
            </Text>
            <StateBadge
              state={disabled_at !== null ? 'disabled' : ended ? 'expired' : 'active'}
              why={disabled_reason}
            />
          </Group>
          {!fixed && (
            <Group gap="xs">
              <Button
                size="xs"
                variant="default"
                loading={verify.isPending}
                onClick={() => verify.mutate({ id: connection, credential_id: id })}
              >
                Verify again
              </Button>
              <Button size="xs" variant="default" onClick={() => onOpen({ what: 'update', credential })}>
                Update
              </Button>
              <Button
                size="xs"
                variant="default"
                c="var(--mantine-color-error)"
                onClick={() => onOpen({ what: 'delete', credential })}
              >
                Delete
              </Button>
            </Group>
          )}
        </Group>
        {disabled_reason !== null && disabled_at !== null && (
          <Text size="sm">
            Disabled <Moment at={disabled_at} />: {disabled_reason}
          </Text>
        )}
        {warnings.map((warning) => (
          <Alert key={warning} color="orange" variant="light" icon={<IconAlert size={16} />} py="xs">
            {warning}
          </Alert>
        ))}
        <Text size="sm" c="dimmed">
          Token of type {credential.token_type};{' '}
          {expiration_date === null ? 'no end is known' : `ends on ${expiration_date}`}; verified{' '}
          <Moment at={credential.verified_at} />
        </Text>
        <Access access={credential.access} />
        {verify.data && <VerificationResult found={verify.data.verification} />}
        {verify.isError && <ChangeFailure error={verify.error} title="It could not be verified" />}
      </Stack>
    </Card>
  );
}

const ACCESS = {
  ok: { sign: '✓', word: 'may read', color: 'green' },
  denied: { sign: '✕', word: 'may not read', color: 'red' },
  unknown: { sign: '?', word: 'not known whether it may read', color: 'gray' },
} as const;

/** What it was found to be allowed to read. */
function Access({ access }: Pick<Credential, 'access'>) {
  const found = Object.entries(access);
  if (found.length === 0) return null;
  return (
    <List
      listStyleType="none"
      aria-label="What it may read"
      styles={{ root: { display: 'flex', flexWrap: 'wrap', gap: 6 } }}
    >
      {found.map(([endpoint, state]) => {
        const { sign, word, color } = ACCESS[state];
        return (
          <List.Item key={endpoint}>
            <Badge variant="light" color={color} tt="none" radius="sm" className="state-badge" data-color={color}>
              <span aria-hidden="true">{sign} </span>
              <VisuallyHidden>{word} </VisuallyHidden>
              {endpoint}
            </Badge>
          </List.Item>
        );
      })}
    </List>
  );
}

interface DeleteDialogProps {
  readonly connection: number;
  readonly credential: Credential;
  readonly last: boolean;
  readonly onClose: () => void;
}

function DeleteDialog({ connection, credential, last, onClose }: DeleteDialogProps) {
  const remove = useChange('credentials.delete', CONNECTION_FAMILIES);
  return (
    <Modal opened onClose={onClose} title="Delete the credential" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <Text size="sm">
          The token of “<bdi>{credential.label}</bdi>” is forgotten. In SonarQube it stays valid until it is revoked
          there.
          {last && ' It is the last one: the connection is not synced any more until there is another.'}
        </Text>
        {remove.isError && <ErrorNotice error={remove.error} title="It was not deleted" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button
            color="red.9"
            loading={remove.isPending}
            onClick={() => remove.mutate({ connection_id: connection, id: credential.id }, { onSuccess: onClose })}
          >
            Delete it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
