import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConnectorError } from '../../protocol/errors.ts';
import { print } from '../context.ts';

export function define(command: Command): void {
  command
    .option('--out <file>', 'write the table reference there')
    .option('--check <file>', 'fail when that file differs from the code')
    .action(async ({ out, check }: { out?: string; check?: string }) => {
      const { docs } = await import('../../app/schema.ts');
      const text = docs();
      if (check !== undefined && (await readFile(check, 'utf8')) !== text) {
        throw new ConnectorError('invalid_arguments', `${check} is not what the code says; run "npm run docs".`);
      }
      if (out !== undefined) await writeFile(out, text);
      if (out === undefined && check === undefined) print(text);
    });
}
