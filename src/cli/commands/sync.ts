import { InvalidArgumentError, type Command } from 'commander';
import { proxyConfig, type StoreFlags } from '../../app/config.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { environment, printJson, say, stopSignal, storeOf, withStoreFlags } from '../context.ts';
import { readText, readToken } from '../token.ts';

interface SyncFlags extends StoreFlags {
  readonly url: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly full?: boolean;
  readonly project?: readonly string[];
  readonly exclude?: readonly string[];
  readonly maxConcurrency?: number;
  readonly auditHours?: number;
  readonly listedEndpointsOnly?: boolean;
  readonly strict?: boolean;
  readonly proxy?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withStoreFlags(
    command
      .requiredOption('--url <url>', 'address of the server, as in a browser, with its context path')
      .option('--token-file <file>', 'file that holds the token (default: SOUNDINGS_TOKEN, or typed at a prompt)')
      .option('--token <token>', 'the token itself; other users of this machine can read it in the process list')
      .option('--full', 'read everything again and count what had been missed')
      .option('--project <pattern...>', 'only projects whose key matches; * and ? are wildcards')
      .option('--exclude <pattern...>', 'no projects whose key matches')
      .option('--audit-hours <n>', 'look again after so long for what no date shows; 0 never (default: 24)', hours)
      .option(
        '--max-concurrency <n>',
        'requests in flight at most; how many depends on the server (default: 8)',
        positiveInteger,
      )
      .option('--proxy <url>', 'proxy for the server (default: HTTPS_PROXY or HTTP_PROXY)')
      .option('--ca <file>', 'certificate authority of the server, as PEM')
      .option('--listed-endpoints-only', 'never ask system/status, not even to explain a failure')
      .option('--strict', 'projects that the token may not read count as a failure too')
      .option('--json', 'print the report as JSON'),
  ).action(runSyncCommand);
}

async function runSyncCommand(flags: SyncFlags): Promise<void> {
  const [{ sync }, { withStore }, { parseBaseUrl }, { progressView }, { renderReport, exitCode }] = await Promise.all([
    import('../../app/sync.ts'),
    import('../../app/store.ts'),
    import('../../app/base-url.ts'),
    import('../render/progress.ts'),
    import('../render/report.ts'),
  ]);
  const baseUrl = parseBaseUrl(flags.url);
  const store = storeOf(flags);
  const token = await readToken(flags);
  const ca = flags.ca === undefined ? undefined : await readText(flags.ca, '--ca');
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new ConnectorError(
      'invalid_arguments',
      `The file ${flags.ca ?? ''} given by --ca holds no certificate; it must be in PEM form (-----BEGIN CERTIFICATE-----).`,
    );
  }
  const proxy = proxyConfig(flags.proxy, environment);
  const signal = stopSignal();
  const view = progressView(process.stderr);
  const report = await withStore(store, say, async (opened) => {
    try {
      return await sync(opened, {
        baseUrl,
        token,
        signal,
        onProgress: view.show,
        proxy,
        full: flags.full ?? false,
        include: flags.project ?? [],
        exclude: flags.exclude ?? [],
        listedEndpointsOnly: flags.listedEndpointsOnly ?? false,
        ...(flags.auditHours !== undefined && { auditHours: flags.auditHours }),
        ...(flags.maxConcurrency !== undefined && { maxConcurrency: flags.maxConcurrency }),
        ...(ca !== undefined && { ca }),
      });
    } finally {
      view.close();
    }
  });
  if (flags.json) {
    const { error, ...rest } = report;
    printJson({ ...rest, error: error && { code: error.code, message: error.message, details: error.details } });
    if (error) say(`soundings: ${error.message} [${error.code}]`);
  } else {
    renderReport(report);
  }
  process.exitCode = exitCode(report, flags.strict ?? false);
}

function hours(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It must be a number of hours, 0 or more.');
  return value;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64)
    throw new InvalidArgumentError('It must be a whole number from 1 to 64.');
  return value;
}
