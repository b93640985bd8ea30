/** Calls an API method from the command line: on a running server with `--server`, else in this process on the store. */
import { userInfo } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ApiClient, ApiError, Methods } from '../api/client.ts';
import type { MethodName } from '../api/routes.ts';
import { serviceConfig, type StoreFlags } from '../app/config.ts';
import { ConnectorError, EXIT_CODES, type ErrorCode } from '../protocol/errors.ts';
import { environment, say, stopSignal, withStoreFlags } from './context.ts';

export interface CallFlags extends StoreFlags {
  readonly server?: string;
  readonly json?: boolean;
}

/** `--server` beside the flags of the store. */
export function withServerFlag(command: Command): Command {
  return withStoreFlags(command).addOption(
    new Option('--server <url>', 'ask a running Soundings server instead; its API token by SOUNDINGS_API_TOKEN'),
  );
}

/** `--server` and `--json` beside the flags of the store. */
export function withCallFlags(command: Command): Command {
  return withServerFlag(command).addOption(new Option('--json', 'print as JSON'));
}

/** Who calls on this machine: whoever may open the store may do everything. */
export const localCaller = () => ({
  name: `command line (${userName()})`,
  address: null,
  scopes: ['admin' as const],
  userId: null,
});

/** The answer of a method; a failure is thrown. */
export async function callMethod<N extends keyof Methods & MethodName>(
  flags: CallFlags,
  name: N,
  input: Methods[N]['input'],
): Promise<Methods[N]['output']> {
  if (flags.server !== undefined) {
    const client = await clientOf(flags.server, flags);
    return client.call(name, input, { signal: stopSignal() }).catch((thrown: unknown) => {
      throw ofServer(thrown);
    });
  }
  const [{ withService }, { perform }] = await Promise.all([import('../app/service.ts'), import('../api/dispatch.ts')]);
  const caller = localCaller();
  const signal = stopSignal();
  const config = serviceConfig(flags, environment, process.getuid?.() === 0);
  return withService(config, say, async (service) => {
    const answer = await perform(service, { name, args: input, caller, address: null, signal });
    return answer as unknown as Methods[N]['output'];
  });
}

async function clientOf(server: string, flags: StoreFlags): Promise<ApiClient> {
  const { apiClient } = await import('../api/client.ts');
  return apiClient(serverOf(server, flags));
}

/** Address and token of a running server. */
export function serverOf(server: string, { dataDir, database }: StoreFlags): { baseUrl: string; token: string } {
  if (dataDir !== undefined || database !== undefined) {
    throw new ConnectorError(
      'invalid_arguments',
      '--server stands instead of --data-dir and --database; give one of them.',
    );
  }
  if (!/^https?:\/\/[^/]/.test(server)) {
    throw new ConnectorError('invalid_arguments', '--server must be a URL such as http://127.0.0.1:8080.');
  }
  const token = environment.SOUNDINGS_API_TOKEN?.trim() ?? '';
  if (token === '') {
    throw new ConnectorError(
      'not_authed',
      'There is no API token; make one with "soundings tokens create" on the machine of the server and give it by SOUNDINGS_API_TOKEN.',
    );
  }
  return { baseUrl: server.replace(/\/+$/, ''), token };
}

/** What the server answered, with the exit code of the same failure on this machine. */
export function ofServer(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('details' in thrown)) return thrown;
  const { code, message, details } = thrown as ApiError;
  if (code === 'unreachable') return new ConnectorError('internal_server_error', message, { cause: thrown });
  const known = code in EXIT_CODES ? (code as ErrorCode) : 'unexpected';
  return new ConnectorError(known, message, { details: { ...details } });
}

/** An id as an argument of a command. */
export function idArgument(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(id) && id > 0) return id;
  throw new InvalidArgumentError('It must be the number of one; "list" shows which there are.');
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown'); // a container's user need not have a name
  }
}
