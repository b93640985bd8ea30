/** Shows pages to whoever is signed in, and sends everybody else to sign in and back. */
import { useRouter } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { Waiting } from '../parts/loaded.tsx';
import { useSession } from '../session.ts';

export function SignedIn({ children }: { readonly children: ReactNode }) {
  const session = useSession();
  const router = useRouter();
  const isNobody = session.data?.scopes.length === 0;
  useEffect(() => {
    if (!isNobody) return;
    const { pathname, searchStr } = router.state.location;
    void router.navigate({ to: '/sign-in', search: { next: `${pathname}${searchStr}` }, replace: true });
  }, [isNobody, router]);
  // when the API is away each page says so itself, and stays while the session is asked for again
  const unheard = session.data === undefined && session.errorUpdateCount === 0;
  return isNobody || unheard ? <Waiting /> : children;
}
