import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConnectorError } from '../../protocol/errors.ts';
import { withServerFlag, type CallFlags } from '../call.ts';
import { say } from '../context.ts';
import { withExport } from '../download.ts';

const FORMATS = ['csv', 'json', 'parquet'] as const;
type FormatName = (typeof FORMATS)[number];

interface ExportFlags extends CallFlags {
  readonly format?: FormatName;
  readonly out?: string;
  readonly timeout: number;
}

export function define(command: Command): void {
  withServerFlag(
    command
      .argument(
        '<what>',
        'a table (issues, sonarqube_issues), a statement in SQL, or - to read one from standard input',
      )
      .addOption(
        new Option('--format <format>', 'of the file (default: the ending of --out, else csv)').choices(FORMATS),
      )
      .option('--out <file>', 'where to; without it to standard output')
      .option('--timeout <seconds>', 'give up after this long', seconds, 600),
  ).action(runExport);
}

async function runExport(what: string, flags: ExportFlags): Promise<void> {
  const format = flags.format ?? formatOf(flags.out);
  if (flags.out === undefined && format === 'parquet' && process.stdout.isTTY) {
    throw new ConnectorError(
      'invalid_arguments',
      'A Parquet file is no text for a terminal; give --out, or send standard output to a file.',
    );
  }
  const text = what === '-' ? await readAll(process.stdin) : what;
  const input = {
    // a name alone can be no statement
    ...(/^\w+$/.test(text.trim()) ? { table: text.trim() } : { sql: text }),
    format,
    timeout_seconds: flags.timeout,
  };
  await withExport(flags, input, (body) =>
    flags.out === undefined ? toStandardOutput(body) : toFile(body, flags.out),
  );
}

function formatOf(file: string | undefined): FormatName {
  if (file === undefined) return 'csv';
  const ending = extname(file).slice(1).toLowerCase();
  const format = FORMATS.find((one) => one === ending);
  if (format) return format;
  throw new ConnectorError(
    'invalid_arguments',
    `The ending of ${file} names no format; give --format, one of ${FORMATS.join(', ')}.`,
  );
}

async function toStandardOutput(body: Readable): Promise<void> {
  try {
    await pipeline(body, process.stdout, { end: false });
  } catch (error) {
    // "| head" has read what it wanted
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** Whole or not at all: the file gets its name when its last byte is written. */
async function toFile(body: Readable, file: string): Promise<void> {
  const part = join(dirname(file), `.${process.pid}.soundings-part`);
  try {
    await pipeline(body, createWriteStream(part, { flags: 'wx' }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof ConnectorError || !/^E[A-Z]+$/.test(code ?? '')) throw error;
    throw new ConnectorError('invalid_arguments', `${file} cannot be written (${message}); choose another --out.`, {
      cause: error,
    });
  }
  say(`Wrote ${file}.`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0.1 || value > 3600)
    throw new InvalidArgumentError('It must be a number of seconds from 0.1 to 3600.');
  return value;
}
