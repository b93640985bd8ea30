import type { Command } from 'commander';
import { print, printJson, say } from '../context.ts';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { SCOPES, type Scope } from '../../api/method.ts';

export function define(tokens: Command): void {
  withCallFlags(
    tokens
      .command('create')
      .description('make an API token; it is shown this once')
      .requiredOption('--scope <scope...>', `what it may do: ${SCOPES.join(', ')}`)
      .option('--expires <date>', 'its end, as YYYY-MM-DD (default: none)')
      .option('--label <text>', 'what it is for'),
  ).action(async (flags: CallFlags & { scope: string[]; expires?: string; label?: string }) => {
    const scopes = flags.scope.flatMap((text) => text.split(',')) as Scope[];
    const answer = await callMethod(flags, 'tokens.create', {
      scopes,
      ...(flags.label !== undefined && { label: flags.label }),
      ...(flags.expires !== undefined && { expires_at: flags.expires }),
    });
    if (flags.json) printJson(answer);
    else {
      print(answer.token);
      say('This token is shown this once. Send it as "Authorization: Bearer …", or give it by SOUNDINGS_API_TOKEN.');
    }
  });
  withCallFlags(tokens.command('list').description('every API token, by its first characters')).action(
    async (flags: CallFlags) => {
      const { tokens: found } = await callMethod(flags, 'tokens.list', {});
      if (flags.json) {
        printJson({ tokens: found });
        return;
      }
      const { renderTable } = await import('../render/table.ts');
      const rows = found.map((t) => [
        t.id,
        t.prefix,
        t.label,
        t.scopes.join(' '),
        t.created_at,
        t.expires_at,
        t.revoked_at,
        t.last_used_at,
      ]);
      print(renderTable(['id', 'token', 'label', 'scopes', 'made', 'ends', 'revoked', 'last used'], rows));
    },
  );
  withCallFlags(
    tokens.command('revoke').description('end an API token for good').argument('<id>', 'which one', idArgument),
  ).action(async (id: number, flags: CallFlags) => {
    const answer = await callMethod(flags, 'tokens.revoke', { id });
    if (flags.json) printJson(answer);
    else say(`Token ${id} is revoked.`);
  });
}
