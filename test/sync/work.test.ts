/** A run that was queued is worked on with the connection's stored credentials, by however many workers there are. */
import { expect, test } from 'vitest';
import { serviceOn } from '../../src/app/service.testing.ts';
import { work } from '../../src/app/work.ts';
import { createConnection } from '../../src/control/connections.ts';
import { insertCredential, nextCredentialId } from '../../src/control/credentials.ts';
import { getRun, queueRun } from '../../src/control/runs.ts';
import { generate } from '../simulator/index.ts';
import { expectEqual, rig } from './rig.ts';

test('a queued run is read with the stored token and ends complete', async () => {
  const data = generate({ projects: 3, issuesPerProject: 20, hotspots: 2, analyses: 2, seed: 31 });
  await using r = await rig({ version: '25.12', data });
  const { database } = r.store;
  const service = serviceOn(r.store);
  const { vault } = service;
  const connection = await createConnection(database, { base_url: r.sim.url });
  const id = await nextCredentialId(database);
  await insertCredential(database, {
    id,
    connection_id: connection.id,
    label: 'first',
    settings: {},
    secrets: {
      api_token: vault.seal(r.sim.tokens.admin, { connection: connection.id, credential: id, field: 'api_token' }),
    },
    expiration_date: null,
    access: {},
    token_type: 'user',
    server_version: null,
    warnings: [],
  });
  const run = await queueRun(database, connection.id, { version: 'test', trigger: 'api', requested: {} });
  expect(await work(service, run.id, { worker: 'one', signal: new AbortController().signal })).toBe('done');
  expect(await getRun(database, run.id)).toMatchObject({ state: 'complete', mode: 'full', error_code: null });
  await expectEqual(r);
  expect(await work(service, run.id, { worker: 'one', signal: new AbortController().signal })).toBe('done');
});
