/** What the first page costs: at most 250 kB gzip, and without the charts and the editor, which are loaded when needed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { WEB_FOLDER } from '../../src/api/web.ts';

const MOST_BYTES = 250_000;

interface Chunk {
  readonly file: string;
  readonly src?: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

let manifest: Readonly<Record<string, Chunk>>;

beforeAll(async () => {
  manifest = JSON.parse(await readFile(join(WEB_FOLDER, '.vite/manifest.json'), 'utf8')) as typeof manifest;
});

/** Everything that a chunk needs at once. */
function filesOf(names: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const files = new Set<string>();
  const visit = (name: string): void => {
    const chunk = manifest[name];
    if (!chunk || seen.has(name)) return;
    seen.add(name);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const other of chunk.imports ?? []) visit(other);
  };
  for (const name of names) visit(name);
  return files;
}

const HOME = ['index.html', 'pages/connections/connections-page.tsx'];

test('the first page', async () => {
  expect(Object.keys(manifest)).toEqual(expect.arrayContaining(HOME));
  const files = ['index.html', ...filesOf(HOME)];
  const sizes = await Promise.all(
    files.map(async (file) => [file, gzipSync(await readFile(join(WEB_FOLDER, file))).length] as const),
  );
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  console.log(`first page: ${total} bytes gzip in ${sizes.length} files`);
  expect(total, JSON.stringify(sizes)).toBeLessThan(MOST_BYTES);
});

test('charts and editor are in none of its files', async () => {
  const texts = await Promise.all([...filesOf(HOME)].map((file) => readFile(join(WEB_FOLDER, file), 'utf8')));
  for (const text of texts) {
    expect([text.includes('cm-editor'), text.includes('--series-')]).toEqual([false, false]);
  }
  // where they are needed they are, so that the words looked for above are the right ones
  const [sql, insights] = await Promise.all(
    ['pages/sql/sql-page.tsx', 'pages/insights/insights-page.tsx'].map(async (name) => {
      const loaded = await Promise.all(
        [...dynamicallyOf(name)].map((file) => readFile(join(WEB_FOLDER, file), 'utf8')),
      );
      return loaded.join('\n');
    }),
  );
  expect([sql?.includes('cm-editor'), insights?.includes('--series-')]).toEqual([true, true]);
});

/** Also what it loads later. */
function dynamicallyOf(name: string): Set<string> {
  const later = (manifest[name] as (Chunk & { dynamicImports?: readonly string[] }) | undefined)?.dynamicImports ?? [];
  return filesOf([name, ...later]);
}
