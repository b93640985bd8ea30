/** The API's contract: every method in both encodings, every bad input with its code, and nothing stored after a failure. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyMethod } from '../../src/api/method.ts';
import { METHODS } from '../../src/api/methods/index.ts';
import { routeOf } from '../../src/api/routes.ts';
import { createConnection } from '../../src/control/connections.ts';
import { actions } from '../simulator/index.ts';
import { apiRig, ENCODINGS, form, type Answer, type ApiRig } from './rig.ts';

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const moment = expect.stringMatching(MOMENT) as string;
const number = expect.any(Number) as number;
const text = expect.any(String) as string;

let r: ApiRig;
beforeAll(async () => {
  r = await apiRig();
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

/** The same call must be refused with this code, in both encodings, and must not change a byte of what is stored. */
async function refused(
  status: number,
  error: string,
  call: (encoding: 'json' | 'form') => Promise<Answer>,
): Promise<Answer> {
  const before = await r.rows();
  let last: Answer | undefined;
  for (const encoding of ENCODINGS) {
    const answer = await call(encoding);
    expect(answer.body, `${encoding}: ${answer.text}`).toMatchObject({
      ok: false,
      error,
      message: expect.stringMatching(/.{10}/) as string,
    });
    expect(answer.status).toBe(status);
    last = answer;
  }
  expect(await r.rows()).toBe(before);
  return last!;
}

const removeAll = async (): Promise<void> => {
  const { body } = await r.call('connections.list');
  for (const { id } of body['connections'] as { id: number }[]) await r.call('connections.delete', { id });
};

