/** A real browser before a running Soundings, with a simulated SonarQube behind it and a worker beside it. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { startServer, type Server } from '../../src/api/server.ts';
import { background } from '../../src/app/background.ts';
import type { Service } from '../../src/app/service.ts';
import { testService } from '../../src/app/service.testing.ts';
import { create as createToken } from '../../src/app/tokens.ts';
import type { MethodName } from '../../src/api/routes.ts';
import { routeOf } from '../../src/api/routes.ts';
import { generate, startSimulator, type Simulator, type SimulatorOptions } from '../simulator/index.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Pictures of what the tests saw; git ignores them. */
const PICTURES = join(import.meta.dirname, 'screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Look {
  readonly dark?: boolean;
  /** As wide as a phone. */
  readonly phone?: boolean;
}

export interface BrowserRig {
  readonly sim: Simulator;
  readonly service: Service;
  readonly server: Server;
  /** A new window, in which somebody who may do everything is signed in. */
  open(path: string, look?: Look): Promise<Page>;
  /** Calls the API beside the browser: what another window or program does. */
  call<T = Record<string, unknown>>(name: MethodName, args?: Readonly<Record<string, unknown>>): Promise<T>;
  /** A connection to the simulated server; its id. */
  connect(args?: Readonly<Record<string, unknown>>): Promise<number>;
  /** Syncs a connection to its end. */
  sync(connection: number): Promise<void>;
  /** Ends the worker, as a stop of its process does, or begins it anew. */
  worker(on: boolean): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function browserRig(options: SimulatorOptions = {}): Promise<BrowserRig> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`There is no browser: install chromium (${CHROMIUM.join(', ')}).`);
  const sim = await startSimulator({ data: generate({ projects: 4, issuesPerProject: 10, analyses: 2 }), ...options });
  const service = await testService();
  const server = await startServer({ service, rateLimit: 1_000_000 });
  const actor = { name: 'test', address: null };
  const { token } = await createToken(service, actor, { label: 'browser', scopes: ['admin'], expiresAt: null });
  const authorization = `Bearer ${token}`;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const begin = () => background(service, { worker: true, slots: 2, keepRunsDays: 90, quantumMs: 2_000 });
  let worker: ReturnType<typeof begin> | null = begin();

  const call = async <T>(name: MethodName, args: Readonly<Record<string, unknown>> = {}): Promise<T> => {
    const { verb, path, inPath } = routeOf(name);
    const filled = path.replace(/:(\w+)/g, (_, field: string) => String(args[field]));
    const rest = Object.fromEntries(Object.entries(args).filter(([field]) => !inPath.includes(field)));
    const query = verb === 'GET' ? `?${new URLSearchParams(rest as Record<string, string>).toString()}` : '';
    const response = await fetch(`${server.url}${filled}${query}`, {
      method: verb,
      headers: { authorization, ...(verb === 'POST' && { 'content-type': 'application/json' }) },
      ...(verb === 'POST' && { body: JSON.stringify(rest) }),
    });
    const body = (await response.json()) as { ok: boolean } & T;
    expect(body, name).toMatchObject({ ok: true });
    return body;
  };

  return {
    sim,
    service,
    server,
    call,
    open: (path, look = {}) => openPage(browser, `${server.url}${path}`, authorization, look),
    connect: async (args = {}) => {
      const secrets = { api_token: sim.tokens.admin };
      const made = { name: 'Ours', settings: { base_url: sim.url, schedule: 'manual' }, secrets, ...args };
      return (await call<{ connection: { id: number } }>('connections.create', made)).connection.id;
    },
    sync: async (connection) => {
      const { run } = await call<{ run: { id: number } }>('syncs.start', { connection_id: connection });
      await expect
        .poll(async () => (await call<{ run: { state: string } }>('runs.info', { id: run.id })).run.state, {
          timeout: 60_000,
        })
        .toBe('complete');
    },
    worker: async (on) => {
      if (!on) await worker?.close();
      worker = on ? (worker ?? begin()) : null;
    },
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await worker?.close();
      await server.close();
      await sim.close();
      await service.close();
    },
  };
}

async function openPage(browser: Browser, url: string, authorization: string, look: Look): Promise<Page> {
  const context: BrowserContext = await browser.newContext({
    extraHTTPHeaders: { authorization },
    viewport: look.phone === true ? { width: 390, height: 800 } : { width: 1280, height: 900 },
    colorScheme: look.dark === true ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const home = new URL(url).origin;
  page.on('request', (request) => {
    if (!request.url().startsWith(home) && !/^(data|blob):/.test(request.url()))
      throw new Error(`a page asks another host: ${request.url()}`);
  });
  await page.goto(url);
  return page;
}

/** Takes a picture, and holds the page to what screen readers and keyboards need. */
export async function inspect(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
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

const RUN_AXE = `axe.run().then((found) => JSON.stringify(found.violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))])))`;
