/**
 * Fuzzes a running API by its own OpenAPI document: no 5xx, no status and no answer that the document does not name.
 * Installs schemathesis into a virtual environment of its own; `npm run test:fuzz -- --max-examples 200` looks longer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startServer } from '../../src/api/server.ts';
import { testService } from '../../src/app/service.testing.ts';
import { create as createToken } from '../../src/app/tokens.ts';
import { createSample } from '../../src/app/connections.ts';
import { Egress } from '../../src/source/egress.ts';

const HERE = import.meta.dirname;
/** What schemathesis notes for itself stays out of the sources. */
const CACHE = join(HERE, '../../node_modules/.cache');
const VENV = join(CACHE, 'schemathesis');
const TOOL = join(VENV, 'bin/schemathesis');

/** What an answer is held to: the document names every status and the shape of every body. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
].join(',');
/** The same requests each time; another number looks elsewhere. */
const SEED = 20_261_128;

async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { cwd: CACHE, stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

async function install(): Promise<void> {
  if (existsSync(TOOL)) return;
  for (const [command, args] of [
    ['python3', ['-m', 'venv', VENV]],
    [
      join(VENV, 'bin/pip'),
      ['install', '--quiet', '--disable-pip-version-check', '-r', join(HERE, 'requirements.txt')],
    ],
  ] as const) {
    const code = await run(command, args);
    if (code !== 0)
      throw new Error(
        `schemathesis cannot be installed (${command} ended with ${code}); it needs Python 3.10 or later with venv`,
      );
  }
}

await mkdir(CACHE, { recursive: true });
await install();
// whatever address is made up, none but this machine's is asked
const service = await testService({ network: { proxy: {}, egress: Egress.parse('127.0.0.1') } });
const server = await startServer({ service, rateLimit: 1_000_000_000 });
const actor = { name: 'fuzz', address: null };
await createSample(service, actor, new AbortController().signal);
// what is made up is not this token's own id: `tokens.revoke` is fuzzed too
await service.store.database.query(`select setval(pg_get_serial_sequence('soundings.api_tokens', 'id'), 4242424242)`);
const { token } = await createToken(service, actor, { label: 'fuzz', scopes: ['admin'], expiresAt: null });
/** What takes away that which the others are tried on comes last. */
const LAST = ['connections.delete', 'credentials.delete', 'users.delete', 'tokens.revoke'];
const [others, last] = ['--exclude-operation-id', '--include-operation-id'].map((flag) =>
  LAST.flatMap((name) => [flag, name]),
);

const fuzz = (operations: readonly string[] = []): Promise<number> =>
  run(TOOL, [
    'run',
    `${server.url}/api/openapi.json`,
    '--header',
    `Authorization: Bearer ${token}`,
    '--checks',
    CHECKS,
    '--phases',
    'examples,coverage,fuzzing',
    '--max-examples',
    '15',
    '--request-timeout',
    '20',
    '--seed',
    String(SEED),
    '--no-shrink',
    '--continue-on-failure',
    // Python 3.11's compiler fails now and then when threads share it
    '--workers',
    '1',
    '--suppress-health-check',
    'all',
    ...operations,
    ...process.argv.slice(2),
  ]);

try {
  process.exitCode = Math.max(await fuzz(others), await fuzz(last));
} finally {
  await server.close();
  await service.close();
}