describe.each(ENCODINGS)('what the contract documents, as %s', (encoding) => {
  beforeAll(removeAll);

  test('a connection, from its making to its end', async () => {
    expect(await r.call('connections.list')).toMatchObject({ status: 200, body: { ok: true, connections: [] } });
    const made = await r.call(
      'connections.create',
      {
        name: 'Ours',
        settings: {
          base_url: `${r.sim.url}/api/`,
          include: ['a*', 'b*'],
          max_concurrency: 2,
          audit_hours: 12,
          listed_endpoints_only: false,
        },
        secrets: { api_token: r.sim.tokens.admin },
        label: 'first',
      },
      { encoding },
    );
    expect(made.status).toBe(201);
    const { connection, credential, verification } = made.body as unknown as {
      connection: { id: number; settings: unknown };
      credential: { id: number };
      verification: { outcome: string; steps: unknown[] };
    };
    expect(connection.settings).toEqual({
      base_url: r.sim.url,
      include: ['a*', 'b*'],
      max_concurrency: 2,
      audit_hours: 12,
      listed_endpoints_only: false,
    });
    expect(credential).toEqual({ id: number, type: 'api_token', label: 'first', created_at: moment });
    expect(verification).toMatchObject({ outcome: 'verified' });

    const shown = {
      id: connection.id,
      type: 'sonarqube',
      name: 'Ours',
      state: 'verified',
      disabled_at: null,
      last_synced_at: null,
      created_at: moment,
      supports_multiple_credentials: true,
      warnings: [],
    };
    expect((await r.call('connections.list')).body).toEqual({ ok: true, connections: [shown] });
    expect((await r.call('connections.info', { id: connection.id })).body).toEqual({
      ok: true,
      connection: { ...shown, settings: connection.settings, disabled_reason: null, updated_at: moment },
    });
    expect((await r.call('connections.overview')).body).toMatchObject({
      ok: true,
      connections: [{ ...shown, base_url: r.sim.url, server_version: r.sim.version, last_run: null, projects: 0 }],
    });

    const changed = await r.call(
      'connections.update',
      { id: connection.id, name: 'Theirs', settings: { audit_hours: null, include: ['c'] } },
      { encoding },
    );
    expect(changed.body).toMatchObject({ ok: true, connection: { name: 'Theirs' } });
    expect((changed.body['connection'] as { settings: unknown }).settings).toEqual({
      base_url: r.sim.url,
      include: ['c'],
      max_concurrency: 2,
      listed_endpoints_only: false,
    });

    const disabled = await r.call('connections.disable', { id: connection.id, reason: 'Holidays' }, { encoding });
    expect(disabled.body).toMatchObject({ ok: true, connection: { disabled_at: moment, disabled_reason: 'Holidays' } });
    const enabled = await r.call('connections.enable', { id: connection.id }, { encoding });
    expect(enabled.body).toMatchObject({ ok: true, connection: { disabled_at: null, disabled_reason: null } });

    const verified = await r.call('connections.verify', { id: connection.id }, { encoding });
    expect(verified.body).toMatchObject({ ok: true, verification: { outcome: 'verified', token_type: 'user' } });

    const deleted = await r.call('connections.delete', { id: connection.id }, { encoding });
    expect([deleted.status, deleted.body]).toEqual([200, { ok: true }]);
    expect((await r.call('connections.list')).body).toEqual({ ok: true, connections: [] });
    expect((await r.call('connections.info', { id: connection.id })).body.error).toBe('connection_not_found');
    // its tokens are forgotten, not only hidden
    expect(await r.rows()).toMatch(/"secrets": \{\}/);
    // the same server again takes up the same row, with its data
    expect((await r.connect()).connection).toBe(connection.id);
  });

  test('credentials, from their making to their end', async () => {
    await removeAll();
    const { connection, credential } = await r.connect();
    const made = await r.call(
      'credentials.create',
      {
        connection_id: connection,
        label: 'second',
        settings: {},
        secrets: { api_token: r.sim.tokens.globalAnalysis },
        expiration_date: '2999-12-31',
      },
      { encoding },
    );
    expect(made.status).toBe(201);
    const { id } = made.body['credential'] as { id: number };
    expect(made.body).toEqual({ ok: true, credential: { id, type: 'api_token', label: 'second', created_at: moment } });

    const shown = {
      id,
      type: 'api_token',
      label: 'second',
      created_at: moment,
      settings: {},
      disabled_at: null,
      expiration_date: '2999-12-31',
      disabled_reason: null,
      token_type: 'global_analysis',
      verified_at: moment,
    };
    const list = await r.call('credentials.list', { connection_id: connection });
    expect(list.body).toMatchObject({ ok: true, credentials: [{ id: credential, label: 'Credential 1' }, shown] });
    expect((list.body['credentials'] as Record<string, unknown>[])[1]).toMatchObject({
      access: { 'issues/search': 'ok', 'projects/search': 'denied' },
      warnings: [expect.stringMatching(/may not read/)],
    });
    expect((await r.call('credentials.info', { connection_id: connection, id })).body).toMatchObject({
      ok: true,
      credential: { ...shown, deleted_at: null },
    });

    const before = r.sim.log.length;
    const renamed = await r.call('credentials.update', { connection_id: connection, id, label: 'new' }, { encoding });
    expect([renamed.status, renamed.body]).toEqual([
      200,
      { ok: true, credential: { id, type: 'api_token', label: 'new', created_at: moment } },
    ]);
    // a mere rename is verified in full, with the token that is kept
    expect(new Set(r.sim.log.slice(before).map(({ token }) => token))).toEqual(new Set(['globalAnalysis', undefined]));
    expect((await r.call('credentials.info', { connection_id: connection, id })).body).toMatchObject({
      credential: { label: 'new', expiration_date: '2999-12-31' },
    });
    // empty secrets are as good as none, and null takes the date away
    const kept = await r.call(
      'credentials.update',
      { connection_id: connection, id, secrets: { api_token: '' }, expiration_date: null },
      { encoding },
    );
    expect(kept.status).toBe(200);
    expect((await r.call('credentials.info', { connection_id: connection, id })).body).toMatchObject({
      credential: { label: 'new', expiration_date: null, token_type: 'global_analysis' },
    });
    const replaced = await r.call(
      'credentials.update',
      { connection_id: connection, id, secrets: { api_token: r.sim.tokens.expiring } },
      { encoding },
    );
    expect(replaced.status).toBe(200);
    const soon = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    expect((await r.call('credentials.info', { connection_id: connection, id })).body).toMatchObject({
      credential: {
        token_type: 'user',
        expiration_date: soon,
        warnings: [expect.stringMatching(/ends in 2 days|ends tomorrow/)],
      },
    });
    expect((await r.call('connections.info', { id: connection })).body).toMatchObject({
      connection: { warnings: [expect.stringMatching(/“new” ends/)] },
    });

    const deleted = await r.call('credentials.delete', { connection_id: connection, id }, { encoding });
    expect([deleted.status, deleted.body]).toEqual([200, { ok: true }]);
    expect((await r.call('credentials.list', { connection_id: connection })).body).toMatchObject({
      credentials: [{ id: credential }],
    });
    expect((await r.call('credentials.info', { connection_id: connection, id })).body.error).toBe(
      'credential_not_found',
    );
    expect((await r.call('credentials.delete', { connection_id: connection, id }, { encoding })).body.error).toBe(
      'credential_not_found',
    );
  });

  test('without its last credential a connection stops, and goes on with the next', async () => {
    await removeAll();
    const { connection, credential } = await r.connect();
    await r.call('credentials.delete', { connection_id: connection, id: credential }, { encoding });
    expect((await r.call('connections.info', { id: connection })).body).toMatchObject({
      connection: { disabled_at: moment, disabled_reason: text, warnings: [text] },
    });
    const again = { connection_id: connection, secrets: { api_token: r.sim.tokens.admin } };
    expect((await r.call('credentials.create', again, { encoding })).status).toBe(201);
    expect((await r.call('connections.info', { id: connection })).body).toMatchObject({
      connection: { disabled_at: null, disabled_reason: null, warnings: [] },
    });
  });

  test('API tokens and the audit log', async () => {
    const made = await r.call(
      'tokens.create',
      { label: 'CI', scopes: ['read', 'query'], expires_at: '2999-01-01' },
      { encoding },
    );
    expect(made.status).toBe(201);
    const { token, api_token } = made.body as unknown as { token: string; api_token: { id: number; prefix: string } };
    expect(token).toMatch(/^sdg_[\w-]{43}$/);
    expect(api_token).toMatchObject({
      label: 'CI',
      scopes: ['read', 'query'],
      expires_at: '2999-01-01T00:00:00.000Z',
      revoked_at: null,
    });
    expect(token.startsWith(api_token.prefix)).toBe(true);
    const list = await r.call('tokens.list');
    expect(list.text).not.toContain(token);
    expect(list.body['tokens']).toContainEqual(expect.objectContaining({ id: api_token.id, prefix: api_token.prefix }));
    expect((await r.call('connections.list', {}, { token })).body).toMatchObject({ error: 'missing_scope' });
    expect((await r.call('tokens.revoke', { id: api_token.id }, { encoding })).body).toEqual({ ok: true });
    expect((await r.call('connections.list', {}, { token })).body).toMatchObject({ error: 'not_authed' });
    expect((await r.call('tokens.revoke', { id: api_token.id }, { encoding })).body).toMatchObject({
      error: 'token_not_found',
    });

    const log = await r.call('audit.list', { limit: 2 });
    const { entries, next_cursor } = log.body as unknown as { entries: Record<string, unknown>[]; next_cursor: number };
    expect(entries).toMatchObject([
      {
        action: 'tokens.revoke',
        actor: expect.stringMatching(/^token sdg_\S{8} \(admin\)$/) as string,
        address: '127.0.0.1',
        at: moment,
      },
      { action: 'tokens.create' },
    ]);
    const following = await r.call('audit.list', { limit: 2, cursor: next_cursor });
    expect((following.body['entries'] as { id: number }[])[0]!.id).toBeLessThan(entries[1]!['id'] as number);
  });

  test('keys', async () => {
    expect((await r.call('keys.list')).body).toMatchObject({
      ok: true,
      keys: [{ current: true, held: true, id: text }],
    });
    expect((await r.call('keys.rotate', {}, { encoding })).body).toMatchObject({
      ok: true,
      added: false,
      resealed: number,
    });
  });
});

