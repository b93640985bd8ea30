/**
 * The machine's own Chromium, and what every test holds every page to: no error on the console, nothing that the page's
 * policy had to stop, no request to any other host.
 */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { afterEach, expect } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Pictures of what the tests saw; git ignores them. */
const PICTURES = join(import.meta.dirname, 'screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Look {
  readonly dark?: boolean;
  /** As wide as a phone. */
  readonly phone?: boolean;
  /** Sent with every request of the window. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestBrowser {
  /** A new window with cookies of its own. */
  open(url: string, look?: Look): Promise<Page>;
  close(): Promise<void>;
}

/** What went wrong in any window since the last test. */
const faults: string[] = [];
afterEach(() => {
  expect(complaints(), 'what the pages complained about').toEqual([]);
});

/** Takes what the pages complained about: for a test in which they have to. */
export const complaints = (): string[] => faults.splice(0);

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: found(), args: ['--no-sandbox', '--disable-gpu'] });
  return {
    open: async (url, { dark = false, phone = false, headers = {} } = {}) => {
      const context = await browser.newContext({
        extraHTTPHeaders: { ...headers },
        viewport: phone ? { width: 390, height: 800 } : { width: 1280, height: 900 },
        colorScheme: dark ? 'dark' : 'light',
        reducedMotion: 'reduce',
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      watch(page, new URL(url).origin);
      await page.goto(url);
      return page;
    },
    close: () => browser.close(),
  };
}

function found(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const path = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
  if (path === undefined) {
    throw new Error(
      `No browser on PATH (${NAMES.join(', ')}): install one, on Debian with "apt-get install chromium".`,
    );
  }
  return path;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function watch(page: Page, home: string): void {
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // an API that refuses, or is away, is what pages are tested with; the browser remarks on each such answer
    const remark = message.text().startsWith('Failed to load resource') && isApi(message.location().url, home);
    if (message.type() === 'error' && !remark) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${home}/`) && !/^(data|blob):/.test(url)) faults.push(`another host was asked: ${url}`);
  });
}

const isApi = (url: string, home: string): boolean => url.startsWith(`${home}/api/`);

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

/** Holds the page to what screen readers and keyboards need: nothing that axe calls serious or critical. */
export async function axe(page: Page, name = page.url()): Promise<void> {
  // through the debugger: the page's own policy lets no foreign script in
  const debug = await page.context().newCDPSession(page);
  try {
    await debug.send('Runtime.evaluate', { expression: AXE });
    const { result } = await debug.send('Runtime.evaluate', { expression: RUN_AXE, awaitPromise: true });
    expect(JSON.parse(String(result.value)), name).toEqual([]);
  } finally {
    await debug.detach();
  }
}

/** Takes a picture, and asks axe. */
export async function inspect(page: Page, name: string): Promise<void> {
  await picture(page, name);
  await axe(page, name);
}

const RUN_AXE = `axe.run().then((found) => JSON.stringify(found.violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))])))`;
