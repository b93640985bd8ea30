/** Takes the pictures of the README from the pages as they are, with data that was synced from a simulated server. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generate, startSimulator } from '../simulator/index.ts';
import { browserRig } from './rig.ts';

const FOLDER = join(import.meta.dirname, '../../docs/images');
/** No placeholder is in sight any more. */
const SEEN = `[...document.querySelectorAll('.mantine-Skeleton-root')].every((one) => one.getBoundingClientRect().top > innerHeight)`;

test('the pictures of the README', async () => {
  await using r = await browserRig({
    data: generate({ projects: 24, issuesPerProject: 120, hotspots: 4, analyses: 24, seed: 7 }),
  });
  await using stack = new AsyncDisposableStack();
  const main = await r.connect({ name: 'Platform', settings: { base_url: r.sim.url, schedule: 'every 1 h' } });
  for (const [name, token] of [
    ['Payments', 'expiring'],
    ['Research', 'admin'],
  ] as const) {
    const sim = await startSimulator({ data: generate({ projects: 6, issuesPerProject: 20, analyses: 4 }) });
    stack.defer(() => sim.close());
    const secrets = { api_token: sim.tokens[token] };
    const id = await r.connect({ name, settings: { base_url: sim.url, schedule: 'manual' }, secrets });
    await r.sync(id);
  }
  await r.sync(main);
  await mkdir(FOLDER, { recursive: true });
  const page = await r.open('/connections');
  const take = (name: string) => page.screenshot({ path: join(FOLDER, `${name}.png`) });

  await page.setViewportSize({ width: 1320, height: 400 });
  await page.getByRole('row', { name: /Platform.* 100 %/ }).waitFor();
  await take('connections');

  await page.setViewportSize({ width: 1200, height: 860 });
  await page.goto(`${r.server.url}/insights`);
  await page.getByRole('heading', { name: 'Insights', level: 1 }).waitFor();
  await expect.poll(() => page.evaluate(SEEN), { timeout: 60_000 }).toBe(true);
  await take('insights');

  await page.goto(`${r.server.url}/schema`);
  await page.getByRole('link', { name: 'sonarqube_issues', exact: true }).first().waitFor();
  await expect.poll(() => page.evaluate(SEEN), { timeout: 60_000 }).toBe(true);
  await take('schema');
});