describe('the sample', () => {
  test('is a connection like others, made once', async () => {
    await removeAll();
    const made = await r.call('connections.create_sample');
    expect(made).toMatchObject({
      status: 201,
      body: { connection: { settings: { sample: true, base_url: 'http://sample.invalid' } } },
    });
    const { id } = made.body['connection'] as { id: number };
    await refused(409, 'conflict', (encoding) => r.call('connections.create_sample', {}, { encoding }));
    expect((await r.call('connections.verify', { id })).body).toMatchObject({ verification: { outcome: 'verified' } });
    await refused(422, 'invalid_arguments', (encoding) =>
      r.call(
        'connections.update',
        { id, settings: { base_url: r.sim.url }, secrets: { api_token: 'squ_x' } },
        { encoding },
      ),
    );
    // nobody makes a sample of their own server
    await refused(422, 'invalid_arguments', (encoding) =>
      r.call(
        'connections.create',
        { settings: { base_url: r.sim.url, sample: true }, secrets: { api_token: r.sim.tokens.admin } },
        { encoding },
      ),
    );
    await r.call('connections.delete', { id });
  });
});

/** Something for every argument in a path, so that only the fault under test is there. */
const pathOf = (method: AnyMethod): string => routeOf(method.name).path.replace(/:\w+/g, '1');

