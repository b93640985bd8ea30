/** The connections: none yet, the sample, a new one with everything that can be wrong with it, and many. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { actions, startSimulator } from '../simulator/index.ts';
import { freePort } from '../cli/program.ts';
import { axe, browserRig, inspect, type BrowserRig } from './rig.ts';

let r: BrowserRig;
let page: Page;

beforeAll(async () => {
  r = await browserRig();
  page = await r.open('/connections');
});
beforeEach(async () => {
  await page.goto(`${r.server.url}/connections`);
  await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
});
afterEach(async () => {
  r.sim.faults.clear();
  if (r.sim.faults.phase !== 'up') await r.sim.faults.become('up');
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const list = () => r.call<{ connections: { id: number; name: string }[] }>('connections.list');
const dialog = () => page.getByRole('dialog');
const row = (name: string | RegExp) => page.getByRole('row', { name });

/** The dialog, filled in; what an earlier test left in the tab is taken away. */
async function enter(url: string, token: string): Promise<void> {
  await page.evaluate('sessionStorage.clear()');
  await page.locator('header ~ main').getByRole('button', { name: 'Connection', exact: true }).first().click();
  await dialog().getByLabel('Base URL').fill(url);
  await dialog()
    .getByLabel(/^Token/)
    .fill(token);
}
const verify = () => dialog().getByRole('button', { name: 'Verify and connect' }).click();

test('none yet: what to do about it; the sample is connected, synced and watched', async () => {
  await page.getByRole('heading', { name: 'No connection yet' }).waitFor();
  await inspect(page, 'connections-none');
  await page.getByRole('button', { name: 'Explore with the sample server' }).click();
  await page.getByRole('heading', { name: /^Sample/, level: 1 }).waitFor();
  await page
    .getByRole('link', { name: /^Run \d+: complete/ })
    .first()
    .waitFor({ timeout: 60_000 });
  await page.goto(`${r.server.url}/connections`);
  await row(/^Sample.* \d+ %/).waitFor();
  await inspect(page, 'connections-sample');
});

const BAD = [
  { what: 'a wrong token', token: 'squ_wrong', code: 'invalid_credentials', says: /refuses the token \(401\)/ },
  { what: 'a revoked token', token: 'revoked', code: 'invalid_credentials', says: /wrong, expired or revoked/ },
  { what: 'a token of another type', token: 'projectAnalysis', code: 'invalid_permissions', says: /type User/ },
  { what: 'a token that may too little', token: 'viewer', code: 'invalid_permissions', says: /projects\/search/ },
] as const;

test.each(BAD)('$what is told as $code, and nothing is stored', async ({ token, code, says }) => {
  const before = await list();
  await enter(r.sim.url, token in r.sim.tokens ? r.sim.tokens[token as 'admin'] : token);
  await verify();
  await refused(code, says);
  expect(await list()).toEqual(before);
});

test('a server that is not there is told as internal_server_error', async () => {
  await enter(`http://127.0.0.1:${await freePort()}`, 'squ_x');
  await verify();
  await refused('internal_server_error', /refuse|answer/);
});

test('a server that is no SonarQube is told as internal_server_error', async () => {
  r.sim.faults.on(() => actions.htmlPage());
  await enter(r.sim.url, r.sim.tokens.admin);
  await verify();
  await refused('internal_server_error', /SonarQube/);
});

