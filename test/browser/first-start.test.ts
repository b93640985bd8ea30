/** The real `soundings serve`, with its embedded PostgreSQL, as somebody starts it for the first time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, newFolder, removeFolder, run, start, type Running } from '../cli/program.ts';
import { inspect } from './rig.ts';
import { startBrowser, type TestBrowser } from './chromium.ts';

let browser: TestBrowser;
let folder: string;
let port: number;
let serve: Running;

const begin = async (): Promise<void> => {
  serve = start(['serve', '--port', String(port), '--data-dir', folder], { held: true });
  await serve.until(/Soundings runs at (\S+)/);
};
const end = async (): Promise<void> => {
  serve.child.kill('SIGTERM');
  await serve.ended;
};

beforeAll(async () => {
  browser = await startBrowser();
  folder = await newFolder();
  port = await freePort();
  await begin();
});
afterAll(async () => {
  await browser.close();
  await end();
  await removeFolder(folder);
});

test('nothing is there yet; the server stops and starts again under an open page', async () => {
  const made = await run(['tokens', 'create', '--scope', 'admin', '--data-dir', folder]);
  expect(made.stderr).toContain('shown this once');
  const url = `http://127.0.0.1:${port}`;
  const page = await browser.open(`${url}/`, { headers: { authorization: `Bearer ${made.stdout.trim()}` } });
  await page.getByRole('heading', { name: 'No connection yet' }).waitFor();
  await inspect(page, 'first-start');

  await end();
  await page.getByText('unreachable', { exact: true }).waitFor();
  await begin();
  await page.getByRole('alert').waitFor({ state: 'hidden' });
  await page.getByRole('heading', { name: 'No connection yet' }).waitFor();
  await page.close();
});
