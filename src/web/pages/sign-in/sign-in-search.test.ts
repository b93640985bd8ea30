import { expect, test } from 'vitest';
import { pageOf, signInSearch } from './sign-in-search.ts';

test.each([
  ['/schema?q=a', '/schema?q=a'],
  ['/connections/1/runs', '/connections/1/runs'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/.//evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/sign-in?next=/x', '/'],
  ['/auth/oidc', '/'],
  ['', '/'],
  [7, '/'],
])('after the sign-in %j goes on to %s', (next, page) => {
  expect(pageOf(next)).toBe(page);
});

test('keeps only what it knows', () => {
  expect(signInSearch({ next: '/sql', refused: 'domain', other: 1 })).toEqual({ next: '/sql', refused: 'domain' });
  expect(signInSearch({ next: '//x', refused: 3 })).toEqual({});
});
