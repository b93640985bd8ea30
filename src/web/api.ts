/** The API as the pages use it: typed by the methods themselves, cached by TanStack Query. */
import {
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { ApiError, apiClient, type Methods } from '../api/client.ts';
import type { MethodName } from '../api/routes.ts';

export { ApiError };

/** Methods that there are; `Answer<'connections.list'>` is what one answers with. */
export type Name = keyof Methods & MethodName;
export type Input<N extends Name> = Methods[N]['input'];
export type Answer<N extends Name> = Methods[N]['output'];

export const api = apiClient({ baseUrl: '' });

/** A session that has ended is noticed by whatever is asked next; the frame then leads to the sign-in and back. */
const noticeEnd = (error: Error): void => {
  if (error instanceof ApiError && error.code === 'not_authed') {
    void queries.invalidateQueries({ queryKey: ['session.info'] });
  }
};

/** An API that answers again tells at once who looks, when that could not be learnt before. */
const noticeReturn = (): void => {
  if (queries.getQueryState(keyOf('session.info', {}))?.status === 'error') {
    void queries.invalidateQueries({ queryKey: ['session.info'] });
  }
};

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd, onSuccess: noticeReturn }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // what the server refused it refuses again; only silence is asked again
      retry: (count, error) => error instanceof ApiError && error.code === 'unreachable' && count < 2,
      retryDelay: 1_000,
    },
  },
});

/** The cache key of a call. */
export const keyOf = <N extends Name>(name: N, input: Input<N>): readonly unknown[] => [name, input];

export interface ReadOptions {
  /** Asked again after so many milliseconds, as long as the page is looked at. */
  readonly refresh?: number;
  readonly enabled?: boolean;
  /** Shows the last answer while the next one, for other arguments, is on its way. */
  readonly keep?: boolean;
}

/** Asks a method that reads. */
export function useRead<N extends Name>(
  name: N,
  input: Input<N>,
  { refresh, enabled = true, keep = false }: ReadOptions = {},
): UseQueryResult<Answer<N>> {
  return useQuery({
    queryKey: keyOf(name, input),
    queryFn: ({ signal }) => api.call(name, input, { signal }),
    enabled,
    refetchInterval: refresh ?? false,
    ...(keep && { placeholderData: keepPreviousData }),
  });
}

/** Calls a method that changes something; afterwards what the pages show of the named families is asked anew. */
export function useChange<N extends Name>(name: N, families: readonly string[] = [name.split('.')[0] ?? '']) {
  const client = useQueryClient();
  return useMutation<Answer<N>, Error, Input<N>>({
    mutationFn: (input) => api.call(name, input),
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey: [asked] }) =>
          typeof asked === 'string' && families.some((family) => asked.startsWith(`${family}.`)),
      }),
  });
}
