/** Every documented method in both encodings: status, answer, and that a failure leaves every row as it was, byte for byte. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiRig, type Encoding } from './rig.ts';

let rig: Awaited<ReturnType<typeof apiRig>>;
beforeAll(async () => {
  rig = await apiRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

/** The server names this token's end itself: that counts, not the date that was given. */
const DAY = /^(?!2099)\d{4}-\d\d-\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A failure: documented code and status, a sentence, and nothing stored or changed. */
async function refused(status: number, error: string, ask: () => ReturnType<typeof rig.call>): Promise<void> {
  const before = await rig.rows();
  const answer = await ask();
  expect({ status: answer.status, ok: answer.body['ok'], error: answer.body['error'] }, answer.text).toEqual({
    status,
    ok: false,
    error,
  });
  expect(String(answer.body['message']).length).toBeGreaterThan(10);
  expect(await rig.rows()).toBe(before);
}

let connection = 0;
const credentials = (method: string): string => `/api/connections/${connection}/credentials.${method}`;

describe('a connection', () => {
  test.each([
    ['a token that is wrong', 'bad', 'invalid_credentials'],
    ['a token that was revoked', 'revoked', 'invalid_credentials'],
    ['a token that may not list projects', 'viewer', 'invalid_permissions'],
    ['an analysis token alone', 'globalAnalysis', 'invalid_permissions'],
  ] as const)('is not made with %s', async (_, name, code) => {
    const args = { settings: { base_url: rig.sim.url }, secrets: { api_token: rig.sim.tokens[name] } };
    await refused(422, code, () => rig.call('/api/connections.create', args));
  });

  test.each([
    ['nothing listens', 'http://127.0.0.1:1', 'internal_server_error'],
    ['a file', 'file:///etc/passwd', 'invalid_arguments'],
    ['user and password in the address', 'https://user:password@sonar.example.com', 'invalid_arguments'],
    ['the metadata service', 'http://169.254.169.254', 'invalid_arguments'],
    ['no address', 'sonar', 'invalid_arguments'],
  ])('is not made where there is %s', async (_, base_url, code) => {
    const args = { settings: { base_url }, secrets: { api_token: rig.sim.tokens.admin } };
    await refused(422, code, () => rig.call('/api/connections.create', args));
  });

  test('is made once it is verified', async () => {
    const made = await rig.call('/api/connections.create', {
      settings: { base_url: `${rig.sim.url}/api/` },
      secrets: { api_token: rig.sim.tokens.admin },
    });
    expect(made.status, made.text).toBe(201);
    const { body } = await rig.call('/api/connections.list', null);
    const [listed] = body['connections'] as Record<string, unknown>[];
    connection = Number(listed?.['id']);
    expect(listed).toMatchObject({
      type: 'sonarqube',
      state: 'verified',
      disabled_at: null,
      last_synced_at: null,
      supports_multiple_credentials: true,
      created_at: expect.stringMatching(MOMENT) as string,
    });
    const info = await rig.call(`/api/connections.info/${connection}`, null);
    expect(info.body['connection']).toMatchObject({
      id: connection,
      settings: { base_url: rig.sim.url },
      disabled_reason: null,
      updated_at: expect.stringMatching(MOMENT) as string,
    });
  });

  test('to a server that is connected already is refused', async () => {
    const args = { settings: { base_url: rig.sim.url }, secrets: { api_token: rig.sim.tokens.admin } };
    await refused(409, 'conflict', () => rig.call('/api/connections.create', args));
  });

  test.each(['0', '999999', '99999999999999999999999999', 'abc'])('of id %s is not found or no id', async (id) => {
    const before = await rig.rows();
    const answer = await rig.call(`/api/connections.info/${id}`, null);
    expect([404, 422]).toContain(answer.status);
    expect(['connection_not_found', 'invalid_arguments']).toContain(answer.body['error']);
    expect(await rig.rows()).toBe(before);
  });
});

