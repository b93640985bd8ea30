/** A connection's settings: credentials, what is read and when, stopping it, and its end. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { browserRig, inspect, type BrowserRig } from './rig.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

let r: BrowserRig;
let connection: number;
let page: Page;

beforeAll(async () => {
  r = await browserRig();
  connection = await r.connect({ name: 'Ours & "theirs" <b>', expiration_date: inDays(5) });
  page = await r.open('/connections');
});
beforeEach(async () => {
  await page.goto(`${r.server.url}/connections/${connection}/settings`);
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const field = (name: string | RegExp) => page.getByRole('textbox', { name });
const dialog = () => page.getByRole('dialog');
const settingsOf = async (): Promise<Record<string, unknown>> => {
  const { connection: found } = await r.call<{ connection: { settings: Record<string, unknown> } }>(
    'connections.info',
    {
      id: connection,
    },
  );
  return found.settings;
};
const credentials = async (): Promise<{ id: number; label: string; disabled_at: string | null }[]> =>
  (
    await r.call<{ credentials: { id: number; label: string; disabled_at: string | null }[] }>('credentials.list', {
      connection_id: connection,
    })
  ).credentials;

test('a token that is about to expire is told, here and on the overview', async () => {
  await page
    .getByText(/ends in 5 days/)
    .first()
    .waitFor();
  await inspect(page, 'settings');
  await page.getByRole('link', { name: 'Overview', exact: true }).click();
  await page.getByText(/ends in 5 days/).waitFor();
  await page.getByRole('link', { name: 'Settings', exact: true }).click();
});

test('a second credential: refused with its steps, then accepted; the token is not shown again', async () => {
  await button('Add credential').click();
  await inspect(page, 'credential-add');
  await dialog()
    .getByLabel(/^Token/)
    .fill(r.sim.tokens.bad);
  await dialog().getByRole('button', { name: 'Verify and save' }).click();
  await dialog().getByText('invalid_credentials', { exact: true }).waitFor();
  await dialog().getByRole('button', { name: 'Copy the curl line' }).waitFor();
  await inspect(page, 'credential-refused');
  expect(await dialog().textContent()).not.toContain(r.sim.tokens.bad);
  expect(await credentials()).toHaveLength(1);

  await dialog().getByLabel('Label').fill('Zweite مفتاح');
  await dialog()
    .getByLabel(/^Token/)
    .fill(r.sim.tokens.viewer);
  await dialog().getByRole('button', { name: 'Verify and save' }).click();
  await dialog().waitFor({ state: 'hidden' });
  await page.getByRole('article', { name: 'Credential Zweite مفتاح' }).waitFor();
  expect((await credentials()).map(({ label }) => label)).toEqual(['Credential 1', 'Zweite مفتاح']);
  expect(await page.content()).not.toContain(r.sim.tokens.viewer);
});

test('a credential is verified again, changed and deleted', async () => {
  const second = page.getByRole('article', { name: 'Credential Zweite مفتاح' });
  await second.getByRole('button', { name: 'Verify again' }).click();
  await second.getByText('The server accepts it').waitFor();
  await inspect(page, 'credential-verified');
  await second.getByRole('button', { name: 'Update' }).click();
  await dialog().getByLabel('Label').fill('Second');
  await dialog().getByRole('button', { name: 'Verify and save' }).click();
  const renamed = page.getByRole('article', { name: 'Credential Second' });
  await renamed.getByRole('button', { name: 'Delete' }).click();
  await inspect(page, 'credential-delete');
  await dialog().getByRole('button', { name: 'Delete it' }).click();
  await renamed.waitFor({ state: 'hidden' });
  expect(await credentials()).toHaveLength(1);
});

test('settings: only what changed is stored; what was emptied is taken away', async () => {
  await field('Name').fill('Ours');
  await field('Only projects whose key matches').fill('org.*\n\n x* ');
  await page.getByRole('combobox', { name: 'Sync' }).click();
  await page.getByRole('option', { name: 'At fixed times (cron)' }).click();
  await field('Cron expression').fill('30 4 * * 1-5');
  await page
    .getByRole('textbox', { name: 'Time zone' })
    .or(page.getByRole('combobox', { name: 'Time zone' }))
    .fill('Europe/Berlin');
  await page.keyboard.press('Escape');
  await page.getByLabel('Requests at once, at most').fill('3');
  await button('Verify and save').click();
  await page.getByText('Saved.', { exact: true }).waitFor();
  expect(await settingsOf()).toEqual({
    base_url: r.sim.url,
    include: ['org.*', 'x*'],
    schedule: '30 4 * * 1-5 Europe/Berlin',
    max_concurrency: 3,
  });
  await page.getByRole('heading', { name: 'Ours', exact: true }).waitFor();

  await field('Only projects whose key matches').fill('');
  await page.getByLabel('Requests at once, at most').fill('');
  await page.getByRole('combobox', { name: 'Sync' }).click();
  await page.getByRole('option', { name: 'Only by hand' }).click();
  await button('Verify and save').click();
  await page.getByText('Saved.', { exact: true }).waitFor();
  expect(await settingsOf()).toEqual({ base_url: r.sim.url, schedule: 'manual' });
});

test('another address, its path too, wants the token again; a wrong one stores nothing', async () => {
  await field('Base URL').fill(`${r.sim.url}/elsewhere`);
  const token = page.getByLabel('Token, entered again');
  await token.waitFor();
  expect(await button('Verify and save').isDisabled()).toBe(true);
  await token.fill(r.sim.tokens.admin);
  await button('Verify and save').click();
  await page.getByText('The server was asked, and it did not work').waitFor();
  await page.getByText('internal_server_error', { exact: true }).waitFor();
  await inspect(page, 'settings-refused');
  expect(await settingsOf()).toMatchObject({ base_url: r.sim.url });
  await button('Undo').click();
  await token.waitFor({ state: 'hidden' });
  expect(await field('Base URL').inputValue()).toBe(r.sim.url);
});

test('bad input stands at its field', async () => {
  await field('Proxy').fill('http://user:secret@proxy:3128');
  await page.getByLabel('Token, entered again').fill(r.sim.tokens.admin);
  await button('Verify and save').click();
  await page
    .getByText(/must not hold a user or a password/)
    .first()
    .waitFor();
  expect(await field('Proxy').getAttribute('aria-invalid')).toBe('true');
  await inspect(page, 'settings-bad-input');
  await button('Undo').click();
});

test('what is changed in another window is shown, and is not overwritten while one edits', async () => {
  await r.call('connections.update', { id: connection, name: 'Renamed elsewhere' });
  await expect.poll(() => field('Name').inputValue(), { timeout: 30_000 }).toBe('Renamed elsewhere');
  await field('No projects whose key matches').fill('tmp*');
  await r.call('connections.update', { id: connection, name: 'Renamed again' });
  await page.getByText('Changed elsewhere meanwhile').waitFor({ timeout: 30_000 });
  await inspect(page, 'settings-elsewhere');
  await button('Verify and save').click();
  await page.getByText('Saved.', { exact: true }).waitFor();
  const { connection: now } = await r.call<{ connection: { name: string } }>('connections.info', { id: connection });
  expect(now.name).toBe('Renamed again');
  expect(await settingsOf()).toMatchObject({ exclude: ['tmp*'] });
});

test('disabled with a reason, which is shown wherever a sync could be begun; then enabled', async () => {
  await field('Why it is to stop').fill('Moves to another <i>data centre</i>');
  await button('Disable the connection').click();
  await page.getByText('Moves to another <i>data centre</i>').first().waitFor();
  await inspect(page, 'connection-disabled');
  await page.getByRole('link', { name: 'Overview', exact: true }).click();
  expect(await page.getByRole('button', { name: 'Sync now' }).isDisabled()).toBe(true);
  await page.getByText('The connection is disabled:').waitFor();
  await page.getByRole('link', { name: 'Settings', exact: true }).click();
  await button('Enable the connection').click();
  await button('Disable the connection').waitFor();
});

test('who may only look sees everything and can change nothing', async () => {
  const { token } = await r.call<{ token: string }>('tokens.create', {
    label: 'looks',
    scopes: ['read', 'connections:read'],
  });
  const other = await r.open('/connections');
  await other.context().setExtraHTTPHeaders({ authorization: `Bearer ${token}` });
  await other.goto(`${r.server.url}/connections/${connection}/settings`);
  await other.getByText('Only to look at').waitFor();
  for (const name of ['Add credential', 'Verify again', 'Disable the connection', 'Delete the connection'])
    expect([name, await other.getByRole('button', { name }).first().isDisabled()]).toEqual([name, true]);
  expect(await other.getByRole('textbox', { name: 'Name' }).isDisabled()).toBe(true);
  await inspect(other, 'settings-only-looking');
  await other.getByRole('link', { name: 'Overview', exact: true }).click();
  await other.getByText('Last runs').waitFor();
  expect(await other.getByRole('button', { name: 'Sync now' }).count()).toBe(0);
  await other.context().close();
});

test('in the dark and on a phone', async () => {
  const phone = await r.open(`/connections/${connection}/settings`, { dark: true, phone: true });
  await phone.getByRole('article').first().waitFor();
  await inspect(phone, 'settings-phone-dark');
  await phone.context().close();
});

test('when the server of Soundings is away the page says so, and keeps what it has', async () => {
  await field('Name').waitFor();
  await page.route('**/api/**', (route) => route.abort());
  await page.getByText('unreachable', { exact: true }).first().waitFor({ timeout: 60_000 });
  expect(await field('Name').inputValue()).toBe('Renamed again');
  await button('Disable the connection').click();
  await page.getByText('It was not disabled').waitFor();
  await page.unroute('**/api/**');
  const notice = page.getByText('The connection cannot be shown as it is now');
  await notice.waitFor({ state: 'hidden', timeout: 60_000 });
});

test('deletion wants the name; in another window the connection is then said to be gone', async () => {
  await r.sync(connection);
  const other = await r.open(`/connections/${connection}/projects`);
  await other
    .getByText(/^\d+ projects?/)
    .first()
    .waitFor();
  await button('Delete the connection').click();
  const confirm = dialog().getByRole('button', { name: /^Delete it/ });
  expect(await confirm.isDisabled()).toBe(true);
  await dialog().getByLabel('Delete its data too').check();
  await dialog()
    .getByLabel(/Type its name/)
    .fill('Renamed agai');
  expect(await confirm.isDisabled()).toBe(true);
  await dialog()
    .getByLabel(/Type its name/)
    .fill('Renamed again');
  await inspect(page, 'connection-delete');
  await confirm.click();
  await page.waitForURL('**/connections');
  await other.getByText('This connection is not there').waitFor({ timeout: 30_000 });
  await inspect(other, 'connection-gone');
  const { rows } = await r.service.store.database.query<{ n: number }>(
    'select count(*) as n from sonarqube_issues where connection_id = $1',
    [connection],
  );
  expect(rows[0]?.n).toBe(0);
  await other.context().close();
});
