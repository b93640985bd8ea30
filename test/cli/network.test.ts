/** What stands between the program and the server: proxies, certificates, context paths, compression; and which projects are read. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actions, generate, type Dataset, type Simulator } from '../simulator/index.ts';
import { selfSigned } from './certificate.ts';
import { bench, complaint, complaints, freePort, run, type Bench } from './program.ts';

let b: Bench;
const closing: (() => void)[] = [];
beforeAll(async () => {
  b = await bench();
});
afterAll(async () => {
  for (const close of closing) close();
  await b.close();
});

const data = (): Dataset => generate({ projects: 2, issuesPerProject: 20, metrics: 12, analyses: 2 });

interface Proxy {
  readonly url: string;
  /** What it was asked for: `CONNECT host:port` or `GET http://…`. */
  readonly asked: string[];
}

/** A proxy as companies have them: tunnels, and forwards plain HTTP. With a password it wants one. */
async function startProxy(password?: string): Promise<Proxy> {
  const asked: string[] = [];
  const allowed = (request: http.IncomingMessage): boolean =>
    password === undefined ||
    request.headers['proxy-authorization'] === `Basic ${Buffer.from(password).toString('base64')}`;
  const server = http.createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (!allowed(request)) {
      response.writeHead(407).end();
      return;
    }
    const onward = http.request(request.url ?? '', { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  const sockets = new Set<Duplex>();
  server.on('connect', (request, socket: Duplex) => {
    asked.push(`CONNECT ${request.url ?? ''}`);
    if (!allowed(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const onward: Socket = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => {
        socket.destroy();
        onward.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('a proxy', () => {
  it('given by --proxy carries every request', async () => {
    const sim = await b.simulator({ data: data() });
    const proxy = await startProxy();
    const ran = await b.sync(sim, ['--proxy', proxy.url]);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    const host = new URL(sim.url).host;
    expect(proxy.asked.length).toBeGreaterThan(0);
    expect(proxy.asked.every((line) => line.includes(host))).toBe(true);
  });

  it('given by the environment carries them too, but for hosts in NO_PROXY', async () => {
    const sim = await b.simulator({ data: data() });
    const proxy = await startProxy();
    expect((await b.sync(sim, [], { env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' } })).code).toBe(0);
    expect(proxy.asked).toEqual([]);
    expect((await b.sync(sim, [], { env: { http_proxy: proxy.url } })).code).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  it('that wants a password gets it, and it is told to nobody', async () => {
    const sim = await b.simulator({ data: data() });
    const proxy = await startProxy('me:hunter22');
    const url = proxy.url.replace('//', '//me:hunter22@');
    expect((await b.sync(sim, ['--proxy', url], { secrets: ['hunter22'] })).code).toBe(0);
    const refused = await b.sync(sim, ['--proxy', proxy.url]);
    expect(refused.code).toBe(6);
    expect(complaint(refused)).toMatch(/proxy.*407|407.*proxy/i);
  });

  it('that is not there: 6, and the proxy is named', async () => {
    const sim = await b.simulator({ data: data() });
    const port = await freePort();
    const ran = await b.sync(sim, ['--proxy', `http://me:hunter22@127.0.0.1:${port}`], { secrets: ['hunter22'] });
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toContain(`127.0.0.1:${port}`);
    expect(sim.log).toEqual([]);
  });

  it('whose address is no URL: 2', async () => {
    const sim = await b.simulator({ data: data() });
    const ran = await b.sync(sim, ['--proxy', 'nonsense']);
    expect(ran.code).toBe(2);
    expect(complaint(ran)).toContain('--proxy');
  });
});

describe('https with a certificate of an own authority', () => {
  const { key, cert } = selfSigned();
  let sim: Simulator;
  let url: string;
  const file = (name: string): string => join(dirname(b.dataDir), name);
  const sync = (args: readonly string[]): ReturnType<typeof run> =>
    run(['sync', '--url', url, '--data-dir', b.dataDir, ...args], { token: sim.tokens.admin });

  beforeAll(async () => {
    sim = await b.simulator({ data: data() });
    const server = https.createServer({ key, cert }, (request, response) => {
      const onward = http.request(sim.url + (request.url ?? ''), { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await mkdir(dirname(b.dataDir), { recursive: true });
    await writeFile(file('ca.pem'), cert);
    await writeFile(file('nonsense.pem'), 'this is not a certificate\n');
  });

  it('is refused without --ca, and the remedy is named', async () => {
    const ran = await sync([]);
    expect(ran.code).toBe(6);
    expect(complaint(ran)).toMatch(/certificate of https:\/\/127\.0\.0\.1:\d+ is not trusted .*--ca FILE/);
    expect(sim.log).toEqual([]);
  });

  it('is accepted with it, also through a proxy', async () => {
    const direct = await sync(['--ca', file('ca.pem')]);
    expect(complaints(direct)).toEqual([]);
    expect(direct.code).toBe(0);
    const proxy = await startProxy();
    const through = await sync(['--ca', file('ca.pem'), '--proxy', proxy.url]);
    expect(complaints(through)).toEqual([]);
    expect(through.code).toBe(0);
    expect(proxy.asked.every((line) => line === `CONNECT ${new URL(url).host}`)).toBe(true);
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  it('a file that is missing, or holds no certificate: 2', async () => {
    const missing = await sync(['--ca', file('missing.pem')]);
    expect(missing.code).toBe(2);
    expect(complaint(missing)).toMatch(/missing\.pem given by --ca cannot be read \(ENOENT\)/);
    const nonsense = await sync(['--ca', file('nonsense.pem')]);
    expect(nonsense.code).toBe(2);
    expect(complaint(nonsense)).toContain('--ca');
  });
});

describe('addresses', () => {
  it('a context path, and what people paste from the address bar', async () => {
    const sim = await b.simulator({ context: '/sonar', data: data() });
    expect((await b.sync(sim)).code).toBe(0);
    for (const pasted of ['/', '/dashboard?id=org.example%3Aproject-0', '/api/']) {
      const ran = await run(['sync', '--url', sim.url + pasted, '--data-dir', b.dataDir], { token: sim.tokens.admin });
      expect(ran.stdout, pasted).toContain(`${sim.url} complete: nothing changed (0 rows)`);
    }
  });

  it('a redirect on the same server is followed', async () => {
    const sim = await b.simulator({ context: '/sonar', data: data() });
    sim.faults.nth('metrics/search', 1, actions.redirect(`${sim.url}/api/metrics/search?p=1&ps=500`));
    const ran = await b.sync(sim);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    expect(sim.requests('metrics/search').map(({ status }) => status)).toContain(302);
  });

  it('a server or a proxy that does not compress', async () => {
    const sim = await b.simulator({ gzip: false, data: data() });
    const ran = await b.sync(sim);
    expect(complaints(ran)).toEqual([]);
    expect(ran.code).toBe(0);
    expect(sim.requests('issues/search').some(({ bytes }) => bytes > 10_000)).toBe(true);
  });
});

describe('which projects', () => {
  const asked = (sim: Simulator, from: number): string[] => [
    ...new Set(
      sim.log.slice(from).flatMap(({ params }) => {
        const keys = params['component'] ?? params['projectKey'] ?? params['project'] ?? params['componentKeys'];
        return keys === undefined ? [] : keys.split(',');
      }),
    ),
  ];
  const stored = async (sim: Simulator): Promise<Record<string, number>> => {
    const rows = await b.rows<{ key: string; n: number }>(
      `select p.source_key as key, count(i.id)::int as n from sonarqube_projects p
         left join sonarqube_issues i on i.project_id = p.id and i.deleted_at is null
         join soundings.connections c on c.id = p.connection_id
        where c.settings ->> 'base_url' = $1 and p.deleted_at is null group by 1`,
      [sim.url],
    );
    return Object.fromEntries(rows.map(({ key, n }) => [key, n]));
  };
  const keyOf = (n: number): string => ['team-a:web', 'team-a:api', 'team-b:web', 'other'][n] ?? '';

  it('--project and --exclude with wildcards; what another run left out is not taken for gone', async () => {
    const sim = await b.simulator({
      data: generate({ projects: 4, issuesPerProject: 20, metrics: 12, projectKey: keyOf }),
    });
    const some = await b.sync(sim, ['--project', 'team-?:*', '--exclude', '*:api']);
    expect(complaints(some)).toEqual([]);
    expect(some.code).toBe(0);
    expect(asked(sim, 0).sort()).toEqual(['team-a:web', 'team-b:web']);
    expect(await stored(sim)).toEqual({ 'team-a:web': 20, 'team-b:web': 20, 'team-a:api': 0, other: 0 });
    const all = await b.sync(sim);
    expect(all.code).toBe(0);
    const whole = { 'team-a:web': 20, 'team-b:web': 20, 'team-a:api': 20, other: 20 };
    expect(await stored(sim)).toEqual(whole);
    const from = sim.log.length;
    expect((await b.sync(sim, ['--project', 'other', '--full'])).code).toBe(0);
    expect(asked(sim, from)).toEqual(['other']);
    expect(await stored(sim)).toEqual(whole);
  });

  it('a pattern that names no project is said', async () => {
    const sim = await b.simulator({ data: data() });
    const ran = await b.sync(sim, ['--project', 'org.exmaple:*']);
    expect(`${ran.stdout}${ran.stderr}`).toMatch(/no project|matches no|0 projects/i);
  });

  it('--max-concurrency bounds the requests in flight', async () => {
    const sim = await b.simulator({ data: generate({ projects: 6, issuesPerProject: 5, metrics: 12 }), latencyMs: 20 });
    expect((await b.sync(sim, ['--max-concurrency', '2'])).code).toBe(0);
    expect(sim.peak).toBe(2);
  });
});

it('no token stands anywhere', async () => {
  await b.expectNoTokens();
});
