/** An OpenID Connect provider as small as can be, which signs in whoever the test says. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Issuer {
  readonly url: string;
  /** Who is at the browser, and what the provider says of them. */
  claims: Record<string, unknown>;
  /** Changes an ID token before it is signed. */
  forge: (payload: Record<string, unknown>) => Record<string, unknown>;
  /** Instead of signing in it sends back this error. */
  denies: string | null;
  close(): Promise<void>;
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startIssuer({ clientId, secret }: { clientId: string; secret: string }): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, { challenge: string; nonce: string; redirect: string }>();
  const issuer = { url: '', claims: { sub: 'nobody' }, forge: (payload) => payload, denies: null } as Omit<
    Issuer,
    'close'
  > & { url: string };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', issuer.url);
    const json = (body: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        json({
          issuer: issuer.url,
          authorization_endpoint: `${issuer.url}/authorize`,
          token_endpoint: `${issuer.url}/token`,
          jwks_uri: `${issuer.url}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          code_challenge_methods_supported: ['S256'],
        });
        return;
      case '/keys':
        json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] });
        return;
      case '/authorize': {
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        if (issuer.denies) back.searchParams.set('error', issuer.denies);
        else {
          const code = randomUUID();
          codes.set(code, {
            challenge: url.searchParams.get('code_challenge') ?? '',
            nonce: url.searchParams.get('nonce') ?? '',
            redirect: url.searchParams.get('redirect_uri') ?? '',
          });
          back.searchParams.set('code', code);
        }
        response.writeHead(302, { location: back.href }).end();
        return;
      }
      case '/token': {
        let text = '';
        request
          .on('data', (part: Buffer) => (text += part.toString()))
          .on('end', () => {
            const form = new URLSearchParams(text);
            const code = codes.get(form.get('code') ?? '');
            codes.delete(form.get('code') ?? '');
            const challenge = createHash('sha256')
              .update(form.get('code_verifier') ?? '')
              .digest('base64url');
            const isOurs = form.get('client_id') === clientId && form.get('client_secret') === secret;
            if (!code || !isOurs || code.challenge !== challenge || code.redirect !== form.get('redirect_uri')) {
              json({ error: 'invalid_grant' }, 400);
              return;
            }
            const now = Math.floor(Date.now() / 1000);
            const payload = issuer.forge({
              ...issuer.claims,
              iss: issuer.url,
              aud: clientId,
              iat: now,
              exp: now + 60,
              nonce: code.nonce,
            });
            const signed = `${base64({ alg: 'RS256', kid: 'one' })}.${base64(payload)}`;
            const signature = sign('sha256', Buffer.from(signed), privateKey).toString('base64url');
            json({ access_token: randomUUID(), token_type: 'Bearer', id_token: `${signed}.${signature}` });
          });
        return;
      }
      default:
        json({}, 404);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(issuer, {
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
