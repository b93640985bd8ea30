/** Who may sign in, and what they may do. */
import { Badge, Button, Group, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useRead, type Answer } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconPlus, IconUsers } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { useSession } from '../../session.ts';
import { AddUser, ChangeUser, LinkFor, RemoveUser } from './user-dialogs.tsx';

export type User = Answer<'users.list'>['users'][number];
type Doing = { readonly what: 'add' } | { readonly what: 'change' | 'link' | 'remove'; readonly user: User } | null;

export function UsersPage() {
  const users = useRead('users.list', {}, { refresh: 30_000 });
  const me = useSession().data?.user?.id;
  const [doing, setDoing] = useState<Doing>(null);
  const done = (): void => setDoing(null);
  const columns = useMemo(() => columnsOf(me, setDoing), [me]);
  const add = (
    <Button leftSection={<IconPlus />} onClick={() => setDoing({ what: 'add' })}>
      User
    </Button>
  );
  return (
    <>
      <PageTitle title="Users" about="Who may sign in here, and what they may do." actions={add} />
      <Loaded of={users} what="The users">
        {({ users: rows }) =>
          rows.length === 0 ? (
            <EmptyState title="No user yet" icon={<IconUsers size={28} />}>
              Add one: you get a link by which they choose their password.
            </EmptyState>
          ) : (
            <DataTable label="Users" rows={rows} columns={columns} rowKey={({ id }) => String(id)} minWidth={820} />
          )
        }
      </Loaded>
      {doing?.what === 'add' && <AddUser onClose={done} />}
      {doing?.what === 'change' && <ChangeUser user={doing.user} onClose={done} />}
      {doing?.what === 'link' && <LinkFor user={doing.user} onClose={done} />}
      {doing?.what === 'remove' && <RemoveUser user={doing.user} onClose={done} />}
    </>
  );
}

function columnsOf(me: number | undefined, act: (doing: Doing) => void): readonly Column<User>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      value: ({ name }) => name,
      cell: ({ id, name }) => (
        <Group gap="xs">
          <Text span inherit dir="auto" style={{ overflowWrap: 'anywhere' }}>
            {name}
          </Text>
          {id === me && (
            <Badge variant="default" tt="none">
              you
            </Badge>
          )}
        </Group>
      ),
    },
    { id: 'role', header: 'Role', value: ({ role }) => role, cell: ({ role }) => role, width: '7rem' },
    {
      id: 'by',
      header: 'Signs in by',
      value: (user) => waysOf(user),
      cell: (user) => waysOf(user),
      width: '9rem',
    },
    {
      id: 'seen',
      header: 'Last seen',
      value: ({ last_seen_at }) => last_seen_at,
      cell: ({ last_seen_at }) => <Moment at={last_seen_at} />,
      width: '9rem',
    },
    {
      id: 'actions',
      header: '',
      width: '19rem',
      align: 'right',
      cell: (user) => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          {(['change', 'link', 'remove'] as const).map((what) => (
            <Button
              key={what}
              size="xs"
              variant="default"
              aria-label={`${WORDS[what]}: ${user.name}`}
              onClick={() => act({ what, user })}
            >
              {WORDS[what]}
            </Button>
          ))}
        </Group>
      ),
    },
  ];
}

const WORDS = { change: 'Change', link: 'New password', remove: 'Remove' } as const;

const waysOf = ({ oidc, has_password }: User): string =>
  oidc ? (has_password ? 'provider, password' : 'provider') : has_password ? 'password' : 'link not used yet';
