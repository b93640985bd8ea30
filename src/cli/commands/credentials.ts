import type { Command } from 'commander';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson, say } from '../context.ts';
import { readToken, type TokenFlags } from '../token.ts';
import { clientKeyFrom, shown, withSecretFlags } from './connections.ts';

interface ChangeFlags extends CallFlags, TokenFlags {
  readonly label?: string;
  readonly expires?: string;
  readonly clientKey?: string;
}

export function define(credentials: Command): void {
  const ofConnection = (command: Command): Command => command.argument('<connection>', 'of which one', idArgument);
  const one = (command: Command): Command => ofConnection(command).argument('<id>', 'which one', idArgument);
  withCallFlags(ofConnection(credentials.command('list').description('the credentials of a connection'))).action(
    listCommand,
  );
  withCallFlags(one(credentials.command('info').description('one credential'))).action(
    async (connection_id: number, id: number, flags: CallFlags) => {
      printJson(await callMethod(flags, 'credentials.info', { connection_id, id }));
    },
  );
  withCallFlags(
    withChangeFlags(ofConnection(credentials.command('create').description('verify a token, then store it'))),
  ).action(async (connection_id: number, flags: ChangeFlags) => {
    const secrets = { api_token: await readToken(flags), ...(await clientKeyFrom(flags)) };
    const answer = await callMethod(flags, 'credentials.create', { connection_id, secrets, ...fieldsOf(flags) });
    shown(flags, answer, `Credential ${answer.credential.id} (${answer.credential.label}) is made.`);
  });
  withCallFlags(
    withChangeFlags(
      one(credentials.command('update').description('change it; it is verified again before it is stored')),
    ),
  ).action(async (connection_id: number, id: number, flags: ChangeFlags) => {
    const secrets = {
      ...(flags.tokenFile !== undefined && { api_token: await readToken(flags) }),
      ...(await clientKeyFrom(flags)),
    };
    const input = { connection_id, id, secrets, ...fieldsOf(flags) };
    shown(flags, await callMethod(flags, 'credentials.update', input), `Credential ${id} is changed.`);
  });
  withCallFlags(one(credentials.command('delete').description('forget it'))).action(
    async (connection_id: number, id: number, flags: CallFlags) => {
      shown(
        flags,
        await callMethod(flags, 'credentials.delete', { connection_id, id }),
        `Credential ${id} is deleted.`,
      );
    },
  );
}

function withChangeFlags(command: Command): Command {
  return withSecretFlags(command)
    .option('--label <text>', 'what it is called')
    .option('--expires <date>', "the token's end, as YYYY-MM-DD, where the server does not tell it");
}

const fieldsOf = ({ label, expires }: ChangeFlags) => ({
  ...(label !== undefined && { label }),
  ...(expires !== undefined && { expiration_date: expires }),
});

async function listCommand(connection_id: number, flags: CallFlags): Promise<void> {
  const { credentials } = await callMethod(flags, 'credentials.list', { connection_id });
  if (flags.json) {
    printJson({ credentials });
    return;
  }
  const { renderTable } = await import('../render/table.ts');
  const rows = credentials.map((c) => [
    c.id,
    c.label,
    c.token_type,
    c.disabled_at ? 'disabled' : 'in use',
    c.expiration_date,
    c.disabled_reason,
  ]);
  print(renderTable(['id', 'label', 'token', 'state', 'ends', 'why'], rows));
  for (const { warnings } of credentials) for (const warning of warnings) say(warning);
}