describe.each<Encoding>(['json', 'form'])('credentials in %s', (encoding) => {
  let id = 0;

  test('create: 201 and four fields', async () => {
    const args = {
      label: `CI ${encoding}`,
      secrets: { api_token: rig.sim.tokens.expiring },
      expiration_date: '2099-01-31',
    };
    const { status, body, text } = await rig.call(credentials('create'), args, { encoding });
    expect(status, text).toBe(201);
    expect(Object.keys(body)).toEqual(['ok', 'credential']);
    const made = body['credential'] as Record<string, unknown>;
    expect(Object.keys(made).toSorted()).toEqual(['created_at', 'id', 'label', 'type']);
    expect(made).toMatchObject({ label: `CI ${encoding}`, created_at: expect.stringMatching(MOMENT) as string });
    id = Number(made['id']);
  });

  test('create without a label gets one', async () => {
    const { status, body } = await rig.call(
      credentials('create'),
      { secrets: { api_token: rig.sim.tokens.viewer } },
      { encoding },
    );
    expect(status).toBe(201);
    const made = body['credential'] as { id: number; label: string };
    expect(made.label.length).toBeGreaterThan(0);
    const gone = await rig.call(credentials('delete'), { id: made.id }, { encoding });
    expect(gone.text).toBe('{"ok":true}');
  });

  test('an analysis token is taken beside a user token', async () => {
    const args = { secrets: { api_token: rig.sim.tokens.globalAnalysis } };
    const { status, body, text } = await rig.call(credentials('create'), args, { encoding });
    expect(status, text).toBe(201);
    const made = body['credential'] as { id: number };
    await rig.call(credentials('delete'), { id: made.id }, { encoding });
  });

  test('the same token twice is refused', async () => {
    const args = { secrets: { api_token: rig.sim.tokens.expiring } };
    await refused(422, 'invalid_arguments', () => rig.call(credentials('create'), args, { encoding }));
  });

  test('info and list: no secret', async () => {
    const info = await rig.call(credentials(`info/${id}`), null);
    expect(info.status).toBe(200);
    expect(info.body['credential']).toMatchObject({
      id,
      expiration_date: expect.stringMatching(DAY) as string,
      deleted_at: null,
    });
    const list = await rig.call(credentials('list'), null);
    expect((list.body['credentials'] as { id: number }[]).map((one) => one.id)).toContain(id);
  });

  test('update: verified again, merged by field, four fields', async () => {
    const renamed = await rig.call(
      credentials('update'),
      { id, label: 'renamed', secrets: { api_token: '' } },
      { encoding },
    );
    expect(renamed.status, renamed.text).toBe(200);
    expect(Object.keys(renamed.body['credential'] as object).toSorted()).toEqual(['created_at', 'id', 'label', 'type']);
    const info = await rig.call(credentials(`info/${id}`), null);
    expect(info.body['credential']).toMatchObject({
      label: 'renamed',
      expiration_date: expect.stringMatching(DAY) as string,
    });
    await refused(422, 'invalid_credentials', () =>
      rig.call(credentials('update'), { id, label: 'other', secrets: { api_token: rig.sim.tokens.bad } }, { encoding }),
    );
  });

  test.each([
    ['bad', 'invalid_credentials'],
    ['viewer', 'verified beside another'],
  ] as const)('create with the token %s: %s', async (name, code) => {
    const args = { secrets: { api_token: rig.sim.tokens[name] } };
    if (code === 'invalid_credentials')
      return refused(422, code, () => rig.call(credentials('create'), args, { encoding }));
    const { status, body } = await rig.call(credentials('create'), args, { encoding });
    expect(status).toBe(201);
    await rig.call(credentials('delete'), { id: (body['credential'] as { id: number }).id }, { encoding });
  });

  test.each([
    ['no secret', {}],
    ['an unknown field', { secrets: { api_token: 'x' }, colour: 'red' }],
    ['a label that is too long', { label: 'x'.repeat(1001), secrets: { api_token: 'x' } }],
    ['a date that is none', { secrets: { api_token: 'x' }, expiration_date: '2026-02-30' }],
    ['a secret that is unknown', { secrets: { password: 'x' } }],
  ])('create with %s is refused', async (_, args) => {
    await refused(422, 'invalid_arguments', () => rig.call(credentials('create'), args, { encoding }));
  });

  test('what is not there is not found', async () => {
    await refused(404, 'credential_not_found', () => rig.call(credentials('delete'), { id: 999_999 }, { encoding }));
    await refused(404, 'credential_not_found', () =>
      rig.call(credentials('update'), { id: 999_999, label: 'x' }, { encoding }),
    );
    await refused(404, 'credential_not_found', () => rig.call(credentials('info/999999'), null));
    await refused(404, 'connection_not_found', () =>
      rig.call('/api/connections/999999/credentials.delete', { id }, { encoding }),
    );
    await refused(404, 'connection_not_found', () => rig.call('/api/connections/999999/credentials.list', null));
  });

  test('of two updates at once one is refused, and none is half stored', async () => {
    const both = await Promise.all(
      ['one', 'two'].map((label) => rig.call(credentials('update'), { id, label }, { encoding })),
    );
    expect(both.map(({ status }) => status).filter((status) => status === 200).length).toBeGreaterThan(0);
    for (const { status } of both) expect([200, 409]).toContain(status);
  });

  test('delete: soft, exactly ok', async () => {
    const { status, text } = await rig.call(credentials('delete'), { id }, { encoding });
    expect({ status, text }).toEqual({ status: 200, text: '{"ok":true}' });
    await refused(404, 'credential_not_found', () => rig.call(credentials(`info/${id}`), null));
    const list = await rig.call(credentials('list'), null);
    expect((list.body['credentials'] as { id: number }[]).map((one) => one.id)).not.toContain(id);
    const { rows } = await rig.service.store.database.query<{ secrets: unknown; deleted: boolean }>(
      'select secrets, deleted_at is not null as deleted from soundings.credentials where id = $1',
      [id],
    );
    expect(rows).toEqual([{ secrets: {}, deleted: true }]);
  });
});

