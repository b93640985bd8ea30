/** Shows an answer once it is there, the error when it does not come, and placeholders in between. */
import { Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorNotice } from './error-notice.tsx';

export interface LoadedProps<A> {
  readonly of: UseQueryResult<A>;
  /** What was asked for, for the error's heading: "The connections". */
  readonly what: string;
  readonly children: (answer: A) => ReactNode;
}

export function Loaded<A>({ of, what, children }: LoadedProps<A>) {
  const notice = of.isError && (
    <ErrorNotice error={of.error} title={`${what} cannot be shown as they are now`} onRetry={() => void of.refetch()} />
  );
  // an answer that has grown old is worth more than none; the notice says that it is not renewed
  if (of.data !== undefined) {
    return (
      <>
        {notice}
        {children(of.data)}
      </>
    );
  }
  return notice || <Waiting />;
}

export function Waiting() {
  return (
    <Stack gap="sm" role="status">
      <VisuallyHidden>Loading</VisuallyHidden>
      <Skeleton height={28} width="40%" />
      <Skeleton height={44} />
      <Skeleton height={44} />
      <Skeleton height={44} />
    </Stack>
  );
}
