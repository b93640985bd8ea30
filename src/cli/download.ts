/** A download for the command line: from a running server with `--server`, else made in this process on the store. */
import { Readable } from 'node:stream';
import { ApiError } from '../api/client.ts';
import { routeOf } from '../api/routes.ts';
import { serviceConfig } from '../app/config.ts';
import { ConnectorError } from '../protocol/errors.ts';
import { localCaller, ofServer, serverOf, type CallFlags } from './call.ts';
import { environment, say, stopSignal } from './context.ts';

export interface ExportInput {
  readonly sql?: string;
  readonly table?: string;
  readonly format: 'csv' | 'json' | 'parquet';
  readonly timeout_seconds: number;
}

/** Gives the bytes of `query.export` to `use`; a failure, also in the middle, is thrown. */
export async function withExport(
  flags: CallFlags,
  input: ExportInput,
  use: (body: Readable) => Promise<void>,
): Promise<void> {
  const signal = stopSignal();
  if (flags.server !== undefined) {
    await use(await ofRunningServer(flags.server, flags, input, signal));
    return;
  }
  const [{ withService }, { DOWNLOADS, open }] = await Promise.all([
    import('../app/service.ts'),
    import('../api/downloads.ts'),
  ]);
  const download = DOWNLOADS.find(({ name }) => name === 'query.export');
  if (!download) throw new Error('there is no query.export');
  const config = serviceConfig(flags, environment, process.getuid?.() === 0);
  await withService(config, say, async (service) => {
    const file = await open(download, { service, caller: localCaller(), signal }, { ...input });
    await use(file.body);
  });
}

async function ofRunningServer(
  server: string,
  flags: CallFlags,
  input: ExportInput,
  signal: AbortSignal,
): Promise<Readable> {
  const { baseUrl, token } = serverOf(server, flags);
  const { verb, path } = routeOf('query.export');
  const response = await fetch(`${baseUrl}${path}`, {
    method: verb,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(input),
    signal,
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectorError(
      'internal_server_error',
      `The Soundings server does not answer (${reason}); check that it runs.`,
      { cause },
    );
  });
  if (response.ok && response.body) return brokenOff(Readable.fromWeb(response.body));
  const { error, message, details } = (await response.json().catch(() => ({}))) as {
    error?: string;
    message?: string;
    details?: Record<string, unknown>;
  };
  const text = message ?? `The Soundings server answers with ${response.status}.`;
  throw ofServer(new ApiError(error ?? 'unexpected', text, response.status, details));
}

/** A connection that ends early is all that a server can say once the first bytes are sent. */
function brokenOff(body: Readable): Readable {
  return Readable.from(
    (async function* () {
      try {
        yield* body;
      } catch (cause) {
        throw new ConnectorError(
          'internal_server_error',
          'The download broke off before its end: the query failed, took too long, or the server stopped. Its log says which.',
          { cause },
        );
      }
    })(),
    { objectMode: false },
  );
}
