/** What every command shares: where the data is, what the environment says, where text goes. */
import { Option, type Command } from 'commander';
import {
  parseEnvironment,
  storeConfig,
  watchConfig,
  type Environment,
  type StoreConfig,
  type StoreFlags,
  type WatchConfig,
} from '../app/config.ts';

export const environment: Environment = parseEnvironment(process.env);

/** `--data-dir`, `--database` and `--schema`, which every command accepts. */
export function withStoreFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--data-dir <folder>',
        'folder of the embedded database (default: SOUNDINGS_DATA_DIR, or the XDG data folder)',
      ),
    )
    .addOption(
      new Option(
        '--database <url>',
        'a PostgreSQL 15 or later of your own instead, as postgres://… (default: SOUNDINGS_DATABASE)',
      ),
    )
    .addOption(new Option('--schema <name>', 'schema for the tables, with --database (default: public)'));
}

export function storeOf(flags: StoreFlags): StoreConfig {
  return storeConfig(flags, environment, process.getuid?.() === 0);
}

/** A line for people, on stderr: stdout carries results alone. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** How `serve` and `worker` write their log: to stderr. */
export function watchOptions(): WatchConfig & { write: (line: string) => void } {
  return {
    ...watchConfig(environment, process.stderr.isTTY),
    write: (line) => process.stderr.write(line),
  };
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/** Aborted by Ctrl-C and SIGTERM; a second Ctrl-C ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(130);
    asked = true;
    say('\nStopping after what is being written; press Ctrl-C again to end at once.');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}
