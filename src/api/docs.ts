/** The API's description at /api/openapi.json, and a page for people at /api/docs; both load nothing from elsewhere. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openApi } from './openapi.ts';

/** The page's scripts are files of this server; its library writes styles into the page. */
const PAGE_SECURITY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export async function serveDocs(app: FastifyInstance): Promise<void> {
  const document = openApi();
  app.get('/api/openapi.json', (_, reply) => reply.header('cache-control', 'no-cache').send(document));
  await app.register(swagger, { mode: 'static', specification: { document: document as never } });
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    uiConfig: { url: '/api/openapi.json', validatorUrl: null, docExpansion: 'list', deepLinking: true },
    uiHooks: {
      onRequest: (_, reply, done) => {
        void reply.header('content-security-policy', PAGE_SECURITY);
        done();
      },
    },
    logo: null as never,
    theme: { title: 'Soundings API' },
  });
}
