/** A connection's projects: odd names as they are, search, filter, order, details, and 50,000 of them. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { generate } from '../simulator/index.ts';
import { browserRig, inspect, type BrowserRig } from './rig.ts';

const NAMES = [
  `<img src=x onerror="document.title='broken'">`,
  `"double" & 'single' \\ back`,
  'مشروع عربي \u202Etxt.exe',
  'n'.repeat(500),
  'plain',
];
const MANY = 50_000;

let r: BrowserRig;
let connection: number;
let page: Page;

beforeAll(async () => {
  const data = generate({ projects: 8, issuesPerProject: 5, hotspots: 1, analyses: 2, seed: 3 });
  data.projects.forEach((project, index) => (project.name = NAMES[index] ?? project.name));
  r = await browserRig({ data });
  connection = await r.connect();
  page = await r.open('/connections');
});
beforeEach(async () => {
  await page.goto(`${r.server.url}/connections/${connection}/projects`);
});
afterAll(async () => {
  await r[Symbol.asyncDispose]();
});

const table = () => page.getByRole('region', { name: 'Projects' });
const search = () => page.getByRole('searchbox', { name: 'Search' });
const row = (name: string) => table().getByRole('button', { name, exact: true });
const address = (): URLSearchParams => new URL(page.url()).searchParams;

test('none before the first sync; afterwards all of them, with odd names as they are', async () => {
  await page.getByText('No project yet').waitFor();
  await inspect(page, 'projects-none');
  await r.sync(connection);
  await page.getByText('8 projects', { exact: true }).waitFor({ timeout: 60_000 });
  for (const name of NAMES) await row(name).waitFor();
  expect(await page.title()).toBe('Ours · Soundings');
  await inspect(page, 'projects');
});

test('search and filter stand in the address', async () => {
  await search().fill('<IMG src');
  await page.getByText('1 project', { exact: true }).waitFor();
  expect(address().get('search')).toBe('<IMG src');
  await page.reload();
  await page.getByText('1 project', { exact: true }).waitFor();
  expect(await search().inputValue()).toBe('<IMG src');
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await page.getByText('8 projects', { exact: true }).waitFor();
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'Short' }).click();
  await page.getByText('No project fits').waitFor();
  expect(address().get('state')).toBe('short');
});

test('the server sorts, in both directions', async () => {
  const first = () => table().getByRole('row').nth(1).getByRole('button').textContent();
  await table().getByRole('button', { name: 'Name', exact: true }).click();
  await expect.poll(() => address().get('order')).toBe('desc');
  await expect.poll(first).toBe(NAMES[2]);
  await table().getByRole('button', { name: 'Key', exact: true }).click();
  await expect.poll(() => address().get('sort')).toBe('key');
});

test('a project’s streams, counted by the server and here', async () => {
  await row(NAMES[2]!).click();
  const details = page.getByRole('dialog');
  const streams = details.getByRole('table', { name: 'Streams of the project' });
  await streams.waitFor();
  await expect.poll(() => streams.getByRole('row').count()).toBe(5);
  await inspect(page, 'project');
  await page.reload();
  await details.getByText(NAMES[2]!).waitFor();
  await page.keyboard.press('Escape');
  await details.waitFor({ state: 'hidden' });
  await page.goto(`${r.server.url}/connections/${connection}/projects?project=never-there`);
  await page.getByText('There is no project with the key').waitFor();
  await page.keyboard.press('Escape');
});

test('one that the server has no more is marked, and kept', async () => {
  r.sim.mutate.deleteProject(r.sim.data.projects.find(({ name }) => name === 'plain')!.key);
  await r.sync(connection);
  await page.getByRole('combobox', { name: 'State' }).click();
  await page.getByRole('option', { name: 'Gone' }).click();
  await page.getByText('1 project', { exact: true }).waitFor({ timeout: 60_000 });
  await row('plain').click();
  await page.getByRole('dialog').getByText('Gone since').waitFor();
  await inspect(page, 'project-gone');
  await page.keyboard.press('Escape');
});

test('in the dark and on a phone', async () => {
  const phone = await r.open(`/connections/${connection}/projects`, { dark: true, phone: true });
  await phone.getByText('8 projects', { exact: true }).waitFor();
  await inspect(phone, 'projects-phone-dark');
  await phone.context().close();
});

test('of 50,000 projects only what is seen is drawn, and the last ones are a search away', async () => {
  await r.service.store.database.query(
    `insert into sonarqube_projects (connection_id, source_key, name, qualifier, synced_at)
     select $1, 'many-' || n, 'Many ' || lpad(n::text, 5, '0'), 'TRK', now() from generate_series(1, $2::int) n
     on conflict do nothing`,
    [connection, MANY],
  );
  await r.service.store.database.query('analyze sonarqube_projects');
  await page.goto(`${r.server.url}/connections/${connection}/projects?search=many-`);
  await page.getByText(/^50,000 projects, 200 loaded/).waitFor({ timeout: 60_000 });
  await row('Many 00001').waitFor();
  expect(await table().getByRole('row').count()).toBeLessThan(100);
  const last = async (): Promise<number> => {
    const shown = await table().getByRole('row').allInnerTexts();
    return Math.max(...shown.map((text) => Number(/Many (\d+)/.exec(text)?.[1] ?? 0)));
  };
  // each time the list is at its end it grows, and the next End goes further
  for (const further of [201, 401]) {
    const pressed = async (): Promise<number> => {
      await table().press('End');
      return last();
    };
    await expect.poll(pressed, { timeout: 30_000 }).toBeGreaterThanOrEqual(further);
  }
  expect(await table().getByRole('row').count()).toBeLessThan(100);
  await inspect(page, 'projects-many');
  await search().fill('many 49999');
  await row('Many 49999').waitFor();
});

test.each(['/connections/999999/projects', '/connections/x', '/connections/0/settings', '/connections/1e3'])(
  'a connection that is not there: %s',
  async (path) => {
    await page.goto(`${r.server.url}${path}`);
    await page.getByText('This connection is not there').waitFor();
    await inspect(page, 'no-connection');
  },
);
