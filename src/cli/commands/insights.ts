import { InvalidArgumentError, Option, type Command } from 'commander';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson } from '../context.ts';

interface RunFlags extends CallFlags {
  readonly connection?: number;
  readonly project?: string[];
  readonly from?: string;
  readonly to?: string;
  readonly interval?: 'day' | 'week' | 'month';
  readonly limit?: number;
  readonly sql?: boolean;
}

export function define(insights: Command): void {
  withCallFlags(
    insights.command('list', { isDefault: true }).description('which insights there are, and the filters each goes by'),
  ).action(async (flags: CallFlags) => {
    const answer = await callMethod(flags, 'insights.list', {});
    if (flags.json) {
      printJson(answer);
      return;
    }
    const { renderTable } = await import('../render/table.ts');
    print(
      renderTable(
        ['id', 'title', 'goes by'],
        answer.insights.map(({ id, title, parameters }) => [id, title, parameters.join(', ')]),
      ),
    );
  });
  withCallFlags(
    insights
      .command('run')
      .description('the numbers of one')
      .argument('<id>', 'which one; "list" shows them')
      .option('--connection <id>', 'of this connection alone', idArgument)
      .option('--project <key...>', 'of these projects alone')
      .option('--from <day>', 'the first day, as YYYY-MM-DD (default: a year before the last)')
      .option('--to <day>', 'the last day (default: today)')
      .addOption(new Option('--interval <length>', 'of a point in time').choices(['day', 'week', 'month']))
      .option('--limit <n>', 'so many rows, projects or bars', limit)
      .option('--sql', 'print the SQL instead of its rows'),
  ).action(async (id: string, flags: RunFlags) => {
    const { connection, project, from, to, interval, limit: most } = flags;
    const answer = await callMethod(flags, 'insights.run', {
      id,
      ...(connection !== undefined && { connection }),
      ...(project && { projects: project }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(interval && { interval }),
      ...(most !== undefined && { limit: most }),
    });
    if (flags.json) printJson(answer);
    else if (flags.sql) print(answer.sql);
    else {
      const { renderTable } = await import('../render/table.ts');
      const { columns } = answer.insight;
      print(
        renderTable(
          columns.map(({ name }) => name),
          answer.rows.map((row) => columns.map(({ name }) => row[name])),
        ),
      );
    }
  });
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('It must be a whole number from 1 to 10000.');
  return value;
}
