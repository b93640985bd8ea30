import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson, say } from '../context.ts';

export function define(queries: Command): void {
  withCallFlags(queries.command('list', { isDefault: true }).description('what is saved, and the examples')).action(
    async (flags: CallFlags) => {
      const answer = await callMethod(flags, 'queries.list', {});
      if (flags.json) {
        printJson(answer);
        return;
      }
      const { renderTable } = await import('../render/table.ts');
      print(
        renderTable(
          ['id', 'name', 'saved by', 'changed'],
          [
            ...answer.queries.map(({ id, name, created_by, updated_at }) => [id, name, created_by, updated_at]),
            ...answer.examples.map(({ id, name }) => [id, name, 'an example', null]),
          ],
        ),
      );
    },
  );
  withCallFlags(
    queries.command('show').description('print the SQL of one').argument('<id>', 'a saved query or an example'),
  ).action(async (id: string, flags: CallFlags) => {
    const { queries: saved, examples } = await callMethod(flags, 'queries.list', {});
    const found = saved.find((one) => String(one.id) === id) ?? examples.find((one) => one.id === id);
    if (!found) {
      const { ConnectorError } = await import('../../protocol/errors.ts');
      throw new ConnectorError('query_not_found', `There is no query ${id}; "soundings queries" lists them.`);
    }
    if (flags.json) printJson(found);
    else print(found.sql);
  });
  withCallFlags(
    queries
      .command('save')
      .description('save a query under a name')
      .argument('<sql>', 'the statement, or - to read it from standard input')
      .requiredOption('--name <text>', 'its name, which no other query has')
      .option('--id <id>', 'change this saved query', idArgument),
  ).action(async (sql: string, flags: CallFlags & { name: string; id?: number }) => {
    const answer = await callMethod(flags, 'queries.save', {
      name: flags.name,
      sql: sql === '-' ? await readAll(process.stdin) : sql,
      ...(flags.id !== undefined && { id: flags.id }),
    });
    if (flags.json) printJson(answer);
    else say(`Saved as ${answer.query.id}, “${answer.query.name}”.`);
  });
  withCallFlags(
    queries.command('delete').description('delete a saved query').argument('<id>', 'which one', idArgument),
  ).action(async (id: number, flags: CallFlags) => {
    const answer = await callMethod(flags, 'queries.delete', { id });
    if (flags.json) printJson(answer);
    else say(`Query ${id} is deleted.`);
  });
}
