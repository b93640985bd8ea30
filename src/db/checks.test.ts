import { afterEach, describe, expect, it } from 'vitest';

import { checkServer } from './checks.ts';
import { startPooler, type Mode } from './pooler.testing.ts';

let close: () => void = () => undefined;
afterEach(() => {
  close();
});

async function check(mode: Mode): Promise<void> {
  const { url, server } = await startPooler(mode);
  close = () => server.close();
  await checkServer({ connectionString: url });
}

describe('a pooler', () => {
  it('that keeps a session for each client is welcome', async () => {
    await check('session');
  });

  it.each<Mode>(['last used first', 'longest unused first', 'one session'])(
    'that gives each transaction another session is refused: %s',
    async (mode) => {
      await expect(check(mode)).rejects.toMatchObject({
        code: 'invalid_arguments',
        message: expect.stringMatching(/give the URL of PostgreSQL itself, or of a pool in session mode/) as string,
      });
    },
  );
});
