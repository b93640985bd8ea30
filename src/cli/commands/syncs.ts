import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Methods } from '../../api/client.ts';
import { EXIT_CODES, type ErrorCode } from '../../protocol/errors.ts';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { printJson, say, stopSignal } from '../context.ts';
import { runLine } from './runs.ts';
import { shown } from './connections.ts';

type Run = Methods['runs.info']['output']['run'];

interface StartFlags extends CallFlags {
  readonly id: number;
  readonly full?: boolean;
  readonly wait?: boolean;
}

const LOOK_EVERY_MS = 1000;

export function define(syncs: Command): void {
  withCallFlags(
    syncs
      .command('start')
      .description('queue a sync of a connection for "soundings serve" or a worker to do')
      .requiredOption('--id <connection>', 'of which connection', idArgument)
      .option('--full', 'read everything again and count what had been missed')
      .option('--wait', 'come back when it has ended, with its outcome as exit code'),
  ).action(startCommand);
  withCallFlags(
    syncs
      .command('cancel')
      .description('ask for the end of a run; what it has stored stays')
      .requiredOption('--id <run>', 'which run', idArgument),
  ).action(async (flags: CallFlags & { id: number }) => {
    const answer = await callMethod(flags, 'syncs.cancel', { id: flags.id });
    const sentence =
      answer.run.state === 'running'
        ? `Run ${flags.id} ends as soon as its workers have heard of it.`
        : `Run ${flags.id} has ended: ${answer.run.state}.`;
    shown(flags, answer, sentence);
  });
}

async function startCommand(flags: StartFlags): Promise<void> {
  const answer = await callMethod(flags, 'syncs.start', { connection_id: flags.id, full: flags.full ?? false });
  if (!flags.wait) {
    shown(flags, answer, `Run ${answer.run.id} of connection ${flags.id} waits for a worker.`);
    return;
  }
  const run = await ended(flags, answer.run.id);
  if (flags.json) printJson({ run });
  say(runLine(run));
  process.exitCode = exitCodeOf(run);
}

/** The run once it has ended; told every few seconds meanwhile. Ctrl-C ends the waiting, not the run. */
async function ended(flags: CallFlags, id: number): Promise<Run> {
  const signal = stopSignal();
  const { progressView } = await import('../render/progress.ts');
  const view = progressView(process.stderr);
  try {
    for (;;) {
      const { run } = await callMethod(flags, 'runs.info', { id });
      if (run.state !== 'queued' && run.state !== 'running') return run;
      if (signal.aborted) return run;
      if (run.state === 'running') view.show(run.progress);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    view.close();
  }
}

function exitCodeOf({ state, error }: Run): number {
  if (state === 'complete') return 0;
  if (error && error.code in EXIT_CODES) return EXIT_CODES[error.code as ErrorCode];
  return state === 'partly_failed' ? EXIT_CODES.partly_failed : EXIT_CODES.cancelled;
}
