/** People at the pages: the first of them, who signs in and out, what each role sees, users, tokens and the audit log. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type Server } from '../../src/api/server.ts';
import type { Service } from '../../src/app/service.ts';
import { testService } from '../../src/app/service.testing.ts';
import { testUser } from '../../src/app/sign-in.testing.ts';
import { link } from '../../src/app/users.ts';
import { inspect, startBrowser, type Look, type TestBrowser } from './chromium.ts';

const ACTOR = { name: 'test', address: null };
const PASSWORD = 'a password that is long';

let service: Service & { close(): Promise<void> };
let server: Server;
let browser: TestBrowser;
beforeAll(async () => {
  service = await testService();
  server = await startServer({ service, rateLimit: 1_000_000 });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await service.close();
});

const open = (path: string, look: Look = {}): Promise<Page> => browser.open(`${server.url}${path}`, look);
const heading = (page: Page, name: string): Promise<void> => page.getByRole('heading', { name, level: 1 }).waitFor();

/** A window in which a user of this role is signed in. */
async function as(role: 'viewer' | 'editor' | 'admin', path: string, look: Look = {}): Promise<Page> {
  const { token } = await testUser(service, role);
  const page = await open('/sign-in', look);
  await page.context().addCookies([{ name: 'soundings_session', value: token, url: server.url, httpOnly: true }]);
  await page.goto(`${server.url}${path}`);
  return page;
}

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function choose(page: Page, password: string, again = password): Promise<void> {
  await page.getByLabel(/^New password/).fill(password);
  await page.getByLabel(/^The same again/).fill(again);
  await page.getByRole('button', { name: 'Set the password and sign in' }).click();
}

