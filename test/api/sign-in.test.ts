/** Signing in: links, passwords, sessions, roles, other sites, and an OpenID Connect provider. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyMethod } from '../../src/api/method.ts';
import { METHODS } from '../../src/api/methods/index.ts';
import { routeOf, type MethodName } from '../../src/api/routes.ts';
import { oidcConfig } from '../../src/app/oidc-config.ts';
import { testUser } from '../../src/app/sign-in.testing.ts';
import { startIssuer, type Issuer } from './oidc-issuer.ts';
import { apiRig, type Answer, type ApiRig } from './rig.ts';

const CLIENT = { clientId: 'soundings', secret: 'the secret of the client' };
const PASSWORD = 'a password that is long';

let issuer: Issuer;
let r: ApiRig;
beforeAll(async () => {
  issuer = await startIssuer(CLIENT);
  const oidc = oidcConfig({
    SOUNDINGS_OIDC_ISSUER: issuer.url,
    SOUNDINGS_OIDC_CLIENT_ID: CLIENT.clientId,
    SOUNDINGS_OIDC_CLIENT_SECRET: CLIENT.secret,
    SOUNDINGS_OIDC_NAME: 'Example',
    SOUNDINGS_OIDC_ROLE_CLAIM: 'groups',
    SOUNDINGS_OIDC_ADMINS: 'platform',
    SOUNDINGS_OIDC_EDITORS: 'quality, security',
    SOUNDINGS_OIDC_DOMAINS: 'example.com',
  });
  r = await apiRig({}, { oidc: oidc! });
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
  await issuer.close();
});

/** A browser: it keeps cookies, and says with every POST where it was asked. */
class Browser {
  cookies = new Map<string, string>();
  headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' };
  last: Headers | undefined;

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async call(name: MethodName, args: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const { verb, path } = routeOf(name);
    const headers = { ...this.headers, cookie: this.cookie };
    const answer =
      verb === 'GET'
        ? await r.raw(verb, path, { headers })
        : await r.raw(verb, path, {
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify(args),
          });
    this.keep(answer.headers);
    return answer;
  }

  /** Follows redirects, as for a link; gives the address it ends at. */
  async open(path: string): Promise<URL> {
    let url = new URL(path, r.server.url);
    for (let hops = 0; hops < 5; hops += 1) {
      const ours = url.origin === r.server.url;
      const response = await fetch(url, { redirect: 'manual', headers: ours ? { cookie: this.cookie } : {} });
      if (ours) this.keep(response.headers);
      const location = response.headers.get('location');
      if (location === null) break;
      url = new URL(location, url);
    }
    return url;
  }

