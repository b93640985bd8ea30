import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveWeb } from './web.ts';

let folder: string;
let app: FastifyInstance;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'soundings-web-'));
  await mkdir(join(folder, 'assets'));
  await mkdir(join(folder, '.vite'));
  await writeFile(join(folder, 'index.html'), '<meta nonce="{{csp-nonce}}"><script nonce="{{csp-nonce}}"></script>');
  await writeFile(join(folder, 'assets', 'index-abc.js'), 'export {};');
  await writeFile(join(folder, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await writeFile(join(folder, '.vite', 'manifest.json'), '{}');
  app = fastify();
  app.get('/healthz', () => 'ok');
  await serveWeb(app, folder);
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

describe('the web app', () => {
  test.each(['/', '/connections/7/settings?tab=x', '/no/such/page', '/.vite/manifest.json'])(
    '%s is the page, with a policy that allows no inline script',
    async (url) => {
      const answer = await app.inject({ url });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-store');
      const policy = String(answer.headers['content-security-policy']);
      expect(policy).not.toContain('unsafe');
      const nonce = /style-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
      expect(nonce).toHaveLength(24);
      expect(answer.body).toBe(`<meta nonce="${nonce}"><script nonce="${nonce}"></script>`);
    },
  );

  test('no two answers share a nonce', async () => {
    const [first, second] = [await app.inject({ url: '/' }), await app.inject({ url: '/' })];
    expect(first.body).not.toBe(second.body);
  });

  test('a file with a hash in its name is kept for ever, others are asked for again', async () => {
    const script = await app.inject({ url: '/assets/index-abc.js' });
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(script.headers['content-type']).toContain('javascript');
    const picture = await app.inject({ url: '/favicon.svg' });
    expect(picture.headers['cache-control']).toBe('no-cache');
    expect(picture.headers['content-type']).toBe('image/svg+xml');
  });

  test.each(['/api/connections.lst', '/assets/index-old.js'])('%s is not a page', async (url) => {
    const answer = await app.inject({ url });
    expect([answer.statusCode, answer.body.includes('nonce')]).toEqual([404, false]);
  });

  test('nothing outside its folder is sent', async () => {
    for (const url of ['/assets/../../package.json', '/assets/%2e%2e/%2e%2e/package.json', '/..%2fpackage.json']) {
      expect((await app.inject({ url })).body).not.toContain('"scripts"');
    }
  });

  test('other routes stay what they are, and nothing can be posted to a page', async () => {
    expect((await app.inject({ url: '/healthz' })).body).toBe('ok');
    expect((await app.inject({ method: 'POST', url: '/' })).statusCode).toBe(404);
  });

  test('pages that were never built are named', async () => {
    const bare = fastify();
    await serveWeb(bare, join(folder, 'nowhere'));
    const answer = await bare.inject({ url: '/' });
    expect([answer.statusCode, answer.body.includes('npm run build')]).toEqual([503, true]);
    await bare.close();
  });
});
