/** Making an API token, which is shown once, and ending one. */
import { Alert, Button, Checkbox, Code, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../../api.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import type { Scope } from '../../session.ts';
import type { Token } from './tokens-page.tsx';

const SCOPES: readonly { readonly value: Scope; readonly about: string }[] = [
  { value: 'read', about: 'projects, runs, schema, insights' },
  { value: 'connections:read', about: 'look at connections and credentials, never at their tokens' },
  { value: 'connections:write', about: 'change connections and credentials, and sync' },
  { value: 'query', about: 'SQL, saved queries, downloads' },
  { value: 'admin', about: 'everything, users and tokens too' },
];

export function AddToken({ onClose }: { readonly onClose: () => void }) {
  const create = useChange('tokens.create');
  const [label, setLabel] = useState('');
  const [scopes, setScopes] = useState<string[]>(['read']);
  const [end, setEnd] = useState('');
  const token = create.data?.token;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={token === undefined ? 'Make an API token' : 'The token was made'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {token === undefined ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const given = label.trim();
            create.mutate({
              scopes: scopes as Scope[],
              ...(given !== '' && { label: given }),
              ...(end !== '' && { expires_at: end }),
            });
          }}
        >
          <Stack>
            <TextInput
              label="What it is for"
              placeholder="CI, Grafana …"
              data-autofocus
              autoComplete="off"
              dir="auto"
              maxLength={200}
              value={label}
              onChange={(event) => setLabel(event.currentTarget.value)}
            />
            <Checkbox.Group label="What it may do" value={scopes} onChange={setScopes}>
              <Stack gap="xs" mt="xs">
                {SCOPES.map(({ value, about }) => (
                  <Checkbox key={value} value={value} label={`${value}: ${about}`} />
                ))}
              </Stack>
            </Checkbox.Group>
            <TextInput
              type="date"
              label="End of the token"
              description="Empty: it has none"
              value={end}
              onChange={(event) => setEnd(event.currentTarget.value)}
            />
            {create.isError && <ErrorNotice error={create.error} title="The token was not made" />}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending} disabled={scopes.length === 0}>
                Make the token
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Stack>
          <Alert variant="light" role="note" title="It is shown this once">
            Keep it where secrets are kept; Soundings itself keeps only a hash of it.
          </Alert>
          <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
            {token}
          </Code>
          <Group justify="flex-end">
            <CopyButton text={token} label="Copy the token" size="sm" />
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

export function RevokeToken({ token, onClose }: { readonly token: Token; readonly onClose: () => void }) {
  const revoke = useChange('tokens.revoke');
  return (
    <Modal opened onClose={onClose} title="Revoke the token" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <Text size="sm">
          “<bdi>{token.label}</bdi>” ends at once and for good; whatever calls with it is refused.
        </Text>
        {revoke.isError && <ErrorNotice error={revoke.error} title="The token was not revoked" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button
            color="red.9"
            loading={revoke.isPending}
            onClick={() => revoke.mutate({ id: token.id }, { onSuccess: onClose })}
          >
            Revoke it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