  private keep(headers: Headers): void {
    this.last = headers;
    for (const line of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

const signedIn = async (name: string, password: string): Promise<Browser> => {
  const browser = new Browser();
  expect(await browser.call('session.create', { name, password })).toMatchObject({ status: 201 });
  return browser;
};
const linkOf = (path: string): string => new URLSearchParams(path.split('#')[1]).get('link') ?? '';
const sql = (text: string, values: unknown[] = []): Promise<unknown> => r.service.store.database.query(text, values);
const newLink = async (name?: string): Promise<string> => {
  const answer = await r.call('users.link', name === undefined ? {} : { name });
  expect(answer).toMatchObject({ status: 201 });
  return linkOf((answer.body['link'] as { path: string }).path);
};
const usersNow = async (): Promise<{ id: number; name: string; role: string }[]> =>
  (await r.call('users.list')).body['users'] as { id: number; name: string; role: string }[];

describe('the first user', () => {
  test('is made by a link, once', async () => {
    const browser = new Browser();
    expect((await browser.call('session.info')).body).toEqual({
      ok: true,
      user: null,
      scopes: [],
      expires_at: null,
      has_users: false,
      oidc: 'Example',
    });
    const [link, other, late] = [await newLink(), await newLink(), await newLink()];
    await sql(`update soundings.sign_in_links set ends_at = now() where hash = encode(sha256($1), 'hex')`, [
      Buffer.from(late),
    ]);
    const first = { name: 'ada', password: PASSWORD };
    expect((await browser.call('session.create', { ...first, link: late })).body.error).toBe('sign_in_failed');
    expect((await browser.call('session.create', { ...first, link: 'x'.repeat(43) })).body.error).toBe(
      'sign_in_failed',
    );
    expect((await browser.call('session.create', { ...first, link, password: 'short' })).body).toMatchObject({
      error: 'invalid_arguments',
      details: { password: expect.any(String) as string },
    });
    expect((await browser.call('session.create', { password: PASSWORD, link })).body).toMatchObject({
      error: 'invalid_arguments',
      details: { name: 'is needed' },
    });
    // none of these used it up; of two at once one makes the user
    const answers = await Promise.all([
      new Browser().call('session.create', { ...first, link }),
      new Browser().call('session.create', { ...first, name: 'eve', link: other }),
      new Browser().call('session.create', { ...first, link }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
    expect(await usersNow()).toMatchObject([{ role: 'admin', has_password: true, oidc: false }]);
    await sql(`update soundings.users set name = 'ada'`);
    expect((await browser.call('session.create', { ...first, link: other })).body.error).toBe('sign_in_failed');
    expect((await r.call('users.link')).body).toMatchObject({ error: 'invalid_arguments' });
  });

  test('signs in by name and password, in a cookie that no script reads', async () => {
    const browser = await signedIn('ADA', PASSWORD);
    const cookie = browser.last?.getSetCookie().join() ?? '';
    for (const word of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(word);
    expect(cookie).not.toContain('Secure');
    expect((await browser.call('session.info')).body).toMatchObject({
      user: { name: 'ada', role: 'admin' },
      scopes: ['admin'],
      has_users: true,
    });
    expect((await browser.call('users.list')).status).toBe(200);
    const { rows } = await r.service.store.database.query<{ row: string }>(
      'select (s::text || u::text) as row from soundings.sessions s, soundings.users u',
    );
    const [token = ''] = [...browser.cookies.values()];
    expect(rows.map(({ row }) => row).join()).not.toContain(token);
    expect(rows.map(({ row }) => row).join()).toContain('$argon2id$');
    expect(JSON.stringify((await r.call('audit.list')).body)).toMatch(/session\.create.*"actor":"user ada"|user ada/);

    expect((await browser.call('session.delete')).body).toEqual({ ok: true });
    expect(browser.cookies.size).toBe(0);
    browser.cookies.set('soundings_session', token);
    expect((await browser.call('users.list')).body.error).toBe('not_authed');
  });

  test('of an https address gets a cookie for it alone', async () => {
    const answer = await r.server.app.inject({
      method: 'POST',
      url: '/api/session.create',
      headers: { 'x-forwarded-proto': 'https' },
      payload: { name: 'ada', password: PASSWORD },
    });
    // no proxy is trusted here, so nobody else's word counts
    expect(String(answer.headers['set-cookie'])).toMatch(/^soundings_session=/);
  });
});

describe('what is refused', () => {
  test('a wrong password, a name that is nobody’s, both in the same words', async () => {
    const wrong = await new Browser().call('session.create', { name: 'ada', password: 'not this one' });
    const nobody = await new Browser().call('session.create', { name: 'nobody', password: 'not this one' });
    expect([wrong.status, wrong.body.error]).toEqual([401, 'sign_in_failed']);
    expect(nobody.body).toEqual(wrong.body);
    expect(wrong.headers.getSetCookie()).toEqual([]);
  });

  test('guessing, also many at once', async () => {
    const user = await testUser(r.service, 'viewer', 'guessed');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        new Browser().call('session.create', { name: 'guessed', password: `no ${n}` }),
      ),
    );
    const codes = answers.map(({ body }) => body.error);
    expect(codes.filter((code) => code === 'sign_in_failed').length).toBeLessThanOrEqual(10);
    expect(codes.filter((code) => code === 'too_many_requests').length).toBeGreaterThanOrEqual(10);
    // one after the other: ten in all; then also the right one is refused, for a while, and others are not
    for (let n = codes.filter((code) => code === 'sign_in_failed').length; n < 10; n += 1) {
      const next = await new Browser().call('session.create', { name: 'guessed', password: 'no' });
      expect(next.body.error).toBe('sign_in_failed');
    }
    const { name, password } = user;
    const right = await new Browser().call('session.create', { name, password });
    expect([right.status, right.headers.get('retry-after')]).toEqual([429, '900']);
    await signedIn('ada', PASSWORD);
    await sql(`update soundings.sign_in_attempts set at = at - interval '16 minutes'`);
    await signedIn(name, password);
  });

  test('what another site asks', async () => {
    const { cookie } = await testUser(r.service);
    const json = { 'content-type': 'application/json' };
    const here = new URL(r.server.url);
    const post = (headers: Record<string, string>, name = 'users.create'): Promise<Answer> =>
      r.raw('POST', `/api/${name}`, { headers: { ...json, ...headers }, body: '{"name":"mallory","role":"admin"}' });
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://${here.hostname}:1` },
      { 'sec-fetch-site': 'cross-site', origin: here.origin },
      {},
    ]) {
      const answer = await post({ cookie, ...headers });
      expect([headers, answer.status, answer.body.error]).toEqual([headers, 403, 'wrong_origin']);
    }
    // nor does it sign anybody in or out
    for (const name of ['session.create', 'session.delete']) {
      expect((await post({ 'sec-fetch-site': 'cross-site' }, name)).body.error).toBe('wrong_origin');
      expect((await post({ origin: 'https://evil.example' }, name)).body.error).toBe('wrong_origin');
    }
    expect((await usersNow()).map(({ name }) => name)).not.toContain('mallory');
    // a page of this server may, over plain http without the newer header too
    expect((await post({ cookie, origin: here.origin })).status).toBe(201);
    // and a wrong token is not made good by a cookie
    expect((await post({ cookie, origin: here.origin, authorization: 'Bearer no' })).status).toBe(401);
  });

  test('sessions past their end', async () => {
    const { name, password } = await testUser(r.service, 'viewer', 'sleeper');
    for (const change of [`seen_at = now() - interval '12 hours'`, 'ends_at = now()']) {
      const browser = await signedIn(name, password);
      expect((await browser.call('session.info')).body['user']).toMatchObject({ name });
      await sql(`update soundings.sessions set ${change}
                  where user_id = (select id from soundings.users where name = 'sleeper')`);
      expect((await browser.call('session.info')).body['user']).toBeNull();
      expect((await browser.call('schema.list')).body.error).toBe('not_authed');
    }
  });

  test('a session that was there before signing in', async () => {
    const { name, password, token } = await testUser(r.service, 'viewer', 'fixed');
    const browser = new Browser();
    browser.cookies.set('soundings_session', token);
    await browser.call('session.create', { name, password });
    expect(browser.cookies.get('soundings_session')).not.toBe(token);
    const before = new Browser();
    before.cookies.set('soundings_session', token);
    expect((await before.call('session.info')).body['user']).toBeNull();
  });
});

describe('passwords', () => {
  test('are changed by who knows them; every other session ends', async () => {
    const { name, password } = await testUser(r.service, 'editor', 'changer');
    const [one, other] = [await signedIn(name, password), await signedIn(name, password)];
    const change = { password, new_password: 'another password' };
    expect((await one.call('session.change_password', { ...change, password: 'no' })).body).toMatchObject({
      error: 'invalid_arguments',
      details: { password: 'is not yours' },
    });
    expect((await one.call('session.change_password', change)).status).toBe(200);
    expect((await one.call('session.info')).body['user']).toMatchObject({ name });
    expect((await other.call('session.info')).body['user']).toBeNull();
    expect((await new Browser().call('session.create', { name, password })).status).toBe(401);
    await signedIn(name, 'another password');
    expect((await r.call('session.change_password', change)).body).toMatchObject({ error: 'invalid_arguments' });
  });

  test('that are lost are set by a link, which ends the ones before', async () => {
    const { name, token } = await testUser(r.service, 'viewer', 'loser');
    const [before, link] = [await newLink(name), await newLink('LOSER')];
    const set = { link, password: 'a password found again' };
    expect((await new Browser().call('session.create', { ...set, link: before })).status).toBe(401);
    expect((await new Browser().call('session.create', set)).body).toMatchObject({ user: { name, role: 'viewer' } });
    expect((await new Browser().call('session.create', set)).status).toBe(401);
    const session = new Browser();
    session.cookies.set('soundings_session', token);
    expect((await session.call('session.info')).body['user']).toBeNull();
    expect((await r.call('users.link', { name: 'nobody' })).body.error).toBe('user_not_found');
  });
});

describe('users', () => {
  test('are added with a link, and follow what an admin decides at once', async () => {
    const made = await r.call('users.create', { name: ' grace ', role: 'editor' });
    expect(made).toMatchObject({ status: 201, body: { user: { name: 'grace', role: 'editor', has_password: false } } });
    const { id } = made.body['user'] as { id: number };
    const link = linkOf((made.body['link'] as { path: string }).path);
    expect((await r.call('users.create', { name: 'Grace' })).body).toMatchObject({ error: 'conflict' });
    expect((await new Browser().call('session.create', { name: 'grace', password: '' })).status).toBe(422);
    expect((await new Browser().call('session.create', { name: 'grace', password: PASSWORD })).status).toBe(401);
    const browser = new Browser();
    expect((await browser.call('session.create', { link, password: PASSWORD })).status).toBe(201);
    const verify = (): Promise<Answer> => browser.call('connections.verify', { id: 999 });
    expect((await verify()).body.error).toBe('connection_not_found');
    await r.call('users.update', { id, role: 'viewer' });
    expect((await verify()).body).toMatchObject({ error: 'missing_scope' });
    await r.call('users.update', { id, name: 'hopper', role: 'admin' });
    expect((await browser.call('users.list')).status).toBe(200);
    await r.call('users.delete', { id });
    expect((await browser.call('users.list')).body.error).toBe('not_authed');
    expect((await new Browser().call('session.create', { name: 'hopper', password: PASSWORD })).status).toBe(401);
    expect((await r.call('users.delete', { id })).body.error).toBe('user_not_found');
    expect((await r.call('users.update', { id, role: 'admin' })).body.error).toBe('user_not_found');
    // the name is free again
    expect((await r.call('users.create', { name: 'hopper', password: PASSWORD })).body).toMatchObject({ link: null });
  });

  test('the last admin stays one, whatever two do at once', async () => {
    const admins = (await usersNow()).filter(({ role }) => role === 'admin');
    const [kept, ...others] = admins;
    for (const { id } of others) expect((await r.call('users.update', { id, role: 'viewer' })).status).toBe(200);
    const { id } = kept!;
    expect((await r.call('users.update', { id, role: 'editor' })).body.error).toBe('conflict');
    expect((await r.call('users.delete', { id })).body.error).toBe('conflict');
    const second = await r.call('users.create', { name: 'second', role: 'admin', password: PASSWORD });
    const two = [id, (second.body['user'] as { id: number }).id];
    const answers = await Promise.all(two.map((one) => r.call('users.delete', { id: one })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await usersNow()).filter(({ role }) => role === 'admin')).toHaveLength(1);
  });

  test.each([[''], ['   '], ['x'.repeat(201)], ['a\u0007b'], ['a\u202eb'], [3]])(
    'a name that is none: %j',
    async (name) => {
      const answer = await r.call('users.create', { name, role: 'viewer' });
      expect([answer.status, Object.keys(answer.body['details'] as object)]).toEqual([422, ['name']]);
    },
  );

  test.each(['viewer', 'editor', 'admin'] as const)('every method, as %s', async (role) => {
    const { cookie } = await testUser(r.service, role, `one ${role}`);
    const may: Readonly<Record<typeof role, readonly (string | null)[]>> = {
      viewer: [null, 'read', 'connections:read', 'query'],
      editor: [null, 'read', 'connections:read', 'query', 'connections:write'],
      admin: [null, 'read', 'connections:read', 'query', 'connections:write', 'admin'],
    };
    for (const { name, scope } of METHODS as unknown as readonly AnyMethod[]) {
      const { verb, path } = routeOf(name);
      const answer = await r.raw(verb, `${path.replace(/:\w+/g, '1')}${verb === 'GET' ? '?no_such=1' : ''}`, {
        headers: { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
        ...(verb === 'POST' && { body: '{"no_such":1}' }),
      });
      const refused = answer.body.error === 'missing_scope';
      expect([name, refused ? 'refused' : answer.body.error]).toEqual([
        name,
        may[role].includes(scope) ? 'invalid_arguments' : 'refused',
      ]);
    }
  });
});

describe('through the OIDC provider', () => {
  const ann = { sub: '1', preferred_username: 'ann', email: 'ann@example.com', email_verified: true };

  test('somebody new gets the role that the provider names, and goes back to where they were', async () => {
    issuer.claims = { ...ann, groups: ['other', 'security'] };
    const browser = new Browser();
    const end = await browser.open('/auth/oidc?next=%2Fschema%3Fa%3Db');
    expect([end.origin, end.pathname, end.search]).toEqual([r.server.url, '/schema', '?a=b']);
    expect((await browser.call('session.info')).body).toMatchObject({
      user: { name: 'ann', role: 'editor', oidc: true, has_password: false },
    });
    expect(browser.cookies.has('soundings_oidc')).toBe(false);
    // at the next sign-in the provider may say otherwise
    issuer.claims = { ...ann, groups: 'platform' };
    await browser.open('/auth/oidc');
    expect((await browser.call('session.info')).body).toMatchObject({ user: { name: 'ann', role: 'admin' } });
    issuer.claims = ann;
    await browser.open('/auth/oidc');
    expect((await browser.call('session.info')).body).toMatchObject({ user: { name: 'ann', role: 'viewer' } });
  });

  test('a name is not an identity', async () => {
    issuer.claims = { ...ann, sub: '2', preferred_username: 'ada' };
    const browser = new Browser();
    await r.call('users.create', { name: 'ada', password: PASSWORD });
    await browser.open('/auth/oidc');
    expect((await browser.call('session.info')).body).toMatchObject({ user: { name: 'ada (2)', role: 'viewer' } });
  });

  test('who was removed does not come back, unless an admin adds them', async () => {
    issuer.claims = { ...ann, sub: '3', preferred_username: 'gone' };
    const browser = new Browser();
    await browser.open('/auth/oidc');
    const { id } = (await usersNow()).find(({ name }) => name === 'gone')!;
    await r.call('users.delete', { id });
    expect((await browser.call('session.info')).body['user']).toBeNull();
    expect((await browser.open('/auth/oidc')).search).toBe('?refused=removed');
    expect((await usersNow()).map(({ name }) => name)).not.toContain('gone');
    await r.call('users.create', { name: 'gone', role: 'viewer' });
    await browser.open('/auth/oidc');
    expect((await browser.call('session.info')).body).toMatchObject({ user: { id, name: 'gone' } });
  });

  test.each([
    ['domain', { ...ann, email: 'ann@example.org' }],
    ['domain', { ...ann, email: 'ann@example.com', email_verified: false }],
    ['domain', { sub: '1' }],
  ])('refused for its %s: %j', async (reason, claims) => {
    issuer.claims = claims;
    const browser = new Browser();
    expect((await browser.open('/auth/oidc')).search).toBe(`?refused=${reason}`);
    expect(browser.cookies.size).toBe(0);
  });

  test.each([
    ['another nonce', { nonce: 'x' }],
    ['another audience', { aud: 'other' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['a token past its end', { exp: 1 }],
    ['nobody', { sub: undefined }],
  ])('refused with %s', async (_, forged) => {
    issuer.claims = ann;
    issuer.forge = (payload) => ({ ...payload, ...forged });
    const browser = new Browser();
    expect((await browser.open('/auth/oidc')).search).toBe('?refused=provider');
    issuer.forge = (payload) => payload;
    expect(browser.cookies.size).toBe(0);
  });

  test('refused when the provider denies it, or nobody asked', async () => {
    issuer.denies = 'access_denied';
    expect((await new Browser().open('/auth/oidc')).search).toBe('?refused=provider');
    issuer.denies = null;
    expect((await new Browser().open('/auth/oidc/callback?code=x&state=y')).search).toBe('?refused=provider');
    const begun = new Browser();
    begun.cookies.set('soundings_oidc', 'nonsense');
    expect((await begun.open('/auth/oidc/callback?code=x&state=y')).search).toBe('?refused=provider');
  });

  test.each(['https://evil.example', '//evil.example/x', '/\\evil.example', '/\t/evil.example', 'javascript:alert(1)'])(
    'never sends anybody on to %s',
    async (next) => {
      issuer.claims = ann;
      const end = await new Browser().open(`/auth/oidc?next=${encodeURIComponent(next)}`);
      expect(end.origin).toBe(r.server.url);
    },
  );
});

test.each([
  [{ SOUNDINGS_OIDC_CLIENT_ID: 'x' }, /SOUNDINGS_OIDC_ISSUER/],
  [{ SOUNDINGS_OIDC_ISSUER: 'http://idp.example', SOUNDINGS_OIDC_CLIENT_ID: 'x' }, /https/],
  [{ SOUNDINGS_OIDC_ISSUER: 'nonsense', SOUNDINGS_OIDC_CLIENT_ID: 'x' }, /https/],
  [{ SOUNDINGS_OIDC_ISSUER: 'https://idp.example' }, /CLIENT_ID/],
  [
    { SOUNDINGS_OIDC_ISSUER: 'https://idp.example', SOUNDINGS_OIDC_CLIENT_ID: 'x', SOUNDINGS_OIDC_ADMINS: 'a' },
    /CLAIM/,
  ],
  [
    {
      SOUNDINGS_OIDC_ISSUER: 'https://idp.example',
      SOUNDINGS_OIDC_CLIENT_ID: 'x',
      SOUNDINGS_OIDC_DEFAULT_ROLE: 'root',
    },
    /DEFAULT_ROLE/,
  ],
  [
    { SOUNDINGS_OIDC_ISSUER: 'https://idp.example', SOUNDINGS_OIDC_CLIENT_ID: 'x', SOUNDINGS_URL: 'soundings.example' },
    /SOUNDINGS_URL/,
  ],
])('a configuration that cannot be used: %j', (env, message) => {
  expect(() => oidcConfig(env)).toThrow(message);
});

test('no answer of this file holds a password or its hash', () => {
  const everything = r.answers.join('\n');
  expect(everything).not.toContain(PASSWORD);
  expect(everything).not.toContain('argon2');
});
