import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConnectorError, EXIT_CODES } from '../../protocol/errors.ts';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson, say } from '../context.ts';
import { readText, readToken, type TokenFlags } from '../token.ts';

interface SettingFlags {
  readonly url?: string;
  readonly proxyUrl?: string;
  readonly caCertificate?: string;
  readonly clientCertificate?: string;
  readonly include?: string[];
  readonly exclude?: string[];
  readonly projects?: string[];
  readonly schedule?: string;
  readonly access?: 'admin' | 'browse';
  readonly maxConcurrency?: number;
  readonly auditHours?: number;
  readonly listedEndpointsOnly?: boolean;
  readonly unset?: string[];
}

interface ChangeFlags extends CallFlags, SettingFlags, TokenFlags {
  readonly name?: string;
  readonly label?: string;
  readonly expires?: string;
  readonly clientKey?: string;
}

export function define(connections: Command): void {
  withCallFlags(connections.command('list').description('every connection')).action(listCommand);
  withCallFlags(
    connections
      .command('info')
      .description('one connection with its settings')
      .argument('<id>', 'which one', idArgument),
  ).action(async (id: number, flags: CallFlags) => {
    printJson(await callMethod(flags, 'connections.info', { id }));
  });
  withCallFlags(
    withSecretFlags(
      withSettingFlags(
        connections
          .command('create')
          .description('verify a server and a token, then store both')
          .requiredOption('--url <url>', 'address of the server, as in a browser, with its context path'),
      ),
    )
      .option('--name <text>', 'what it is called (default: the host)')
      .option('--label <text>', 'what its first credential is called')
      .option('--expires <date>', "the token's end, as YYYY-MM-DD, where the server does not tell it"),
  ).action(createCommand);
  withCallFlags(
    connections
      .command('create-sample')
      .alias('create_sample')
      .description('a connection to the bundled sample, to try things out without a server'),
  ).action(async (flags: CallFlags) => {
    const answer = await callMethod(flags, 'connections.create_sample', {});
    if (flags.json) printJson(answer);
    else say(`Connection ${answer.connection.id} to the sample is made.`);
  });
  withCallFlags(
    withSecretFlags(
      withSettingFlags(
        connections
          .command('update')
          .description('change settings; they are verified before they are stored')
          .argument('<id>', 'which one', idArgument)
          .option('--url <url>', 'another address of the server; the token must be given again'),
      ),
    )
      .option('--name <text>', 'what it is called')
      .option('--unset <setting...>', 'settings to take away, by their names'),
  ).action(updateCommand);
  withCallFlags(
    connections
      .command('disable')
      .description('stop all syncs of a connection')
      .argument('<id>', 'which one', idArgument)
      .option('--reason <text>', 'why'),
  ).action(async (id: number, flags: CallFlags & { reason?: string }) => {
    const reason = flags.reason === undefined ? {} : { reason: flags.reason };
    shown(flags, await callMethod(flags, 'connections.disable', { id, ...reason }), `Connection ${id} is disabled.`);
  });
  withCallFlags(
    connections.command('enable').description('let it be synced again').argument('<id>', 'which one', idArgument),
  ).action(async (id: number, flags: CallFlags) => {
    shown(flags, await callMethod(flags, 'connections.enable', { id }), `Connection ${id} is enabled.`);
  });
  withCallFlags(
    connections
      .command('delete')
      .description('forget a connection and its secrets; its data stays')
      .argument('<id>', 'which one', idArgument)
      .option('--purge-data', 'remove everything that was read from it, too'),
  ).action(async (id: number, flags: CallFlags & { purgeData?: boolean }) => {
    const answer = await callMethod(flags, 'connections.delete', { id, purge_data: flags.purgeData ?? false });
    shown(flags, answer, `Connection ${id} is deleted${flags.purgeData ? ' with its data' : '; its data stays'}.`);
  });
  withCallFlags(
    connections
      .command('verify')
      .description('ask the server whether a stored credential may read what is needed')
      .argument('<id>', 'which one', idArgument)
      .option('--credential <id>', 'which of its credentials', idArgument),
  ).action(verifyCommand);
}

function withSettingFlags(command: Command): Command {
  return command
    .option('--proxy-url <url>', 'proxy for this server')
    .option('--ca-certificate <file>', 'certificate authority of the server, as PEM')
    .option('--client-certificate <file>', 'certificate to show to the server, as PEM')
    .option('--include <pattern...>', 'only projects whose key matches; * and ? are wildcards')
    .option('--exclude <pattern...>', 'no projects whose key matches')
    .option('--projects <key...>', 'with access browse: the projects to read')
    .option('--schedule <text>', '“every 1 h”, “manual”, or cron with a time zone')
    .addOption(
      new Option('--access <kind>', 'browse: the token need not list all projects').choices(['admin', 'browse']),
    )
    .option('--max-concurrency <n>', 'requests in flight at once', number)
    .option('--audit-hours <n>', 'look again after so long for what no date shows; 0 never', number)
    .option('--listed-endpoints-only', 'never ask system/status, not even to explain a failure');
}

