import { Option, type Command } from 'commander';
import type { Methods } from '../../api/client.ts';
import { publicUrl } from '../../app/oidc-config.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { callMethod, withCallFlags, type CallFlags } from '../call.ts';
import { environment, print, printJson, say } from '../context.ts';

type Role = Methods['users.list']['output']['users'][number]['role'];
type Link = Methods['users.link']['output']['link'];

interface LinkFlags extends CallFlags {
  readonly url?: string;
}

export function define(users: Command): void {
  const role = (): Option => new Option('--role <role>', 'what they may do').choices(['viewer', 'editor', 'admin']);
  const withUrl = (command: Command): Command =>
    command.option(
      '--url <url>',
      'address of the server in the link (default: SOUNDINGS_URL, --server, or http://127.0.0.1:8080)',
    );

  withCallFlags(users.command('list').description('everybody who may sign in')).action(async (flags: CallFlags) => {
    const answer = await callMethod(flags, 'users.list', {});
    if (flags.json) {
      printJson({ users: answer.users });
      return;
    }
    const { renderTable } = await import('../render/table.ts');
    const rows = answer.users.map((u) => [u.id, u.name, u.role, u.oidc ? 'OIDC' : 'password', u.last_seen_at]);
    print(renderTable(['id', 'name', 'role', 'signs in by', 'last seen'], rows));
  });

  withUrl(
    withCallFlags(
      users
        .command('create')
        .description('add a user; prints a link by which they choose their password')
        .requiredOption('--name <name>', 'what they sign in as')
        .addOption(role().default('viewer')),
    ),
  ).action(async (flags: LinkFlags & { name: string; role: Role }) => {
    const answer = await callMethod(flags, 'users.create', { name: flags.name, role: flags.role });
    if (flags.json) printJson(answer);
    else if (answer.link) printLink(answer.link, flags);
  });

  withCallFlags(
    users
      .command('update')
      .description('change what a user is called or may do')
      .argument('<name>', 'whom')
      .option('--name <name>', 'what they sign in as from now on')
      .addOption(role()),
  ).action(async (whom: string, flags: CallFlags & { name?: string; role?: Role }) => {
    const answer = await callMethod(flags, 'users.update', {
      id: await idOf(whom, flags),
      ...(flags.name !== undefined && { name: flags.name }),
      ...(flags.role !== undefined && { role: flags.role }),
    });
    if (flags.json) printJson(answer);
    else say(`${answer.user.name} is ${answer.user.role === 'viewer' ? 'a' : 'an'} ${answer.user.role}.`);
  });

  withCallFlags(
    users.command('delete').description('remove a user; their sessions end now').argument('<name>', 'whom'),
  ).action(async (whom: string, flags: CallFlags) => {
    const answer = await callMethod(flags, 'users.delete', { id: await idOf(whom, flags) });
    if (flags.json) printJson(answer);
    else say(`${whom} is removed.`);
  });

  withUrl(
    withCallFlags(
      users
        .command('link')
        .description('a one-time link that sets a password; without --name the first user’s, while there is none')
        .option('--name <name>', 'who has lost the password'),
    ),
  ).action(async (flags: LinkFlags & { name?: string }) => {
    const { link } = await callMethod(flags, 'users.link', flags.name === undefined ? {} : { name: flags.name });
    if (flags.json) printJson({ link });
    else printLink(link, flags);
  });
}

function printLink(link: Link, { url, server }: LinkFlags): void {
  const base = publicUrl({ SOUNDINGS_URL: url }) ?? publicUrl(environment) ?? server ?? 'http://127.0.0.1:8080';
  print(`${base.replace(/\/+$/, '')}${link.path}`);
  say('It works once, for an hour.');
}

/** People know names; the API knows ids, which do not change. */
async function idOf(name: string, flags: CallFlags): Promise<number> {
  const { users } = await callMethod(flags, 'users.list', {});
  const found = users.find((user) => user.name.toLowerCase() === name.toLowerCase());
  if (found) return found.id;
  throw new ConnectorError(
    'user_not_found',
    `There is no user “${name}”; "soundings users list" shows which there are.`,
  );
}
