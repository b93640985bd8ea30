/** A connection: its heading, its tabs (each with an address of its own) and the tab that is open. */
import { Button, Group, Text } from '@mantine/core';
import { Link, Outlet } from '@tanstack/react-router';
import { ApiError } from '../../api.ts';
import { EmptyState } from '../../parts/empty-state.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconInfo } from '../../parts/icons.tsx';
import { Waiting } from '../../parts/loaded.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import classes from './connection-page.module.css';
import { useConnection, useConnectionId } from './use-connection.ts';

const TABS = [
  { value: 'overview', label: 'Overview', to: '/connections/$id' },
  { value: 'projects', label: 'Projects', to: '/connections/$id/projects' },
  { value: 'runs', label: 'Runs', to: '/connections/$id/runs' },
  { value: 'settings', label: 'Settings', to: '/connections/$id/settings' },
] as const;

export function ConnectionPage() {
  const id = useConnectionId();
  const found = useConnection(id);
  const gone = id === 0 || (found.error instanceof ApiError && found.error.code === 'connection_not_found');
  if (gone) return <NoConnection />;
  const connection = found.data?.connection;
  return (
    <>
      {connection ? (
        <PageTitle
          title={connection.name}
          about={<bdi>{String(connection.settings['base_url'])}</bdi>}
          beside={
            <StateBadge
              state={connection.disabled_at === null ? connection.state : 'disabled'}
              why={connection.disabled_reason}
            />
          }
        />
      ) : (
        <PageTitle title={`Connection ${id}`} />
      )}
      {found.isError && (
        <ErrorNotice
          error={found.error}
          title="The connection cannot be shown as it is now"
          onRetry={() => void found.refetch()}
        />
      )}
      <TabsOf id={id} />
      {connection ? <Outlet /> : !found.isError && <Waiting />}
    </>
  );
}

/** Links that look like tabs: each can be opened in a window of its own. */
function TabsOf({ id }: { readonly id: number }) {
  return (
    <nav aria-label="Parts of the connection" className={classes['tabs']}>
      {TABS.map(({ value, label, to }) => (
        <Link
          key={value}
          to={to}
          params={{ id: String(id) }}
          className={classes['tab']}
          activeOptions={{ exact: value === 'overview', includeSearch: false }}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

/** Deleted, perhaps in another window, or never there. */
function NoConnection() {
  return (
    <>
      <PageTitle title="No such connection" />
      <EmptyState
        title="This connection is not there"
        icon={<IconInfo size={28} />}
        actions={
          <Group>
            <Button component={Link} to="/connections">
              Back to the connections
            </Button>
          </Group>
        }
      >
        <Text inherit>
          It was deleted, perhaps in another window, or the link is wrong. Connecting the same server again takes up
          what was stored of it, unless that was deleted too.
        </Text>
      </EmptyState>
    </>
  );
}
