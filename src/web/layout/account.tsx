/** Who is signed in, and the way out. */
import { Button, Menu, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, queries } from '../api.ts';
import { IconUser } from '../parts/icons.tsx';
import { useSession } from '../session.ts';

const ChangePassword = lazy(() =>
  import('./change-password.tsx').then((module) => ({ default: module.ChangePassword })),
);

export function Account() {
  const user = useSession().data?.user ?? null;
  const router = useRouter();
  const [changing, setChanging] = useState(false);
  const signOut = useMutation({
    mutationFn: () => api.call('session.delete', {}),
    onSuccess: () => {
      queries.clear();
      router.history.push('/sign-in');
    },
  });
  if (user === null) return null;
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconUser />} maw={{ base: 130, sm: 220 }}>
            <bdi style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>{user.name}</bdi>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text span inherit c="var(--mantine-color-text)">
              Signed in as {user.role}
            </Text>
          </Menu.Label>
          {user.has_password && <Menu.Item onClick={() => setChanging(true)}>Change password</Menu.Item>}
          <Menu.Item onClick={() => signOut.mutate()}>
            {signOut.isError ? 'Sign out (it failed, try again)' : 'Sign out'}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {changing && (
        <Suspense>
          <ChangePassword name={user.name} onClose={() => setChanging(false)} />
        </Suspense>
      )}
    </>
  );
}