describe.each(METHODS as unknown as readonly AnyMethod[])('$name', (method) => {
  const { verb } = routeOf(method.name);
  const json = { 'content-type': 'application/json' };
  const auth = (token = r.admin): Record<string, string> => ({ authorization: `Bearer ${token}` });

  test('is asked by its own verb alone', async () => {
    const before = await r.rows();
    for (const wrong of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].filter((one) => one !== verb)) {
      const answer = await r.raw(wrong, pathOf(method), { headers: auth() });
      expect([wrong, answer.status, answer.headers.get('allow')]).toEqual([wrong, 405, verb]);
      if (wrong !== 'HEAD') expect(answer.body).toMatchObject({ ok: false, error: 'method_not_allowed' });
    }
    expect(await r.rows()).toBe(before);
  });

  if (method.scope !== null)
    test('needs a token, a good one, of its scope', async () => {
      const before = await r.rows();
      const bad: Record<string, string>[] = [
        {},
        { authorization: '' },
        { authorization: 'Bearer' },
        { authorization: `Bearer ${r.admin}x` },
        { authorization: r.admin },
        { authorization: `Basic ${Buffer.from(`${r.admin}:`).toString('base64')}` },
        { authorization: `Bearer ${'x'.repeat(5000)}` },
        { authorization: `Bearer sdg_${'A'.repeat(43)}` },
      ];
      for (const headers of bad) {
        const answer = await r.raw(verb, pathOf(method), { headers });
        expect([headers, answer.status, answer.body.error]).toEqual([headers, 401, 'not_authed']);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
      const other = method.scope === 'read' ? 'query' : 'read';
      const answer = await r.raw(verb, pathOf(method), { headers: auth(await r.tokenFor([other])) });
      expect([answer.status, answer.body.error]).toEqual([403, 'missing_scope']);
      expect(await r.rows()).toBe(before);
    });

  test('refuses what it does not know', async () => {
    const before = await r.rows();
    const extra = verb === 'GET' ? '?no_such_argument=1' : '';
    const body = verb === 'GET' ? {} : { body: JSON.stringify({ no_such_argument: 1 }) };
    const answer = await r.raw(verb, `${pathOf(method)}${extra}`, {
      headers: { ...auth(), ...(verb === 'POST' && json) },
      ...body,
    });
    expect(answer.body).toMatchObject({ error: 'invalid_arguments', details: { no_such_argument: text } });
    expect(answer.status).toBe(422);
    expect(await r.rows()).toBe(before);
  });

  if (verb === 'POST')
    test('takes a JSON object or a form, of 1 MiB at most, and nothing in its address', async () => {
      const before = await r.rows();
      const send = (body: string, type = 'application/json'): Promise<Answer> =>
        r.raw('POST', pathOf(method), { headers: { ...auth(), 'content-type': type }, body });
      for (const body of ['{', 'no', '[1]', '"text"', '3', 'null', 'true', '{"a":1}}', "{'a':1}"]) {
        expect([body, (await send(body)).body.error]).toEqual([body, 'invalid_json']);
      }
      for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
        const answer = await send('{}', type);
        expect([answer.status, answer.body.error]).toEqual([400, 'invalid_json']);
      }
      const large = await send(JSON.stringify({ label: 'x'.repeat(1024 * 1024) }));
      expect([large.status, large.body.error]).toEqual([413, 'payload_too_large']);
      const inAddress = await r.raw('POST', `${pathOf(method)}?label=x`, {
        headers: { ...auth(), ...json },
        body: '{}',
      });
      expect([inAddress.status, inAddress.body.error]).toEqual([422, 'invalid_arguments']);
      expect(await r.rows()).toBe(before);
    });
});