describe('bad input', () => {
  const update = (): string => credentials('update');

  test('without a good token', async () => {
    for (const token of [null, 'x', 'sdg_' + 'a'.repeat(43)])
      await refused(401, 'not_authed', () => rig.call(update(), { id: 1 }, { token }));
  });

  test('without the scope', async () => {
    const token = await rig.tokenFor('read', 'query', 'connections:read');
    await refused(403, 'missing_scope', () => rig.call(update(), { id: 1 }, { token }));
    expect((await rig.call(credentials('list'), null, { token })).status).toBe(200);
  });

  test('unknown method, wrong verb', async () => {
    await refused(404, 'unknown_method', () => rig.call('/api/connections.explode', {}));
    await refused(405, 'method_not_allowed', () => rig.call(update(), null, { method: 'GET' }));
    await refused(405, 'method_not_allowed', () => rig.call('/api/connections.list', {}));
  });

  test('bodies that are no JSON object, or too large', async () => {
    const type = 'application/json';
    for (const body of ['{', '[1]', '"x"', 'null', '{"id":1}x'])
      await refused(400, 'invalid_json', () => rig.call(update(), null, { method: 'POST', raw: { body, type } }));
    const large = JSON.stringify({ id: 1, label: 'x'.repeat(1024 * 1024) });
    await refused(413, 'payload_too_large', () =>
      rig.call(update(), null, { method: 'POST', raw: { body: large, type } }),
    );
  });

  test('wrong types, ids beyond 64 bits', async () => {
    for (const id of ['one', -1, 1.5, null, [], {}])
      await refused(422, 'invalid_arguments', () => rig.call(update(), { id, label: 'x' }));
    const raw = { body: '{"id":99999999999999999999999,"label":"x"}', type: 'application/json' };
    await refused(422, 'invalid_arguments', () => rig.call(update(), null, { method: 'POST', raw }));
  });
});

test('no answer and no row ever held a token', async () => {
  const everything = rig.answers.join('\n') + (await rig.rows());
  expect(everything.length).toBeGreaterThan(5000);
  for (const token of Object.values(rig.sim.tokens)) expect(everything).not.toContain(token);
});
