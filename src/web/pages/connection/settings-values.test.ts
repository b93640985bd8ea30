import { describe, expect, test } from 'vitest';
import { changeOf, isChanged, needsToken, valuesOf } from './settings-values.ts';

const before = valuesOf({
  name: 'Ours',
  settings: {
    base_url: 'https://sonar.example/sonarqube',
    include: ['a*', 'b'],
    max_concurrency: 4,
    schedule: 'every 1 h',
    proxy_url: 'http://proxy:3128',
    access: 'browse',
    unknown: { a: 1 },
  },
});

describe('what is sent', () => {
  test('nothing when nothing changed', () => {
    expect(isChanged(before, { ...before })).toBe(false);
    expect(changeOf(7, before, { ...before })).toEqual({ id: 7 });
  });

  test('only what changed, blanks taken off; what was emptied is taken away', () => {
    const after = {
      ...before,
      name: ' Theirs ',
      include: '\n x \n\ny*\n',
      exclude: '',
      max_concurrency: '',
      audit_hours: '12.5',
      schedule: '',
      listed_endpoints_only: true,
      api_token: ' squ_x ',
    };
    expect(changeOf(7, before, after)).toEqual({
      id: 7,
      name: 'Theirs',
      settings: {
        include: ['x', 'y*'],
        max_concurrency: null,
        audit_hours: 12.5,
        schedule: null,
        listed_endpoints_only: true,
      },
      secrets: { api_token: 'squ_x' },
    });
  });

  test('an address is never taken away: an empty one is sent, and refused by the server', () => {
    expect(changeOf(7, before, { ...before, base_url: '' })).toEqual({ id: 7, settings: { base_url: '' } });
  });
});

test.each([
  [{ base_url: 'https://sonar.example/other' }, true],
  [{ base_url: 'https://other.example/sonarqube' }, true],
  [{ base_url: 'http://sonar.example/sonarqube' }, true],
  [{ base_url: ' https://sonar.example/sonarqube ' }, false],
  [{ proxy_url: '' }, true],
  [{ ca_certificate: 'PEM' }, true],
  [{ name: 'x', include: 'y', schedule: 'manual' }, false],
] as const)('%j: the token is entered again: %s', (change, expected) => {
  expect(needsToken(before, { ...before, ...change })).toBe(expected);
});