describe('what is asked of nobody', () => {
  test.each([
    '/api/nope',
    '/api/connections',
    '/api/connections.list/',
    '/api/connections.info',
    '/api/',
    '/api/x/y/z',
  ])('%s', async (path) => {
    const answer = await r.raw('GET', path, { headers: { authorization: `Bearer ${r.admin}` } });
    expect([answer.status, answer.body.error]).toEqual([404, 'unknown_method']);
  });

  test('an address that cannot be read', async () => {
    expect((await r.raw('GET', '/api/connections.info/%zz')).body).toMatchObject({ error: 'invalid_arguments' });
  });
});

describe('bad input', () => {
  let connection: number;
  let credential: number;
  beforeAll(async () => {
    await removeAll();
    ({ connection, credential } = await r.connect());
  });

  test.each([
    '0',
    '-1',
    '1.5',
    'abc',
    '9223372036854775808',
    '99999999999999999999999',
    '9007199254740993',
    '0x1',
    '1e2',
    ' 1',
    '%00',
  ])('an id that is none: %s', async (id) => {
    const answer = await r.raw('GET', `/api/connections.info/${id}`, {
      headers: { authorization: `Bearer ${r.admin}` },
    });
    expect([answer.status, answer.body.error]).toEqual([422, 'invalid_arguments']);
    await refused(422, 'invalid_arguments', (encoding) => r.call('connections.disable', { id }, { encoding }));
  });

  test('ids as JSON numbers beyond what a number can hold', async () => {
    const headers = { authorization: `Bearer ${r.admin}`, 'content-type': 'application/json' };
    for (const id of ['9223372036854775808', '1e400', '-0.5', '{}', '[1]', 'true', '"1"']) {
      const answer = await r.raw('POST', '/api/connections.disable', { headers, body: `{"id":${id}}` });
      expect([id, answer.body.error, Object.keys(answer.body['details'] as object)]).toEqual([
        id,
        'invalid_arguments',
        ['id'],
      ]);
    }
  });

  test('connections and credentials that are not there', async () => {
    const gone = { connection_id: 999_999, id: credential, secrets: { api_token: r.sim.tokens.viewer } };
    await refused(404, 'connection_not_found', (encoding) =>
      r.call('credentials.create', { ...gone, id: undefined }, { encoding }),
    );
    await refused(404, 'connection_not_found', (encoding) => r.call('credentials.update', gone, { encoding }));
    await refused(404, 'connection_not_found', (encoding) =>
      r.call('credentials.delete', { ...gone, secrets: undefined }, { encoding }),
    );
    await refused(404, 'connection_not_found', () => r.call('credentials.list', { connection_id: 999_999 }));
    await refused(404, 'connection_not_found', () =>
      r.call('credentials.info', { connection_id: 999_999, id: credential }),
    );
    for (const name of [
      'connections.disable',
      'connections.enable',
      'connections.delete',
      'connections.update',
      'connections.verify',
    ] as const) {
      await refused(404, 'connection_not_found', (encoding) => r.call(name, { id: 999_999 }, { encoding }));
    }
    await refused(404, 'credential_not_found', (encoding) =>
      r.call('credentials.update', { connection_id: connection, id: 999_999 }, { encoding }),
    );
    await refused(404, 'credential_not_found', (encoding) =>
      r.call('connections.verify', { id: connection, credential_id: 999_999 }, { encoding }),
    );
  });

  test('a credential of another connection', async () => {
    const other = await createConnection(r.service.store.database, { base_url: 'http://other.example' });
    const there = { connection_id: other.id, id: credential };
    await refused(404, 'credential_not_found', () => r.call('credentials.info', there));
    await refused(404, 'credential_not_found', (encoding) => r.call('credentials.update', there, { encoding }));
    await refused(404, 'credential_not_found', (encoding) => r.call('credentials.delete', there, { encoding }));
    await refused(422, 'invalid_arguments', (encoding) =>
      r.raw('POST', `/api/connections/${connection}/credentials.delete`, {
        headers: {
          authorization: `Bearer ${r.admin}`,
          'content-type': encoding === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
        },
        body:
          encoding === 'json'
            ? JSON.stringify({ connection_id: other.id, id: credential })
            : form({ connection_id: other.id, id: credential }),
      }),
    );
    await r.call('connections.delete', { id: other.id });
  });

  test.each([
    ['label', { label: 3 }],
    ['label', { label: '' }],
    ['label', { label: 'x'.repeat(201) }],
    ['label', { label: 'a\u0000b' }],
    ['label', { label: 'a\ud800b' }],
    ['settings', { settings: [] }],
    ['settings.foo', { settings: { foo: 1 } }],
    ['secrets', { secrets: 'squ_x' }],
    ['secrets.password', { secrets: { password: 'hidden' } }],
    ['secrets.api_token', { secrets: { api_token: 7 } }],
    ['secrets.api_token', { secrets: { api_token: 'squ_ü hidden' } }],
    ['secrets.api_token', { secrets: {} }],
    ['secrets.api_token', {}],
    ['secrets.client_key', { secrets: { api_token: 'squ_x', client_key: 'hidden' } }],
    ['expiration_date', { expiration_date: 'soon' }],
    ['expiration_date', { expiration_date: '2026-02-30' }],
    ['expiration_date', { expiration_date: '2020-01-01', secrets: { api_token: 'squ_x' } }],
    ['expiration_date', { expiration_date: 20270101 }],
  ])('credentials.create names %s and shows no secret: %j', async (field, args) => {
    const before = await r.rows();
    const answer = await r.call('credentials.create', { connection_id: connection, ...args });
    expect([answer.status, answer.body.error]).toEqual([422, 'invalid_arguments']);
    expect(Object.keys(answer.body['details'] as object)).toContain(field);
    expect(answer.text).not.toMatch(/hidden/);
    expect(await r.rows()).toBe(before);
  });

  test.each([
    'sonar.example.com',
    'ftp://sonar.example.com',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://user:hidden@sonar.example.com',
    'http://hidden@sonar.example.com',
    'http://sonar.example.com?x=1',
    'http://sonar.example.com/sonar?x=1',
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://metadata.google.internal/',
    'http://0.0.0.0:9000',
    '',
    'http://',
  ])('a base URL that is refused: %s', async (base_url) => {
    const secrets = { api_token: r.sim.tokens.admin };
    const asked = r.sim.log.length;
    const answer = await refused(422, 'invalid_arguments', (encoding) =>
      r.call('connections.create', { settings: { base_url }, secrets }, { encoding }),
    );
    expect(answer.text).not.toContain('hidden');
    await refused(422, 'invalid_arguments', (encoding) =>
      r.call('connections.update', { id: connection, settings: { base_url }, secrets }, { encoding }),
    );
    await refused(422, 'invalid_arguments', (encoding) =>
      r.call('connections.verify', { settings: { base_url }, secrets }, { encoding }),
    );
    expect(r.sim.log).toHaveLength(asked);
  });

  test.each([
    ['proxy_url', 'no'],
    ['proxy_url', 'http://me:hidden@proxy.example'],
    ['ca_certificate', 'hidden'],
    ['ca_certificate', '-----BEGIN CERTIFICATE-----\nhidden\n-----END CERTIFICATE-----'],
    ['max_concurrency', 0],
    ['max_concurrency', 1.5],
    ['audit_hours', -1],
    ['access', 'root'],
    ['include', [3]],
    ['include', 'x'.repeat(401)],
    ['schedule', ''],
    ['sample', true],
    ['no_such', 1],
  ])('settings.%s = %j', async (field, value) => {
    const before = await r.rows();
    const answer = await r.call('connections.update', { id: connection, settings: { [field]: value } });
    expect([answer.status, answer.body.error]).toEqual([422, 'invalid_arguments']);
    expect(Object.keys(answer.body['details'] as object).some((name) => name.startsWith(`settings.${field}`))).toBe(
      true,
    );
    expect(answer.text).not.toMatch(/hidden/);
    expect(await r.rows()).toBe(before);
  });

  test('tokens that fail their verification, with its code and its steps', async () => {
    const cases = [
      ['invalid_credentials', r.sim.tokens.bad],
      ['invalid_credentials', r.sim.tokens.revoked],
      ['invalid_credentials', r.sim.tokens.expired],
    ] as const;
    for (const [code, api_token] of cases) {
      const answer = await refused(422, code, (encoding) =>
        r.call('credentials.create', { connection_id: connection, secrets: { api_token } }, { encoding }),
      );
      expect(answer.body).toMatchObject({
        details: { verification: { outcome: code, steps: expect.any(Array) as unknown[] } },
      });
      await refused(422, code, (encoding) =>
        r.call(
          'credentials.update',
          { connection_id: connection, id: credential, label: 'other', secrets: { api_token } },
          { encoding },
        ),
      );
    }
    // beside a token that reads everything a lesser one is welcome; instead of it, it is not
    const lesser = { connection_id: connection, id: credential, secrets: { api_token: r.sim.tokens.viewer } };
    await refused(422, 'invalid_permissions', (encoding) => r.call('credentials.update', lesser, { encoding }));
    await refused(422, 'invalid_arguments', (encoding) =>
      r.call(
        'credentials.create',
        { connection_id: connection, secrets: { api_token: r.sim.tokens.admin } },
        { encoding },
      ),
    );
    await refused(409, 'conflict', (encoding) =>
      r.call(
        'connections.create',
        { settings: { base_url: r.sim.url }, secrets: { api_token: r.sim.tokens.admin } },
        { encoding },
      ),
    );
  });

  test('a server that is away while something is changed', async () => {
    await r.sim.faults.become('refusing');
    const change = { connection_id: connection, id: credential, label: 'never' };
    await refused(422, 'internal_server_error', (encoding) => r.call('credentials.update', change, { encoding }));
    await refused(422, 'internal_server_error', (encoding) =>
      r.call('connections.update', { id: connection, name: 'never' }, { encoding }),
    );
    const verified = await r.call('connections.verify', { id: connection });
    expect([verified.status, verified.body['verification']]).toMatchObject([200, { outcome: 'internal_server_error' }]);
    await r.sim.faults.become('starting');
    await refused(422, 'internal_server_error', (encoding) => r.call('credentials.update', change, { encoding }));
    await r.sim.faults.become('up');
  });

  test('a stored token is never sent to another place than it was entered for', async () => {
    const elsewhere = await apiRig();
    try {
      const settings = { base_url: elsewhere.sim.url };
      const answer = await refused(422, 'invalid_arguments', (encoding) =>
        r.call('connections.update', { id: connection, settings }, { encoding }),
      );
      expect(answer.body).toMatchObject({ details: { 'secrets.api_token': text } });
      await refused(422, 'invalid_arguments', (encoding) =>
        r.call('connections.update', { id: connection, settings: { proxy_url: elsewhere.sim.url } }, { encoding }),
      );
      expect(elsewhere.sim.log).toEqual([]);
      const asked = r.sim.log.length;
      await refused(422, 'invalid_arguments', (encoding) =>
        r.call('connections.update', { id: connection, settings: { base_url: `${r.sim.url}/other` } }, { encoding }),
      );
      expect(r.sim.log).toHaveLength(asked);
      // with the token entered again it is; another credential then waits for its own
      const second = await r.call('credentials.create', {
        connection_id: connection,
        secrets: { api_token: r.sim.tokens.viewer },
      });
      const moved = await r.call('connections.update', {
        id: connection,
        settings,
        secrets: { api_token: r.sim.tokens.admin },
      });
      expect(moved.status).toBe(200);
      expect(new Set(elsewhere.sim.log.map(({ token }) => token))).toEqual(new Set(['admin', undefined]));
      const { id } = second.body['credential'] as { id: number };
      expect((await r.call('credentials.info', { connection_id: connection, id })).body).toMatchObject({
        credential: { disabled_at: moment, disabled_reason: expect.stringMatching(/enter the token again/) as string },
      });
      const back = { id: connection, settings: { base_url: r.sim.url }, secrets: { api_token: r.sim.tokens.admin } };
      expect((await r.call('connections.update', back)).status).toBe(200);
      await r.call('credentials.delete', { connection_id: connection, id });
    } finally {
      await elsewhere[Symbol.asyncDispose]();
    }
  });
});

