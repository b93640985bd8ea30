/** Signs in, and goes on to a page. */
import { useMutation } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { api, queries, type Answer, type Input } from '../../api.ts';

export function useBegin(next: string) {
  const router = useRouter();
  return useMutation<Answer<'session.create'>, Error, Input<'session.create'>>({
    mutationFn: (input) => api.call('session.create', input),
    onSuccess: () => {
      // what somebody else saw before is not theirs
      queries.clear();
      router.history.replace(next);
    },
  });
}
