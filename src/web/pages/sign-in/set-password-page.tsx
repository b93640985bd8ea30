/** Where a one-time link leads: the first user's name and password, or the new password of somebody. */
import { Alert, Button, Code, Stack, Text, TextInput } from '@mantine/core';
import { useLocation } from '@tanstack/react-router';
import { useState } from 'react';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Card } from './card.tsx';
import { NewPassword, NOTHING_TYPED, problemOf } from './new-password.tsx';
import { useBegin } from './use-begin.ts';

export function WelcomePage() {
  return <ByLink title="Welcome" isFirst />;
}

export function SetPasswordPage() {
  return <ByLink title="Choose a password" isFirst={false} />;
}

/** What the link holds stands behind the `#`: it is in no log of any server. */
function ByLink({ title, isFirst }: { readonly title: string; readonly isFirst: boolean }) {
  const held = new URLSearchParams(useLocation().hash);
  const link = held.get('link') ?? '';
  const begin = useBegin('/');
  const [name, setName] = useState(held.get('name') ?? '');
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [tried, setTried] = useState(false);
  if (link === '') {
    return (
      <Card title={title}>
        <Alert color="red" variant="light" role="alert" title="This address is not whole">
          Open the whole link, with everything after the <Code>#</Code>.
        </Alert>
      </Card>
    );
  }
  return (
    <Card title={title}>
      <Text size="sm">
        {isFirst
          ? 'You are the first here, and will be an admin. Choose what you are called and a password.'
          : 'From now on you sign in with this password. Sessions that are open elsewhere end.'}
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (problemOf(typed) !== null) return;
          begin.mutate({ link, password: typed.password, ...(isFirst && { name }) });
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            name="username"
            autoComplete="username"
            required
            readOnly={!isFirst}
            autoFocus={isFirst}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NewPassword typed={typed} onType={setTyped} tried={tried} />
          {begin.isError && <ErrorNotice error={begin.error} title="The password was not set" />}
          <Button type="submit" loading={begin.isPending} fullWidth>
            Set the password and sign in
          </Button>
        </Stack>
      </form>
    </Card>
  );
}
