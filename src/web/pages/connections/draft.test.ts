import { expect, test } from 'vitest';
import { EMPTY, inputOf, isAdvanced, read, stepsOf } from './draft.ts';

const secrets = { api_token: ' squ_x\n', client_key: ' ' };

test('only what was entered is sent', () => {
  expect(inputOf({ ...EMPTY, base_url: ' https://s.example.com ' }, secrets)).toEqual({
    settings: { base_url: 'https://s.example.com' },
    secrets: { api_token: 'squ_x' },
  });
  expect(
    inputOf(
      {
        base_url: 'https://s.example.com',
        name: ' Ours ',
        access: 'browse',
        projects: ' a\n\nb ',
        proxy_url: 'http://p:1',
        ca_certificate: 'CA\n',
        client_certificate: 'CERT',
      },
      { api_token: 'squ_x', client_key: 'KEY\n' },
    ),
  ).toEqual({
    name: 'Ours',
    settings: {
      base_url: 'https://s.example.com',
      access: 'browse',
      projects: ['a', 'b'],
      proxy_url: 'http://p:1',
      ca_certificate: 'CA',
      client_certificate: 'CERT',
    },
    secrets: { api_token: 'squ_x', client_key: 'KEY\n' },
  });
});

test('projects count with access browse alone', () => {
  expect(inputOf({ ...EMPTY, base_url: 'https://s', projects: 'a' }, secrets).settings).toEqual({
    base_url: 'https://s',
  });
  expect(stepsOf(EMPTY)).toHaveLength(9);
  expect(stepsOf({ access: 'browse', projects: '' })).toContain('components/search');
  expect(stepsOf({ access: 'browse', projects: 'a' })).toHaveLength(8);
});

test('whatever a tab kept, a draft comes out', () => {
  const draft = { ...EMPTY, base_url: 'https://s', access: 'browse' as const };
  expect(read(JSON.stringify(draft))).toEqual(draft);
  for (const kept of [undefined, '', 'null', '1', '[]', '{"access":"root","name":7,"api_token":"squ_x"}']) {
    expect(read(kept), kept).toEqual(EMPTY);
  }
  expect([EMPTY, { ...EMPTY, base_url: 'https://s' }, draft].map(isAdvanced)).toEqual([false, false, true]);
});
