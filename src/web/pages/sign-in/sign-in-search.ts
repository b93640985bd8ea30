/** What the sign-in page is told in its address. Pure. */

export interface SignInSearch {
  /** Where to go on afterwards; a page of this app. */
  readonly next?: string;
  /** Why a sign-in through the provider came to nothing. */
  readonly refused?: string;
}

export function signInSearch(raw: Readonly<Record<string, unknown>>): SignInSearch {
  const next = pageOf(raw['next']);
  const refused = raw['refused'];
  return { ...(next !== '/' && { next }), ...(typeof refused === 'string' && { refused: refused.slice(0, 50) }) };
}

/** An address of this app, or its first page: never one that a browser takes for another server. */
export function pageOf(next: unknown): string {
  if (typeof next !== 'string' || next.length > 2000 || !next.startsWith('/')) return '/';
  const url = URL.canParse(next, 'http://here') ? new URL(next, 'http://here') : null;
  if (url?.origin !== 'http://here' || url.pathname.startsWith('//')) return '/';
  return /^\/(sign-in|welcome|set-password|auth)(\/|$)/.test(url.pathname) ? '/' : `${url.pathname}${url.search}`;
}

/** What the provider's way back says, in words. */
export const REFUSALS: Readonly<Record<string, string>> = {
  provider: 'The provider did not sign you in, or it took longer than ten minutes. Try it again.',
  unavailable: 'The provider does not answer. Try it again later; the server log has the reason.',
  domain: 'Only people with a verified address of certain mail domains may sign in here.',
  role: 'The provider names no role for you. Ask who runs it to add you to a group that may use Soundings.',
  removed: 'You were removed here. An admin can add you again.',
  unexpected: 'Something failed that was not foreseen; the server log has the details.',
};
