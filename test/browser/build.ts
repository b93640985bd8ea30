/** Builds the web app once, before the tests: what they look at is what is served. */
import { build } from 'vite';

export default async function setup(): Promise<void> {
  await build({ logLevel: 'warn' });
}
