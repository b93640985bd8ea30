/** The frame around every page: navigation, keyboard, colours, a phone, an API that is away, an address that is none. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { complaints } from './chromium.ts';
import { browserRig, inspect, type BrowserRig } from './rig.ts';

let r: BrowserRig;
let page: Page;

beforeAll(async () => {
  r = await browserRig();
  await r.connect({ name: 'Framed' });
  page = await r.open('/');
});
beforeEach(async () => {
  await page.goto(`${r.server.url}/connections`);
  await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const navigation = (within = page) => within.getByRole('navigation', { name: 'Pages' });

test('every page of the navigation opens, says where it is, and takes the focus', async () => {
  const links = await navigation().getByRole('link').allTextContents();
  expect(links).toEqual(expect.arrayContaining(['Connections', 'Schema', 'Insights', 'SQL']));
  for (const name of links) {
    await navigation().getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator(`nav a[aria-current=page]`, { hasText: name }).waitFor();
    expect(await page.title()).toMatch(/ · Soundings$/);
  }
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
});

test('the first Tab leads past the navigation', async () => {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
});

test('dark when the system is, until somebody chooses', async () => {
  const dark = await r.open('/connections', { dark: true });
  await dark.getByRole('row', { name: /Framed/ }).waitFor();
  await inspect(dark, 'frame-dark');
  await dark.getByRole('button', { name: 'Change to light colours' }).click();
  await dark.reload();
  await dark.getByRole('button', { name: 'Change to dark colours' }).waitFor();
  await dark.close();
});

test('on a phone the navigation is behind a button, and nothing is cut off at the side', async () => {
  const phone = await r.open('/connections', { phone: true });
  await phone.getByRole('row', { name: /Framed/ }).waitFor();
  await inspect(phone, 'frame-phone');
  expect(await phone.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
  await phone.getByRole('button', { name: 'Open the navigation' }).click();
  await navigation(phone).getByRole('link', { name: 'Schema' }).click();
  await phone.getByRole('heading', { name: 'Schema', level: 1 }).waitFor();
  await phone.getByRole('button', { name: 'Open the navigation' }).waitFor();
  await phone.close();
});

test('an address that is none says so, and leads back', async () => {
  await page.goto(`${r.server.url}/no/such/page`);
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
  await inspect(page, 'frame-no-such-page');
  await page.getByRole('link', { name: 'Back to the connections' }).click();
  await page.getByRole('row', { name: /Framed/ }).waitFor();
});

test('an API that is away is told plainly, and tried again', async () => {
  await page.route('**/api/**', (route) => route.abort('connectionrefused'));
  await page.reload();
  const notice = page.getByRole('alert').first();
  await notice.getByText('unreachable', { exact: true }).waitFor();
  await inspect(page, 'frame-unreachable');
  await page.unroute('**/api/**');
  // the page looks again by itself; whoever does not want to wait presses the button
  await notice
    .getByRole('button', { name: 'Try again' })
    .click({ timeout: 5_000 })
    .catch(() => undefined);
  await page.getByRole('row', { name: /Framed/ }).waitFor();
  // who looks is known again too
  await page.getByRole('button', { name: 'Connection', exact: true }).waitFor();
});

test('a part of the app that does not load, after an update, is told with a way out', async () => {
  const fresh = await r.open('/connections');
  await fresh.getByRole('row', { name: /Framed/ }).waitFor();
  await fresh.route('**/assets/sql-page-*.js', (route) => route.fulfill({ status: 404, body: '{}' }));
  await navigation(fresh).getByRole('link', { name: 'SQL' }).click();
  await fresh.getByText('Soundings was updated, or does not answer').waitFor();
  await inspect(fresh, 'frame-stale');
  expect(complaints().every((said) => /404|sql-page/.test(said))).toBe(true);
  await fresh.unroute('**/assets/sql-page-*.js');
  await fresh.getByRole('button', { name: 'Reload' }).click();
  await fresh.getByRole('heading', { name: 'SQL', level: 1 }).waitFor();
  await fresh.close();
});
