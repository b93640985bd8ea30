import { text as readAll } from 'node:stream/consumers';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { StoreFlags } from '../../app/config.ts';
import { print, printJson, say, stopSignal, storeOf, withStoreFlags } from '../context.ts';

interface QueryFlags extends StoreFlags {
  readonly format: 'table' | 'json' | 'csv';
  readonly timeout: number;
}

export function define(command: Command): void {
  withStoreFlags(
    command
      .argument('<sql>', 'one statement, or - to read it from standard input')
      .addOption(
        new Option('--format <format>', 'how rows are printed').choices(['table', 'json', 'csv']).default('table'),
      )
      .option('--timeout <seconds>', 'give up after this long', seconds, 300),
  ).action(runQueryCommand);
}

async function runQueryCommand(sql: string, flags: QueryFlags): Promise<void> {
  const [{ runQuery, asObjects }, { withStore }] = await Promise.all([
    import('../../app/query.ts'),
    import('../../app/store.ts'),
  ]);
  const text = sql === '-' ? await readAll(process.stdin) : sql;
  const signal = stopSignal();
  const result = await withStore(storeOf(flags), say, ({ database }) =>
    runQuery(database, text, { timeoutMs: flags.timeout * 1000, signal }),
  );
  if (flags.format === 'json') printJson(asObjects(result));
  else if (flags.format === 'csv') {
    const { stringify } = await import('csv-stringify/sync');
    const { cell } = await import('../render/table.ts');
    print(stringify([[...result.columns], ...result.rows.map((row) => row.map(cell))]));
  } else {
    const { renderTable } = await import('../render/table.ts');
    print(renderTable(result.columns, result.rows));
    print(`(${result.rows.length} ${result.rows.length === 1 ? 'row' : 'rows'})`);
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number of seconds above 0.');
  return value;
}
