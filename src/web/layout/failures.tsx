/** What is shown instead of a page that failed, or that there is not. */
import { Anchor, Button, Code, Group, Stack } from '@mantine/core';
import { useQueryErrorResetBoundary } from '@tanstack/react-query';
import { Link, useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { IconInfo } from '../parts/icons.tsx';
import { PageTitle } from '../parts/page-title.tsx';

export function PageFailure({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const queries = useQueryErrorResetBoundary();
  const retry = (): void => {
    queries.reset();
    reset();
    void router.invalidate();
  };
  return (
    <Stack>
      <PageTitle title="This page failed" />
      {isStale(error) ? (
        <EmptyState
          title="Soundings was updated, or does not answer"
          icon={<IconInfo size={28} />}
          actions={<Button onClick={() => window.location.reload()}>Reload</Button>}
        >
          A part of this page could not be loaded. Reload it; when that does not help, check that{' '}
          <Code>soundings serve</Code> runs.
        </EmptyState>
      ) : (
        <ErrorNotice error={error} onRetry={retry} />
      )}
      <Group>
        <Anchor component={Link} to="/">
          Back to the connections
        </Anchor>
      </Group>
    </Stack>
  );
}

export function NoSuchPage() {
  return (
    <>
      <PageTitle title="No such page" />
      <EmptyState
        title="There is nothing at this address"
        icon={<IconInfo size={28} />}
        actions={
          <Button component={Link} to="/">
            Back to the connections
          </Button>
        }
      >
        The link may be old, or mistyped.
      </EmptyState>
    </>
  );
}

/** A file of the web app that is no longer there: the server was updated since the page was opened. */
const isStale = (error: unknown): boolean =>
  error instanceof Error && /dynamically imported module|module script failed/i.test(error.message);
