/** Builds the web app once, before the tests, in a process of its own: what they look at is what is served. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const VITE = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');

export default async function setup(): Promise<void> {
  // the runner's own NODE_ENV would make it a build for development: other code, and twice as much
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [VITE, 'build', '--logLevel', 'warn'], {
    cwd: join(import.meta.dirname, '../..'),
    env,
  });
}
