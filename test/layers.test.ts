/** The order of rooms is a test, not a habit: each room of `src/` imports only from the rooms this table allows. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Room → rooms it may import from, besides itself. The same table stands in docs/ARCHITECTURE.md. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  db: ['protocol'],
  vault: ['protocol'],
  source: ['protocol'],
  warehouse: ['protocol', 'db'],
  sync: ['protocol', 'warehouse'],
  insights: ['protocol', 'warehouse'],
  control: ['protocol', 'db'],
  sample: ['protocol'],
  app: ['protocol', 'db', 'vault', 'source', 'warehouse', 'sync', 'insights', 'control', 'sample'],
  api: ['protocol', 'app'],
  observe: ['protocol', 'app', 'api'],
  cli: ['protocol', 'app', 'api', 'observe'],
  web: ['protocol', 'api'],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const isTest = (file: string): boolean => /\.(test|testing)\.tsx?$/.test(file);

/** Every module a file imports, statically or by `import()`, as TypeScript's own scanner sees it. */
function importsOf(file: string): string[] {
  const info = ts.preProcessFile(readFileSync(join(SRC, file), 'utf8'), true, true);
  return info.importedFiles
    .map((imported) => imported.fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(SRC, resolve(SRC, dirname(file), name)));
}

describe('rooms', () => {
  test('every folder is a room of the table', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((entry) => entry.name).sort()).toEqual(Object.keys(ROOMS).sort());
  });

  test.each(files.filter((file) => !isTest(file)))('%s imports only from rooms above', (file) => {
    const room = file.split('/')[0] ?? '';
    const allowed = [room, ...(ROOMS[room] ?? [])];
    const elsewhere = importsOf(file).filter(
      (target) => target !== '../package.json' && !allowed.includes(target.split('/')[0] ?? ''),
    );
    expect(elsewhere).toEqual([]);
  });

  test('the web knows nothing of the API but its typed client and its list of methods', () => {
    const seen = files
      .filter((file) => file.startsWith('web/') && !isTest(file))
      .flatMap(importsOf)
      .filter((target) => target.startsWith('api/'));
    expect([...new Set(seen)].sort()).toEqual(['api/client.ts', 'api/routes.ts']);
  });

  test('only the entry reads the environment', () => {
    const readers = files.filter(
      (file) => !isTest(file) && /process\.env\b/.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(readers).toEqual(['cli/context.ts']);
  });
});
