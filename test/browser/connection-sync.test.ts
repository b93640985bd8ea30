/** A connection's overview and runs: a sync is begun, watched to its end, cancelled, and found again afterwards. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { actions, generate } from '../simulator/index.ts';
import { browserRig, inspect, type BrowserRig } from './rig.ts';

let r: BrowserRig;
let connection: number;
let page: Page;

beforeAll(async () => {
  r = await browserRig({ data: generate({ projects: 12, issuesPerProject: 40, hotspots: 2, analyses: 3, seed: 5 }) });
  connection = await r.connect();
  page = await r.open(`/connections/${connection}`);
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const overview = (): Promise<unknown> => page.goto(`${r.server.url}/connections/${connection}`);
/** The state of the run that the page is about. */
const badge = (state: string) => page.locator('h2 + .state-badge', { hasText: state });
const button = (name: string | RegExp) => page.getByRole('button', { name });

test('before the first sync the page says that nothing was read', async () => {
  await page.getByText('Nothing has been read yet.').waitFor();
  await page.getByText('No run yet.').waitFor();
  await inspect(page, 'connection-new');
});

test('a sync is watched to its end; then everything is complete', async () => {
  r.sim.latency = 1_200;
  await button('Sync now').click();
  await page.getByText('A sync is under way').waitFor();
  await page.getByRole('progressbar', { name: /^Projects finished: \d+ %$/ }).waitFor({ state: 'attached' });
  await page.getByRole('progressbar', { name: /^Issues: / }).waitFor({ state: 'attached' });
  await page.getByText('rows/s').waitFor();
  await inspect(page, 'connection-syncing');
  r.sim.latency = 0;
  await button('Sync now').waitFor({ timeout: 60_000 });
  await page.getByRole('link', { name: /^Run \d+: complete/ }).waitFor();
  await page.getByRole('link', { name: /are complete: show the projects/ }).waitFor();
  await inspect(page, 'connection-synced');
});

test('the run’s page has what was read, and syncs again from there', async () => {
  await page.getByRole('link', { name: /^Run \d+: complete/ }).click();
  await page.getByRole('heading', { name: /^Run \d+$/ }).waitFor();
  const { rows } = await r.service.store.database.query<{ n: number }>(
    'select count(*) as n from sonarqube_issues where connection_id = $1',
    [connection],
  );
  await page.getByText(`${rows[0]?.n ?? 0} of ${rows[0]?.n ?? 0} · 100 %`).waitFor();
  await inspect(page, 'run-complete');
  await r.worker(false);
  await button('Sync again').click();
  await page.getByText('Waits for a worker.').waitFor();
});

test('one that waits is cancelled at once', async () => {
  await button('Cancel the sync').click();
  await page.getByText('Cancelled before it began.').waitFor();
  await badge('cancelled').waitFor();
  await r.worker(true);
});

test('one that is under way is cancelled within moments, and what was stored stays', async () => {
  r.sim.latency = 400;
  await overview();
  await page.getByLabel('Read everything again').check();
  await button('Sync now').click();
  await page.getByText(/^Reads the projects|^Asks which/).waitFor();
  await button('Cancel the sync').click();
  await button('Sync now').waitFor({ timeout: 30_000 });
  await page
    .getByRole('link', { name: /^Run \d+: cancelled/ })
    .last()
    .waitFor();
  r.sim.latency = 0;
  const { total } = await r.call<{ total: number }>('projects.list', { connection_id: connection });
  expect(total).toBe(12);
});

test('a run that is begun and cancelled elsewhere is shown as it is', async () => {
  await r.worker(false);
  const { run } = await r.call<{ run: { id: number } }>('syncs.start', { connection_id: connection });
  await page.getByText('Waits for a worker.').waitFor();
  await r.call('syncs.cancel', { id: run.id });
  await button('Sync now').waitFor();
  await page.getByRole('link', { name: new RegExp(`^Run ${run.id}: cancelled`) }).waitFor();
  await r.worker(true);
});

test('a run that fails says why and what to do; a retry succeeds', async () => {
  r.sim.faults.on(() => actions.unauthorized());
  await button('Sync now').click();
  await page.getByRole('link', { name: /^Run \d+: failed/ }).waitFor({ timeout: 60_000 });
  await page.getByText(/^The last one ended early:.*token/).waitFor();
  await page.getByRole('link', { name: 'What happened, and what to do' }).click();
  await page.getByText('invalid_credentials', { exact: true }).waitFor();
  await page.getByText(/Update the credential in the settings/).waitFor();
  await inspect(page, 'run-failed');
  r.sim.faults.clear();
  await button('Retry').click();
  await badge('complete').waitFor({ timeout: 60_000 });
});

test('the list of runs, by state', async () => {
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  const runs = page.getByRole('region', { name: 'Runs' });
  await runs.getByRole('link', { name: /^Run / }).nth(4).waitFor();
  await inspect(page, 'runs');
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'failed', exact: true }).click();
  await expect.poll(() => runs.getByRole('link', { name: /^Run / }).count()).toBe(1);
  expect(new URL(page.url()).searchParams.get('state')).toBe('failed');
});

test.each(['/runs/999999', '/runs/x', '/runs/0'])('a run that is not there: %s', async (path) => {
  await page.goto(`${r.server.url}/connections/${connection}${path}`);
  await page.getByText('No such run').waitFor();
  await inspect(page, 'no-run');
});

test('in the dark and on a phone', async () => {
  const phone = await r.open(`/connections/${connection}`, { dark: true, phone: true });
  await phone
    .getByRole('link', { name: /^Run \d+: complete/ })
    .first()
    .waitFor();
  await inspect(phone, 'connection-phone-dark');
  await phone.getByRole('link', { name: 'Runs', exact: true }).click();
  await phone.getByRole('region', { name: 'Runs' }).waitFor();
  await inspect(phone, 'runs-phone-dark');
  await phone.context().close();
});
