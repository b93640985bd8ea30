import { describe, expect, test } from 'vitest';
import { startSimulator } from '../../test/simulator/index.ts';
import { FullReply, SonarClient, type ClientOptions } from './client.ts';
import { Egress } from './egress.ts';

describe('where it may connect to', () => {
  const get = async (options: Partial<ClientOptions>): Promise<unknown> => {
    const client = new SonarClient({ baseUrl: 'http://127.0.0.1:1', token: 'squ_x', attempts: 1, ...options });
    try {
      return await client.get('metrics/search', {});
    } catch (error) {
      return error;
    } finally {
      await client.close();
    }
  };

  test('a name is judged by the address the socket would connect to', async () => {
    const sim = await startSimulator();
    const byName = sim.url.replace('127.0.0.1', 'localhost');
    expect(await get({ baseUrl: byName, token: sim.tokens.admin })).toBeInstanceOf(FullReply);
    const asked = sim.log.length;
    const egress = Egress.parse('public');
    expect(await get({ baseUrl: byName, egress })).toMatchObject({ code: 'invalid_arguments', message: /private/ });
    expect(await get({ baseUrl: sim.url, egress })).toMatchObject({ code: 'invalid_arguments', message: /private/ });
    expect(sim.log).toHaveLength(asked);
    await sim.close();
  });

  test('a proxy is judged too, and what a proxy would be asked for', async () => {
    const metadata = { code: 'invalid_arguments', message: /never asked/ };
    expect(await get({ proxy: { http: 'http://169.254.169.254:80' } })).toMatchObject(metadata);
    expect(await get({ baseUrl: 'http://169.254.169.254', proxy: { http: 'http://127.0.0.1:1' } })).toMatchObject(
      metadata,
    );
    const egress = Egress.parse('public');
    expect(await get({ baseUrl: 'http://localhost', proxy: { http: 'http://8.8.8.8:1' }, egress })).toMatchObject({
      code: 'invalid_arguments',
    });
    expect(await get({ baseUrl: 'http://8.8.8.8', proxy: { http: 'http://localhost:1' }, egress })).toMatchObject({
      code: 'invalid_arguments',
    });
  });
});
