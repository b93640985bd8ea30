import { expect, test } from 'vitest';
import { completenessOf, endingOf, stateOf, type Connection } from './state.ts';

const NOTHING = { complete: 0, moving: 0, short: 0, suspect: 0, unreadable: 0 };

const connection = (more: Partial<Connection>): Connection => ({
  id: 1,
  type: 'sonarqube',
  name: 'Ours',
  state: 'verified',
  disabled_at: null,
  disabled_reason: null,
  last_synced_at: null,
  created_at: '2026-04-07T00:00:00.000Z',
  supports_multiple_credentials: true,
  warnings: [],
  base_url: 'https://sonar.example.com',
  server_version: null,
  last_run: null,
  next_sync_at: null,
  projects: 0,
  completeness: NOTHING,
  expiration_date: null,
  ...more,
});
const ran = (state: NonNullable<Connection['last_run']>['state'], message?: string): Connection['last_run'] => ({
  id: 1,
  state,
  started_at: null,
  ended_at: null,
  error: message === undefined ? null : { code: 'unexpected', message },
});

test('the state that matters most is the one that is shown', () => {
  expect(stateOf(connection({}))).toEqual({ state: 'verified', why: null });
  expect(stateOf(connection({ state: 'draft' }))).toEqual({ state: 'draft', why: null });
  expect(stateOf(connection({ last_run: ran('complete') }))).toEqual({ state: 'verified', why: null });
  expect(stateOf(connection({ last_run: ran('cancelled') }))).toEqual({ state: 'verified', why: null });
  expect(stateOf(connection({ last_run: ran('queued') }))).toEqual({ state: 'queued', why: null });
  expect(stateOf(connection({ last_run: ran('running') }))).toEqual({ state: 'syncing', why: null });
  expect(stateOf(connection({ last_run: ran('partly_failed', 'Why.') }))).toEqual({
    state: 'partly_failed',
    why: 'Why.',
  });
  const disabled = { disabled_at: '2026-04-07T00:00:00.000Z', disabled_reason: 'The token is refused.' };
  expect(stateOf(connection({ ...disabled, last_run: ran('failed', 'Else.') }))).toEqual({
    state: 'disabled',
    why: 'The token is refused.',
  });
});

test('completeness is never rounded up to everything', () => {
  expect(completenessOf(NOTHING)).toBeNull();
  expect(completenessOf({ ...NOTHING, complete: 9 })).toEqual({ share: 100, rest: '' });
  expect(completenessOf({ ...NOTHING, complete: 9_999, short: 1 })).toEqual({ share: 99, rest: '1 short' });
  expect(completenessOf({ ...NOTHING, complete: 1, moving: 1, unreadable: 1_234 })?.rest).toBe(
    '1 moving, 1,234 unreadable',
  );
});

test('the end of a token is told a month before', () => {
  const now = Date.parse('2026-04-07T12:00:00Z');
  expect(['2026-04-07', '2026-04-08', '2026-05-07', '2026-05-08'].map((day) => endingOf(day, now))).toEqual([
    'ended',
    'soon',
    'soon',
    'later',
  ]);
});
