/** Only the documented endpoints are asked: the list is what the sources say, and nothing else is in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SonarClient } from './client.ts';
import { BROWSE_ENDPOINTS, ENDPOINTS, STATUS_ENDPOINT } from './endpoints.ts';

const SOURCES = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.(test|testing)\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, file), 'utf8') }));

describe('endpoints', () => {
  test('the six documented ones, and the status for diagnosis', () => {
    expect(Object.keys(ENDPOINTS).sort()).toEqual([
      'hotspots/search',
      'issues/search',
      'measures/component',
      'measures/search_history',
      'metrics/search',
      'projects/search',
    ]);
    expect(STATUS_ENDPOINT).toBe('system/status');
  });

  test('a seventh, and only where the connection says so', async () => {
    expect(Object.keys(BROWSE_ENDPOINTS)).toEqual(['components/search']);
    const client = new SonarClient({ baseUrl: 'http://127.0.0.1:1', token: 'squ_x' });
    await expect(client.get('components/search', {})).rejects.toThrow('not a listed endpoint');
    expect(client.traffic.requests).toBe(0);
    await client.close();
  });

  test('every endpoint named in the sources is one of them', () => {
    const controllers =
      'authentication|ce|components|duplications|favorites|hotspots|issues|languages|measures|metrics|navigation|plugins|project_[a-z]+|projects|qualitygates|qualityprofiles|rules|server|settings|sources|system|user_[a-z]+|users|webhooks|webservices';
    const named = SOURCES.flatMap(({ text }) =>
      [...text.matchAll(new RegExp(`['"\`](?:/?api/)?((?:${controllers})/[a-z_]+)['"\`?]`, 'g'))].map(
        (match) => match[1],
      ),
    );
    expect([...new Set(named)].sort()).toEqual(
      [...Object.keys(ENDPOINTS), ...Object.keys(BROWSE_ENDPOINTS), STATUS_ENDPOINT].sort(),
    );
  });

  test('requests are made in the client alone', () => {
    const senders = SOURCES.filter(({ text }) => /\bfrom '(undici|node:https?)'|\bfetch\(['"`]/.test(text));
    expect(senders.map(({ file }) => file)).toEqual(['client.ts']);
  });

  test('no parameter that an old server ignores, answering with everything', () => {
    // 10.0 and 10.1 know only componentKeys and projectKey; before 2026.3 projects/search ignores projectKeys
    const traps = /\b(components|projectKeys|issueStatuses)\s*:\s*(?!z\.|\[)[a-z'"`[]/;
    const users = SOURCES.filter(
      ({ file, text }) => /streams|sonarqube\.ts|enumerate\.ts/.test(file) && traps.test(text),
    );
    expect(users.map(({ file }) => file)).toEqual([]);
  });
});