test('a server that is starting is told as internal_server_error; once it is up the same entry is accepted', async () => {
  await r.sim.faults.become('starting');
  await enter(r.sim.url, r.sim.tokens.admin);
  await verify();
  await refused('internal_server_error', /starting|not ready/i);
  await r.sim.faults.become('up');
  await verify();
  await dialog().getByText('The server accepts it').waitFor();
  for (const step of ['reach', 'version', 'token', 'projects/search', 'metrics/search', 'measures/search_history']) {
    await dialog().getByText(`good: ${step}`).waitFor();
  }
  await axe(page, 'connection-made');
  await dialog().getByRole('button', { name: 'Start the first sync' }).click();
  await page
    .getByRole('link', { name: /^Run \d+: complete/ })
    .first()
    .waitFor({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Connections', exact: true }).click();
  await row(/127\.0\.0\.1.*verified.* 100 %/).waitFor();
});

test('the same server twice leads to the connection that there is', async () => {
  await enter(r.sim.url, r.sim.tokens.admin);
  await verify();
  await dialog().getByText('conflict', { exact: true }).waitFor();
  await dialog().getByRole('link', { name: 'Open the connection that there is' }).click();
  await page.getByRole('heading', { name: /127\.0\.0\.1/, level: 1 }).waitFor();
});

test('what was entered is kept in the tab, but for the token; wrong fields are told where they are', async () => {
  await enter('http://127.0.0.1:1/sonar?x=1', 'squ_secret');
  await dialog()
    .getByRole('button', { name: /^More settings/ })
    .click();
  await dialog().getByLabel('Name').fill('x'.repeat(500));
  await dialog().getByLabel('Proxy').fill('ftp://nowhere');
  await verify();
  await dialog().getByText('invalid_arguments', { exact: true }).waitFor();
  for (const label of ['Name', 'Proxy', 'Base URL']) {
    expect(await dialog().getByLabel(label).getAttribute('aria-invalid'), label).toBe('true');
  }
  await inspect(page, 'connection-fields');
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  await page.reload();
  await page.getByRole('button', { name: 'Connection', exact: true }).click();
  expect(await dialog().getByLabel('Base URL').inputValue()).toBe('http://127.0.0.1:1/sonar?x=1');
  expect(
    await dialog()
      .getByLabel(/^Token/)
      .inputValue(),
  ).toBe('');
  expect(await page.evaluate('JSON.stringify(sessionStorage) + JSON.stringify(localStorage)')).not.toContain('secret');
});

test('an API that goes away while the dialog is open is told there, and the entry stays', async () => {
  await enter(r.sim.url, r.sim.tokens.admin);
  await page.route('**/api/**', (route) => route.abort('connectionrefused'));
  await verify();
  await dialog().getByText('unreachable', { exact: true }).waitFor();
  expect(await dialog().getByLabel('Base URL').inputValue()).toBe(r.sim.url);
  await page.unroute('**/api/**');
});

const NAMES = [
  '<img src=x onerror=alert(1)> & "quotes" \'single\'',
  'שרת SonarQube של החברה',
  `${'Ein sehr langer Name '.repeat(9)}Ende`,
] as const;

test('names with HTML, quotes, right to left and of great length are shown as they are; one is deleted elsewhere', async () => {
  const ids: number[] = [];
  await using stack = new AsyncDisposableStack();
  for (const name of NAMES) {
    const sim = await startSimulator();
    stack.defer(() => sim.close());
    const secrets = { api_token: sim.tokens.expiring };
    ids.push(await r.connect({ name, settings: { base_url: sim.url, schedule: 'every 1 h' }, secrets }));
  }
  await page.reload();
  for (const name of NAMES) await page.getByRole('link', { name, exact: true }).waitFor();
  await inspect(page, 'connections-names');
  const dark = await r.open('/connections', { dark: true });
  await dark.getByRole('link', { name: NAMES[0], exact: true }).waitFor();
  await inspect(dark, 'connections-dark');
  await dark.close();
  const phone = await r.open('/connections', { phone: true });
  await phone.getByRole('link', { name: NAMES[0], exact: true }).waitFor();
  await phone.getByRole('button', { name: 'Connection', exact: true }).click();
  await phone.getByRole('dialog').getByLabel('Base URL').waitFor();
  await inspect(phone, 'connections-phone');
  expect(await phone.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
  await phone.close();

  await r.call('connections.delete', { id: ids[0] });
  await page.getByRole('link', { name: NAMES[0], exact: true }).click();
  await page.getByRole('heading', { name: 'No such connection' }).waitFor();
  await page.getByRole('link', { name: 'Back to the connections' }).click();
  await page.getByRole('link', { name: NAMES[1], exact: true }).waitFor();
  await page.getByRole('link', { name: NAMES[0], exact: true }).waitFor({ state: 'detached' });
  for (const id of ids.slice(1)) await r.call('connections.delete', { id });
});

test('two hundred connections: filtered and sorted', async () => {
  await r.service.store.database.query(
    `insert into soundings.connections (type, name, state, settings)
       select 'sonarqube', 'Server ' || n, 'verified', jsonb_build_object('base_url', 'https://sonar-' || n || '.example.com')
         from generate_series(1, 200) n`,
  );
  await page.reload();
  await page.getByText(/^20\d of 20\d$/).waitFor();
  await inspect(page, 'connections-many');
  await page.getByRole('textbox', { name: 'Filter by name or address' }).fill('sonar-77.');
  await row(/^Server 77 /).waitFor();
  await page.getByText(/^1 of 20\d$/).waitFor();
  await page.getByRole('textbox', { name: 'Filter by name or address' }).fill('nothing of that name');
  await page.getByRole('heading', { name: 'No connection matches the filter' }).waitFor();
});

/** The documented code, the sentence, the steps, and the masked line to copy. */
async function refused(code: string, says: RegExp): Promise<void> {
  await dialog().getByText(code, { exact: true }).waitFor();
  await dialog().getByText(says).first().waitFor();
  await inspect(page, `connection-${code}`);
  await dialog().getByRole('button', { name: 'Copy the curl line' }).click();
  await dialog().getByRole('button', { name: 'Copied' }).waitFor();
  const copied = await page.evaluate('navigator.clipboard.readText()');
  expect(copied).toMatch(/^curl --location '.*\/api\/projects\/search' --header 'Authorization: Bearer \*{4}'$/);
}
