/** Signing in by name and password, or through the provider. */
import { Alert, Button, Code, Divider, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { useSession } from '../../session.ts';
import { Card } from './card.tsx';
import { pageOf, REFUSALS } from './sign-in-search.ts';
import { useBegin } from './use-begin.ts';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  const { next, refused } = route.useSearch();
  const session = useSession();
  const begin = useBegin(pageOf(next));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const router = useRouter();
  const isSignedIn = session.data?.user != null && begin.isIdle;
  useEffect(() => {
    if (isSignedIn) router.history.replace(pageOf(next));
  }, [isSignedIn, next, router]);
  const { oidc = null, has_users = true } = session.data ?? {};
  return (
    <Card title="Sign in">
      {refused !== undefined && (
        <Alert color="red" variant="light" role="alert" title="You are not signed in">
          {REFUSALS[refused] ?? REFUSALS['unexpected']}
        </Alert>
      )}
      {session.isError && <ErrorNotice error={session.error} onRetry={() => void session.refetch()} />}
      {!has_users && (
        <Alert variant="light" title="Nobody can sign in yet" role="note">
          Open the link that <Code>soundings serve</Code> has printed where it was started: it makes the first user. Is
          it older than an hour, <Code>soundings users link</Code> prints another.
        </Alert>
      )}
      {oidc !== null && (
        <>
          <Button component="a" href={`/auth/oidc?${new URLSearchParams({ next: pageOf(next) }).toString()}`} fullWidth>
            Sign in with {oidc}
          </Button>
          <Divider label="or with a password" />
        </>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          begin.mutate({ name, password }, { onError: () => setPassword('') });
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            name="username"
            autoComplete="username"
            required
            autoFocus
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            required
            maxLength={256}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {begin.isError && <ErrorNotice error={begin.error} title="You are not signed in" />}
          <Button type="submit" variant={oidc === null ? 'filled' : 'default'} loading={begin.isPending} fullWidth>
            Sign in
          </Button>
        </Stack>
      </form>
      <Text size="sm" c="dimmed">
        Password lost? An admin can make a link for a new one, or <Code>soundings users link --name NAME</Code> on the
        machine of the server.
      </Text>
    </Card>
  );
}
