import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { proxyConfig, type StoreFlags } from '../../app/config.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { environment, printJson, say, stopSignal, storeOf, withStoreFlags } from '../context.ts';

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

export function addSync(program: Command): void {
  withStoreFlags(
    program
      .command('sync')
      .description('bring everything a SonarQube Server knows into PostgreSQL, or what changed since the last time')
      .requiredOption('--url <url>', 'address of the server, as in a browser, with its context path')
      .option('--token-file <file>', 'file that holds the token (default: SOUNDINGS_TOKEN, or typed at a prompt)')
      .option('--token <token>', 'the token itself; other users of this machine can read it in the process list')
      .option('--full', 'read everything again and count what had been missed')
      .option('--project <pattern...>', 'only projects whose key matches; * and ? are wildcards')
      .option('--exclude <pattern...>', 'no projects whose key matches')
      .option('--audit-hours <n>', 'look again after so long for what no date shows; 0 never (default: 24)', hours)
      .option('--max-concurrency <n>', 'requests in flight at once (default: 4)', positiveInteger)
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

/** The token from the first place that has one; never from standard input without a person at it. */
async function readToken(flags: SyncFlags): Promise<string> {
  const token = (await findToken(flags)).trim();
  if (token === '') throw new ConnectorError('invalid_arguments', `The token is empty; ${MAKE_TOKEN}`);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConnectorError(
      'invalid_arguments',
      'The token holds characters that no token has (blanks, line ends, non-ASCII); copy it again.',
    );
  }
  return token;
}

const MAKE_TOKEN =
  'make one of type User in SonarQube under My Account > Security and give it by SOUNDINGS_TOKEN or --token-file.';

async function findToken(flags: SyncFlags): Promise<string> {
  if (flags.token !== undefined) {
    say(
      'Warning: a token in an argument can be read by other users of this machine; prefer SOUNDINGS_TOKEN or --token-file.',
    );
    return flags.token;
  }
  if (flags.tokenFile !== undefined) return readText(flags.tokenFile, '--token-file');
  if (environment.SOUNDINGS_TOKEN !== undefined) return environment.SOUNDINGS_TOKEN;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new ConnectorError('invalid_arguments', `There is no token; ${MAKE_TOKEN}`);
  }
  const { password, isCancel } = await import('@clack/prompts');
  const typed = await password({
    message: 'SonarQube token (type User, from My Account > Security)',
    output: process.stderr,
  });
  if (isCancel(typed)) throw new ConnectorError('cancelled', 'No token was entered.');
  return typed;
}

async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConnectorError(
      'invalid_arguments',
      `The file ${file} given by ${flag} cannot be read (${String((cause as NodeJS.ErrnoException).code)}); check its name and permissions.`,
      { cause },
    );
  }
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
