/** Adding, changing and removing a user, and the link by which they choose a password. */
import { Alert, Button, Code, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useChange, type Answer } from '../../api.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { ROLES, type Role } from '../../session.ts';
import type { User } from './users-page.tsx';

type Link = Answer<'users.link'>['link'];

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

function Dialog({ title, onClose, children }: DialogProps) {
  return (
    <Modal opened onClose={onClose} size="lg" title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      {children}
    </Modal>
  );
}

interface FieldsProps {
  readonly user?: User;
  readonly save: (fields: { name: string; role: Role }) => void;
  readonly saving: boolean;
  readonly error: ReactNode;
  readonly label: string;
  readonly onClose: () => void;
}

function Fields({ user, save, saving, error, label, onClose }: FieldsProps) {
  const [name, setName] = useState(user?.name ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save({ name, role });
      }}
    >
      <Stack>
        <TextInput
          label="Name"
          description="What they sign in as"
          required
          data-autofocus
          autoComplete="off"
          dir="auto"
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Radio.Group label="Role" value={role} onChange={(value) => setRole(value)}>
          <Stack gap="xs" mt="xs">
            {ROLES.map(({ value, label: word, about }) => (
              <Radio key={value} value={value} label={`${word}: ${about}`} />
            ))}
          </Stack>
        </Radio.Group>
        {error}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={saving}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function AddUser({ onClose }: { readonly onClose: () => void }) {
  const create = useChange('users.create');
  if (create.data?.link) {
    return (
      <Dialog title="The user was added" onClose={onClose}>
        <ShownOnce link={create.data.link} name={create.data.user.name} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <Fields
        label="Add and make a link"
        save={(fields) => create.mutate(fields)}
        saving={create.isPending}
        error={create.isError && <ErrorNotice error={create.error} title="The user was not added" />}
        onClose={onClose}
      />
    </Dialog>
  );
}

export function ChangeUser({ user, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const update = useChange('users.update', ['users', 'session']);
  return (
    <Dialog title="Change the user" onClose={onClose}>
      <Fields
        user={user}
        label="Save"
        save={(fields) => update.mutate({ id: user.id, ...fields }, { onSuccess: onClose })}
        saving={update.isPending}
        error={update.isError && <ErrorNotice error={update.error} title="The user was not changed" />}
        onClose={onClose}
      />
    </Dialog>
  );
}

export function LinkFor({ user, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const make = useChange('users.link');
  return (
    <Dialog title="A link for a new password" onClose={onClose}>
      {make.data ? (
        <ShownOnce link={make.data.link} name={user.name} onClose={onClose} />
      ) : (
        <Stack>
          <Text size="sm">
            By the link <bdi>{user.name}</bdi> chooses a new password. The one they have works until then; links made
            before end.
          </Text>
          {make.isError && <ErrorNotice error={make.error} title="The link was not made" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button loading={make.isPending} onClick={() => make.mutate({ name: user.name })}>
              Make a link
            </Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}

export function RemoveUser({ user, onClose }: { readonly user: User; readonly onClose: () => void }) {
  const remove = useChange('users.delete', ['users', 'session']);
  return (
    <Dialog title="Remove the user" onClose={onClose}>
      <Stack>
        <Text size="sm">
          <bdi>{user.name}</bdi> is signed out everywhere at once and cannot sign in any more
          {user.oidc ? ', also not through the provider, until an admin adds the same name again' : ''}. What they saved
          stays.
        </Text>
        {remove.isError && <ErrorNotice error={remove.error} title="The user was not removed" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Keep
          </Button>
          <Button
            color="red.9"
            loading={remove.isPending}
            onClick={() => remove.mutate({ id: user.id }, { onSuccess: onClose })}
          >
            Remove
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

interface ShownOnceProps {
  readonly link: Link;
  readonly name: string;
  readonly onClose: () => void;
}

function ShownOnce({ link, name, onClose }: ShownOnceProps) {
  const address = `${window.location.origin}${link.path}`;
  return (
    <Stack>
      <Alert variant="light" role="note" title="Give this link to nobody else">
        <bdi>{name}</bdi> chooses a password by it. It works once, for an hour, and is shown this once.
      </Alert>
      <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
        {address}
      </Code>
      <Group justify="flex-end">
        <CopyButton text={address} label="Copy the link" size="sm" />
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