export function withSecretFlags(command: Command): Command {
  return command
    .option('--token-file <file>', 'file that holds the token (default: SOUNDINGS_TOKEN, or typed at a prompt)')
    .option('--client-key <file>', 'key of the client certificate, as PEM');
}

async function settingsFrom(flags: SettingFlags): Promise<Record<string, unknown>> {
  const { caCertificate, clientCertificate } = flags;
  return {
    ...Object.fromEntries((flags.unset ?? []).map((name) => [name, null])),
    ...(flags.url !== undefined && { base_url: flags.url }),
    ...(flags.proxyUrl !== undefined && { proxy_url: flags.proxyUrl }),
    ...(caCertificate !== undefined && { ca_certificate: await readText(caCertificate, '--ca-certificate') }),
    ...(clientCertificate !== undefined && {
      client_certificate: await readText(clientCertificate, '--client-certificate'),
    }),
    ...(flags.include && { include: flags.include }),
    ...(flags.exclude && { exclude: flags.exclude }),
    ...(flags.projects && { projects: flags.projects }),
    ...(flags.schedule !== undefined && { schedule: flags.schedule }),
    ...(flags.access !== undefined && { access: flags.access }),
    ...(flags.maxConcurrency !== undefined && { max_concurrency: flags.maxConcurrency }),
    ...(flags.auditHours !== undefined && { audit_hours: flags.auditHours }),
    ...(flags.listedEndpointsOnly !== undefined && { listed_endpoints_only: flags.listedEndpointsOnly }),
  };
}

export async function clientKeyFrom({ clientKey }: { clientKey?: string }): Promise<{ client_key?: string }> {
  return clientKey === undefined ? {} : { client_key: await readText(clientKey, '--client-key') };
}

async function listCommand(flags: CallFlags): Promise<void> {
  const { connections } = await callMethod(flags, 'connections.list', {});
  if (flags.json) {
    printJson({ connections });
    return;
  }
  const { renderTable } = await import('../render/table.ts');
  const rows = connections.map((c) => [c.id, c.type, c.name, c.disabled_at ? 'disabled' : c.state, c.last_synced_at]);
  print(renderTable(['id', 'type', 'name', 'state', 'last synced'], rows));
  for (const { id, warnings } of connections) for (const warning of warnings) say(`Connection ${id}: ${warning}`);
}

async function createCommand(flags: ChangeFlags): Promise<void> {
  const settings = await settingsFrom(flags);
  const secrets = { api_token: await readToken(flags), ...(await clientKeyFrom(flags)) };
  const answer = await callMethod(flags, 'connections.create', {
    settings: { ...settings, base_url: flags.url ?? '' },
    secrets,
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.label !== undefined && { label: flags.label }),
    ...(flags.expires !== undefined && { expiration_date: flags.expires }),
  });
  const { connection, verification } = answer;
  shown(flags, answer, `Connection ${connection.id} (${connection.name}) is made. ${verification.message}`);
  for (const warning of verification.warnings) say(`Warning: ${warning}`);
}

async function updateCommand(id: number, flags: ChangeFlags): Promise<void> {
  const settings = await settingsFrom(flags);
  const entered = {
    ...(flags.tokenFile !== undefined && { api_token: await readToken(flags) }),
    ...(await clientKeyFrom(flags)),
  };
  if (Object.keys(settings).length + Object.keys(entered).length === 0 && flags.name === undefined) {
    throw new ConnectorError('invalid_arguments', 'There is nothing to change; --help shows what can be.');
  }
  const answer = await callMethod(flags, 'connections.update', {
    id,
    settings,
    ...(flags.name !== undefined && { name: flags.name }),
    ...(Object.keys(entered).length > 0 && { secrets: entered }),
  });
  shown(flags, answer, `Connection ${id} is changed.`);
}

async function verifyCommand(id: number, flags: CallFlags & { credential?: number }): Promise<void> {
  const { verification } = await callMethod(flags, 'connections.verify', {
    id,
    ...(flags.credential !== undefined && { credential_id: flags.credential }),
  });
  if (flags.json) printJson({ verification });
  else {
    const { renderTable } = await import('../render/table.ts');
    print(
      renderTable(
        ['step', 'state', ''],
        verification.steps.map((one) => [one.step, one.state, one.message]),
      ),
    );
    print(verification.message);
  }
  for (const warning of verification.warnings) say(`Warning: ${warning}`);
  if (verification.outcome !== 'verified') {
    say(`Try it by hand: ${verification.curl}`);
    process.exitCode = EXIT_CODES[verification.outcome];
  }
}

/** The answer as JSON on stdout, or a sentence on stderr. */
export function shown(flags: CallFlags, answer: unknown, sentence: string): void {
  if (flags.json) printJson(answer);
  else say(sentence);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}
