/** Serves the built web app: its files as they are, and its one page for every address that is a page. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Where `npm run build` puts it: the same from `src/` and from `dist/`. */
export const WEB_FOLDER = join(import.meta.dirname, '../../dist/web');

/** Stands in the built page wherever a nonce belongs; vite.config.ts puts it there. */
const NONCE = '{{csp-nonce}}';

const NOT_BUILT = `<!doctype html><html lang="en"><title>Soundings</title>
<p>The web pages are not built; run "npm run build" and start the server again. The HTTP API works without them.</p></html>
`;

/**
 * What a page may load: nothing from anywhere else, no script but the files of the app, no style element without this
 * answer's nonce. Pictures may come from `data:` and `blob:`, which is how a chart becomes a PNG.
 */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Adds the web app. Every GET that no other route takes, and that is not the API's, is answered with the page, whose
 * router then shows what the address names or says that there is no such page.
 */
export async function serveWeb(app: FastifyInstance, folder = WEB_FOLDER): Promise<void> {
  const page = await readFile(join(folder, 'index.html'), 'utf8').catch(() => null);
  const sendPage = (_request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const nonce = randomBytes(16).toString('base64');
    return reply
      .status(page === null ? 503 : 200)
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': contentSecurityPolicy(nonce),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      .send(page === null ? NOT_BUILT : page.replaceAll(NONCE, nonce));
  };
  if (page !== null) {
    await app.register(fastifyStatic, {
      root: folder,
      index: false,
      // one route for each file that there is, so that everything else is a page
      wildcard: false,
      globIgnore: ['index.html', '.vite/**'],
      setHeaders: (reply, path) => {
        // the names under assets/ hold a hash of what is in them
        const forever = path.includes(`${folder}/assets/`);
        void reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.get('/*', (request, reply) => {
    const { pathname } = new URL(request.url, 'http://soundings');
    // a missing file must not be answered with a page: the browser would take it for a broken script
    if (pathname.startsWith('/api/') || pathname.startsWith('/assets/')) {
      reply.callNotFound();
      return reply;
    }
    return sendPage(request, reply);
  });
}
