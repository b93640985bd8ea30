import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Methods } from '../../api/client.ts';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson, say } from '../context.ts';

type Run = Methods['runs.info']['output']['run'];
type Input = Methods['runs.list']['input'];

interface ListFlags extends CallFlags {
  readonly connection?: number;
  readonly state?: NonNullable<Input['state']>;
  readonly cursor?: number;
  readonly limit?: number;
}

const STATES = ['queued', 'running', 'complete', 'partly_failed', 'failed', 'cancelled'];

export function define(runs: Command): void {
  withCallFlags(
    runs
      .command('list')
      .description('runs, newest first')
      .option('--connection <id>', 'of one connection', idArgument)
      .addOption(new Option('--state <state>', 'only those').choices(STATES))
      .option('--cursor <id>', 'go on from here', idArgument)
      .option('--limit <n>', 'so many at most (default: 100)', limit),
  ).action(listCommand);
  withCallFlags(
    runs.command('info').description('one run with its progress, as JSON').argument('<id>', 'which one', idArgument),
  ).action(async (id: number, flags: CallFlags) => {
    printJson(await callMethod(flags, 'runs.info', { id }));
  });
}

async function listCommand({ connection, state, cursor, limit: most, ...flags }: ListFlags): Promise<void> {
  const answer = await callMethod(flags, 'runs.list', {
    ...(connection !== undefined && { connection_id: connection }),
    ...(state !== undefined && { state }),
    ...(cursor !== undefined && { cursor }),
    ...(most !== undefined && { limit: most }),
  });
  if (flags.json) {
    printJson(answer);
    return;
  }
  const { renderTable } = await import('../render/table.ts');
  const rows = answer.runs.map((run) => [
    run.id,
    run.connection_id,
    run.trigger,
    run.mode,
    run.state,
    run.started_at ?? run.queued_at,
    run.progress.requests,
    changed(run),
    run.error?.message ?? '',
  ]);
  print(renderTable(['id', 'connection', 'trigger', 'mode', 'state', 'began', 'requests', 'rows', 'why'], rows));
  if (answer.next_cursor !== null) say(`There are more: --cursor ${answer.next_cursor}`);
}

const changed = ({ progress }: Run): number =>
  Object.values(progress.streams).reduce((sum, { added, changed: other, gone }) => sum + added + other + gone, 0);

/** One line of how a run stands. */
export function runLine(run: Run): string {
  const { id, state, progress, error, shortfalls } = run;
  const did = `${changed(run).toLocaleString('en')} rows added, changed or marked gone, ${progress.requests.toLocaleString('en')} requests`;
  const short = shortfalls.length === 0 ? '' : `; ${shortfalls.length} of its parts are not complete`;
  return `Run ${id} is ${state.replace('_', ' ')}: ${did}${short}${error ? `. ${error.message}` : '.'}`;
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 500)
    throw new InvalidArgumentError('It must be a whole number from 1 to 500.');
  return value;
}
