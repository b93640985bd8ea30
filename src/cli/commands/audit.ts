import { InvalidArgumentError, type Command } from 'commander';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson, say } from '../context.ts';

export function define(audit: Command): void {
  withCallFlags(
    audit
      .command('list', { isDefault: true })
      .description('newest first')
      .option('--connection <id>', 'of this connection alone', idArgument)
      .option('--cursor <id>', 'go on from here', idArgument)
      .option('--limit <n>', 'so many at most', limit),
  ).action(async (flags: CallFlags & { connection?: number; cursor?: number; limit?: number }) => {
    const answer = await callMethod(flags, 'audit.list', {
      ...(flags.connection !== undefined && { connection_id: flags.connection }),
      ...(flags.cursor !== undefined && { cursor: flags.cursor }),
      ...(flags.limit !== undefined && { limit: flags.limit }),
    });
    if (flags.json) {
      printJson(answer);
      return;
    }
    const { renderTable } = await import('../render/table.ts');
    const rows = answer.entries.map((e) => [
      e.at,
      e.actor,
      e.address,
      e.action,
      e.connection_id,
      e.credential_id,
      JSON.stringify(e.detail),
    ]);
    print(renderTable(['when', 'who', 'from', 'what', 'connection', 'credential', ''], rows));
    if (answer.next_cursor !== null) say(`There are more: --cursor ${answer.next_cursor}`);
  });
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 500)
    throw new InvalidArgumentError('It must be a whole number from 1 to 500.');
  return value;
}
