import type { Command } from 'commander';
import type { StoreFlags } from '../../app/config.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { print, printJson, say, storeOf, withStoreFlags } from '../context.ts';

interface SchemaFlags extends StoreFlags {
  readonly json?: boolean;
}

export function define(command: Command): void {
  withStoreFlags(command.argument('[table]', 'table or view').option('--json', 'print as JSON')).action(
    runSchemaCommand,
  );
}

async function runSchemaCommand(name: string | undefined, flags: SchemaFlags): Promise<void> {
  const [{ describeTables }, { withStore }, { renderTable }] = await Promise.all([
    import('../../app/schema.ts'),
    import('../../app/store.ts'),
    import('../render/table.ts'),
  ]);
  const tables = await withStore(storeOf(flags), say, ({ database }) => describeTables(database));
  if (name === undefined) {
    if (flags.json) printJson(tables);
    else
      print(
        renderTable(
          ['table', 'rows (about)', 'what it is'],
          tables.map((table) => [table.name, table.rows, table.description]),
        ),
      );
    return;
  }
  const table = tables.find((one) => one.name === name || one.name === `sonarqube_${name}`);
  if (!table)
    throw new ConnectorError('invalid_arguments', `There is no table ${name}; "soundings schema" lists them.`);
  if (flags.json) printJson(table);
  else {
    print(`${table.name}: ${table.description ?? ''}\n`);
    print(
      renderTable(
        ['column', 'type', 'meaning'],
        table.columns.map((column) => [column.name, column.type, column.description]),
      ),
    );
  }
}