test('the first user is made by the link, once; then by name and password', async () => {
  const page = await open('/connections');
  await heading(page, 'Sign in');
  await page.getByText('Nobody can sign in yet').waitFor();
  await inspect(page, 'sign-in-first');

  const { path } = await link(service, ACTOR, null);
  await page.goto(`${server.url}${path}`);
  await heading(page, 'Welcome');
  await page.getByLabel(/^Name/).fill('ada');
  await choose(page, 'short');
  await page.getByText('It needs 10 characters at least.').waitFor();
  await choose(page, PASSWORD, 'another password');
  await page.getByText('The two differ.').waitFor();
  await inspect(page, 'welcome');
  await choose(page, PASSWORD);
  await heading(page, 'Connections');
  expect(new URL(page.url()).hash).toBe('');

  const second = await open(path);
  await second.getByLabel(/^Name/).fill('eve');
  await choose(second, PASSWORD);
  await second.getByRole('alert').getByText('This link is not good any more').waitFor();
  await second.close();

  await page.getByRole('button', { name: 'ada' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await heading(page, 'Sign in');
  await signIn(page, 'ada', 'not this one');
  await page.getByRole('alert').getByText('Name and password do not belong together').waitFor();
  await inspect(page, 'sign-in-refused');
  await signIn(page, 'ada', PASSWORD);
  await heading(page, 'Connections');
  await page.close();
});

test('a session that has ended leads to the sign-in, and back to where one was', async () => {
  const page = await as('viewer', '/schema?q=severity');
  await heading(page, 'Schema');
  await service.store.database.query('delete from soundings.sessions');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Insights' }).click();
  await heading(page, 'Sign in');
  expect(new URL(page.url()).searchParams.get('next')).toMatch(/^\/insights/);
  await page.goBack();
  await heading(page, 'Sign in');
  await page.goto(`${server.url}/schema?q=severity`);
  await heading(page, 'Sign in');
  const { name, password } = await testUser(service, 'viewer');
  await signIn(page, name, password);
  await heading(page, 'Schema');
  expect(page.url()).toBe(`${server.url}/schema?q=severity`);
  await page.close();
});

test('only admins see what is theirs; a demotion is seen at once', async () => {
  const links = async (page: Page): Promise<string> => {
    await heading(page, 'Connections');
    return (await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents()).join();
  };
  for (const role of ['viewer', 'editor'] as const) {
    const page = await as(role, '/connections');
    expect(await links(page)).not.toMatch(/Users|API tokens|Audit/);
    await page.getByText('No connection yet').waitFor();
    const add = page.getByRole('button', { name: 'Connection', exact: true });
    if (role === 'editor') await add.first().waitFor();
    else expect(await add.count()).toBe(0);
    await page.goto(`${server.url}/users`);
    await page.getByText('missing_scope').waitFor();
    await page.close();
  }
  const page = await as('admin', '/connections');
  await page.getByRole('link', { name: 'Users' }).waitFor();
  expect(await links(page)).toMatch(/Users.*API tokens.*Audit/);
  await service.store.database.query(`update soundings.users set role = 'viewer' where name = 'admin'`);
  await page.reload();
  expect(await links(page)).not.toMatch(/Users/);
  await service.store.database.query(`update soundings.users set role = 'admin' where name = 'admin'`);
  await page.close();
});

test('an admin adds a user, who chooses a password; is made an editor, gets a new link, and is removed', async () => {
  const page = await as('admin', '/users');
  await heading(page, 'Users');
  await page.getByRole('button', { name: 'User', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Name/).fill('ADA');
  await dialog.getByRole('button', { name: 'Add and make a link' }).click();
  await dialog.getByText('There is a user “ada” already').waitFor();
  await inspect(page, 'users-add');
  await dialog.getByLabel(/^Name/).fill('<b>grace</b>');
  await dialog.getByRole('button', { name: 'Add and make a link' }).click();
  const address = await dialog.locator('pre').textContent();
  await inspect(page, 'users-link');
  await dialog.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('row', { name: /<b>grace<\/b>/ });
  await row.getByText('link not used yet').waitFor();

  const grace = await browser.open(address ?? '');
  await heading(grace, 'Choose a password');
  await inspect(grace, 'set-password');
  await choose(grace, PASSWORD);
  await heading(grace, 'Connections');

  await row.getByRole('button', { name: /^Change/ }).click();
  await dialog.getByLabel(/^Editor/).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row.getByRole('cell', { name: 'editor' }).waitFor();
  await row.getByRole('button', { name: /^Remove/ }).click();
  await inspect(page, 'users-remove');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await row.waitFor({ state: 'detached' });
  await grace.reload();
  await heading(grace, 'Sign in');
  await grace.close();
  await page.close();
});

test('one changes one’s own password', async () => {
  const page = await as('editor', '/connections');
  await page.getByRole('button', { name: 'editor' }).click();
  await page.getByRole('menuitem', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog');
  const fill = async (before: string): Promise<void> => {
    await dialog.getByLabel(/^Password/).fill(before);
    await dialog.getByLabel(/^New password/).fill(PASSWORD);
    await dialog.getByLabel(/^The same again/).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Change password' }).click();
  };
  await fill('not this one');
  await dialog.getByText('That is not your password').waitFor();
  await inspect(page, 'change-password');
  await fill('editor has a long password');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'editor' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await heading(page, 'Sign in');
  await signIn(page, 'editor', PASSWORD);
  await heading(page, 'Connections');
  await page.close();
});

test('an API token is shown once, works, and is revoked; the audit log tells it all', async () => {
  const page = await as('admin', '/tokens');
  await page.getByText('No API token yet').waitFor();
  await page.getByRole('button', { name: 'Token', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What it is for').fill('Grafana');
  await dialog.getByLabel(/^query/).check();
  await inspect(page, 'tokens-add');
  await dialog.getByRole('button', { name: 'Make the token' }).click();
  const token = (await dialog.locator('pre').textContent()) ?? '';
  await dialog.getByRole('button', { name: 'Copy the token' }).click();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(token);
  await inspect(page, 'tokens-shown');
  await dialog.getByRole('button', { name: 'Done' }).click();
  const asked = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${server.url}/api/schema.list`, { headers })).status;
  };
  expect(await asked()).toBe(200);
  const row = page.getByRole('row', { name: /Grafana/ });
  await row.getByText('read, query').waitFor();
  await row.getByRole('button', { name: /^Revoke/ }).click();
  await dialog.getByRole('button', { name: 'Revoke it' }).click();
  await row.getByText('revoked').waitFor();
  expect(await asked()).toBe(401);
  await inspect(page, 'tokens');

  await page.getByRole('link', { name: 'Audit' }).click();
  await heading(page, 'Audit');
  await page.getByRole('cell', { name: 'tokens.revoke' }).waitFor();
  await page.getByRole('cell', { name: 'users.create' }).first().waitFor();
  await inspect(page, 'audit');
  await page.close();
});

test.each([
  ['dark', { dark: true }],
  ['phone', { phone: true }],
] as const)('the same pages, %s', async (name, look) => {
  const out = await open('/sign-in?refused=removed', look);
  await out.getByText('You were removed here').waitFor();
  await inspect(out, `sign-in-${name}`);
  await out.close();
  for (const [path, title] of [
    ['/users', 'Users'],
    ['/tokens', 'API tokens'],
    ['/audit', 'Audit'],
  ] as const) {
    const page = await as('admin', path, look);
    await heading(page, title);
    await page.getByRole('table').waitFor();
    await inspect(page, `${title.toLowerCase().replace(' ', '-')}-${name}`);
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await page.close();
  }
});
