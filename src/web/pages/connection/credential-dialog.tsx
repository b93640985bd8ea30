/** Adds a credential, or changes one. Either is verified by the server before it is stored. */
import { Button, Group, Modal, PasswordInput, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../api.ts';
import type { Credential } from './credentials.tsx';
import { CONNECTION_FAMILIES, type ConnectionInfo } from './use-connection.ts';
import { ChangeFailure, fieldError } from './verification.tsx';

export interface CredentialDialogProps {
  readonly connection: ConnectionInfo;
  /** Without it a new one is added. */
  readonly credential?: Credential;
  readonly onClose: () => void;
}

export function CredentialDialog({ connection, credential, onClose }: CredentialDialogProps) {
  const create = useChange('credentials.create', CONNECTION_FAMILIES);
  const update = useChange('credentials.update', CONNECTION_FAMILIES);
  const { error, isPending } = credential ? update : create;
  const [label, setLabel] = useState(credential?.label ?? '');
  const [token, setToken] = useState('');
  const [key, setKey] = useState('');
  const [end, setEnd] = useState(credential?.expiration_date ?? '');
  const withCertificate = typeof connection.settings['client_certificate'] === 'string';

  const save = (): void => {
    const secrets = {
      ...(token.trim() !== '' && { api_token: token.trim() }),
      ...(key.trim() !== '' && { client_key: key }),
    };
    const fields = { connection_id: connection.id, ...(label.trim() !== '' && { label: label.trim() }), secrets };
    if (!credential) {
      create.mutate({ ...fields, ...(end !== '' && { expiration_date: end }) }, { onSuccess: onClose });
      return;
    }
    const ends = end === (credential.expiration_date ?? '') ? {} : { expiration_date: end === '' ? null : end };
    update.mutate({ ...fields, id: credential.id, ...ends }, { onSuccess: onClose });
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={credential ? 'Update the credential' : 'Add a credential'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">
            In SonarQube: Account &gt; Security &gt; Generate Tokens, of type User.
          </Text>
          <TextInput
            label="Label"
            placeholder={credential ? '' : 'Credential 2'}
            maxLength={200}
            dir="auto"
            value={label}
            error={fieldError(error, 'label')}
            onChange={(event) => setLabel(event.currentTarget.value)}
          />
          <PasswordInput
            label="Token"
            required={!credential}
            description={credential ? 'Leave it empty to keep the stored one' : undefined}
            autoComplete="off"
            data-autofocus
            value={token}
            error={fieldError(error, 'secrets.api_token')}
            onChange={(event) => setToken(event.currentTarget.value)}
          />
          {withCertificate && (
            <Textarea
              label="Key of the client certificate"
              description="PEM without a passphrase; leave it empty to use the stored one"
              autosize
              maxRows={8}
              spellCheck={false}
              autoComplete="off"
              value={key}
              error={fieldError(error, 'secrets.client_key')}
              onChange={(event) => setKey(event.currentTarget.value)}
            />
          )}
          <TextInput
            type="date"
            label="End of the token"
            description="Where the server does not tell it; from that day on the token is not used"
            value={end}
            error={fieldError(error, 'expiration_date')}
            onChange={(event) => setEnd(event.currentTarget.value)}
          />
          {error && <ChangeFailure error={error} title="The credential was not stored" />}
          <Group justify="flex-end">
            <span role="status">{isPending ? 'The server is asked …' : ''}</span>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={isPending}>
              Verify and save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
