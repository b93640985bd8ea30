/** A real browser before a running Soundings, with a simulated SonarQube behind it and a worker beside it. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { startServer, type Server } from '../../src/api/server.ts';
import { background } from '../../src/app/background.ts';
import type { Service } from '../../src/app/service.ts';
import { testService } from '../../src/app/service.testing.ts';
import { create as createToken } from '../../src/app/tokens.ts';
import type { MethodName } from '../../src/api/routes.ts';
import { routeOf } from '../../src/api/routes.ts';
import { generate, startSimulator, type Simulator, type SimulatorOptions } from '../simulator/index.ts';
import { startBrowser, type Look } from './chromium.ts';

export { axe, inspect, picture } from './chromium.ts';

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
  const sim = await startSimulator({ data: generate({ projects: 4, issuesPerProject: 10, analyses: 2 }), ...options });
  const service = await testService();
  const server = await startServer({ service, rateLimit: 1_000_000 });
  const actor = { name: 'test', address: null };
  const { token } = await createToken(service, actor, { label: 'browser', scopes: ['admin'], expiresAt: null });
  const authorization = `Bearer ${token}`;
  const browser = await startBrowser();
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
    open: (path, look = {}) => browser.open(`${server.url}${path}`, { ...look, headers: { authorization } }),
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
