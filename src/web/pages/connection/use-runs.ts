/** The runs of a connection, newest first, and what can be done with them. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { api, keyOf, useChange } from '../../api.ts';
import { isOpen, type RunState } from './run-words.ts';

const PAGE = 50;

/** Asked more often while one of them is under way. */
export function useRuns(connection: number, { limit = PAGE, state }: { limit?: number; state?: RunState } = {}) {
  const input = { connection_id: connection, limit, ...(state && { state }) };
  return useInfiniteQuery({
    queryKey: keyOf('runs.list', input),
    queryFn: ({ pageParam, signal }) =>
      api.call('runs.list', { ...input, ...(pageParam !== null && { cursor: pageParam }) }, { signal }),
    initialPageParam: null as number | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    enabled: connection > 0,
    placeholderData: (before) => before,
    refetchInterval: ({ state: { data } }) =>
      data?.pages[0]?.runs.some((run) => isOpen(run.state)) === true ? 3_000 : 5_000,
  });
}

const FAMILIES = ['runs', 'connections', 'projects'];

export const useStart = () => useChange('syncs.start', FAMILIES);
export const useCancel = () => useChange('syncs.cancel', FAMILIES);
