/** API tokens: who may call the HTTP API, and for what. */
import { Button, Code, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useRead, type Answer } from '../../api.ts';
import { DataTable, type Column } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { IconKey, IconPlus } from '../../parts/icons.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Moment } from '../../parts/moment.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { AddToken, RevokeToken } from './token-dialogs.tsx';

export type Token = Answer<'tokens.list'>['tokens'][number];

export function TokensPage() {
  const tokens = useRead('tokens.list', {}, { refresh: 30_000 });
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const columns = useMemo(() => columnsOf(setRevoking), []);
  const add = (
    <Button leftSection={<IconPlus />} onClick={() => setAdding(true)}>
      Token
    </Button>
  );
  return (
    <>
      <PageTitle
        title="API tokens"
        about="For programs that call the HTTP API, and for the command line with --server."
        actions={add}
      />
      <Loaded of={tokens} what="The API tokens">
        {({ tokens: rows }) =>
          rows.length === 0 ? (
            <EmptyState title="No API token yet" icon={<IconKey size={28} />}>
              A token may do what you choose for it, and no more.
            </EmptyState>
          ) : (
            <DataTable
              label="API tokens"
              rows={rows}
              columns={columns}
              rowKey={({ id }) => String(id)}
              sortedBy={{ id: 'made', desc: true }}
              minWidth={900}
            />
          )
        }
      </Loaded>
      {adding && <AddToken onClose={() => setAdding(false)} />}
      {revoking && <RevokeToken token={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

function columnsOf(revoke: (token: Token) => void): readonly Column<Token>[] {
  return [
    {
      id: 'label',
      header: 'For',
      value: ({ label }) => label,
      cell: ({ label }) => (
        <Text span inherit dir="auto" style={{ overflowWrap: 'anywhere' }}>
          {label}
        </Text>
      ),
    },
    { id: 'prefix', header: 'Token', cell: ({ prefix }) => <Code>{prefix}…</Code>, width: '10rem' },
    { id: 'scopes', header: 'May', cell: ({ scopes }) => scopes.join(', '), width: '12rem' },
    {
      id: 'made',
      header: 'Made',
      value: ({ created_at }) => created_at,
      cell: ({ created_at }) => <Moment at={created_at} />,
      width: '8rem',
    },
    {
      id: 'used',
      header: 'Last used',
      value: ({ last_used_at }) => last_used_at,
      cell: ({ last_used_at }) => <Moment at={last_used_at} />,
      width: '8rem',
    },
    {
      id: 'ends',
      header: 'Ends',
      value: ({ expires_at }) => expires_at,
      cell: ({ expires_at }) => expires_at?.slice(0, 10) ?? 'never',
      width: '7rem',
    },
    {
      id: 'actions',
      header: '',
      width: '8rem',
      align: 'right',
      cell: (token) =>
        token.revoked_at === null ? (
          <Button
            size="xs"
            variant="default"
            aria-label={`Revoke: ${token.label} ${token.prefix}`}
            onClick={() => revoke(token)}
          >
            Revoke
          </Button>
        ) : (
          'revoked'
        ),
    },
  ];
}