describe('two at once', () => {
  test('updates of one credential: one is stored whole, the other is told', async () => {
    await removeAll();
    const { connection, credential } = await r.connect();
    // both have read the row before either can write it
    let waiting = 0;
    const both = Promise.withResolvers<undefined>();
    const off = r.sim.faults.on((request) => {
      if (request.path !== '/api/metrics/search') return undefined;
      waiting += 1;
      if (waiting === 2) both.resolve(undefined);
      return { kind: 'delay', ms: 2000 };
    });
    const update = (label: string): Promise<Answer> =>
      r.call('credentials.update', { connection_id: connection, id: credential, label });
    const answers = await Promise.all([update('one'), update('two')]);
    await both.promise;
    off();
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error).toBe('conflict');
    const won = (answers.find(({ status }) => status === 200)?.body['credential'] as { label: string }).label;
    expect((await r.call('credentials.info', { connection_id: connection, id: credential })).body).toMatchObject({
      credential: { label: won },
    });
  });

  test('a credential that is deleted while it is verified stays deleted', async () => {
    await removeAll();
    const { connection, credential } = await r.connect();
    const second = await r.call('credentials.create', {
      connection_id: connection,
      secrets: { api_token: r.sim.tokens.expiring },
    });
    const { id } = second.body['credential'] as { id: number };
    const off = r.sim.faults.always('metrics/search', actions.delay(2000));
    const before = r.sim.requests('metrics/search').length;
    const updating = r.call('credentials.update', { connection_id: connection, id, label: 'late' });
    await expect.poll(() => r.sim.requests('metrics/search').length, { timeout: 30_000 }).toBeGreaterThan(before);
    await r.call('credentials.delete', { connection_id: connection, id });
    const updated = await updating;
    off();
    expect([updated.status, updated.body.error]).toEqual([409, 'conflict']);
    expect((await r.call('credentials.list', { connection_id: connection })).body).toMatchObject({
      credentials: [{ id: credential }],
    });
  });

  test('two connections to one server: one is made', async () => {
    await removeAll();
    const create = (): Promise<Answer> =>
      r.call('connections.create', { settings: { base_url: r.sim.url }, secrets: { api_token: r.sim.tokens.admin } });
    const answers = await Promise.all([create(), create(), create()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const { connections } = (await r.call('connections.list')).body as { connections?: { id: number }[] };
    expect(connections).toHaveLength(1);
    expect((await r.call('credentials.list', { connection_id: connections![0]!.id })).body['credentials']).toHaveLength(
      1,
    );
  });
});

test('no answer of this file holds a token', () => {
  const everything = r.answers.join('\n');
  expect(r.answers.length).toBeGreaterThan(300);
  for (const token of Object.values(r.sim.tokens)) expect(everything).not.toContain(token);
});
