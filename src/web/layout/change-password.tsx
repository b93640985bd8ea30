/** One's own password, changed. */
import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useChange } from '../api.ts';
import { NewPassword, NOTHING_TYPED, problemOf } from '../pages/sign-in/new-password.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';

export function ChangePassword({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const change = useChange('session.change_password');
  const [password, setPassword] = useState('');
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [tried, setTried] = useState(false);
  return (
    <Modal opened onClose={onClose} title="Change password" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (problemOf(typed) !== null) return;
          change.mutate({ password, new_password: typed.password }, { onSuccess: onClose });
        }}
      >
        <Stack>
          <Text size="sm">Your sessions in other browsers end.</Text>
          {/* for password managers: whose password that is */}
          <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            data-autofocus
            maxLength={256}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <NewPassword typed={typed} onType={setTyped} tried={tried} />
          {change.isError && <ErrorNotice error={change.error} title="The password was not changed" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
