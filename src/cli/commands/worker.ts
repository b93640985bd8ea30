import { once } from 'node:events';
import type { Command } from 'commander';
import { backgroundConfig, serviceConfig, type BackgroundFlags, type StoreFlags } from '../../app/config.ts';
import { environment, print, stopSignal, watchOptions, withStoreFlags } from '../context.ts';
import { wholeNumber } from './serve.ts';

export function define(command: Command): void {
  withStoreFlags(
    command
      .option('--slots <n>', 'runs that it is at work on at a time (default: 4)', wholeNumber(1, 64))
      .option(
        '--keep-runs <days>',
        'days that runs are kept (default: SOUNDINGS_KEEP_RUNS_DAYS, or 90)',
        wholeNumber(1, 99_999),
      ),
  ).action(runWorkerCommand);
}

async function runWorkerCommand(flags: StoreFlags & BackgroundFlags): Promise<void> {
  const [{ withServiceOnceThere }, { background }, { watch }] = await Promise.all([
    import('../../app/service.ts'),
    import('../../app/background.ts'),
    import('../../observe/observer.ts'),
  ]);
  const signal = stopSignal();
  const { poolSize, ...settings } = backgroundConfig(flags, environment);
  const config = serviceConfig(flags, environment, process.getuid?.() === 0);
  const observer = await watch(watchOptions());
  await withServiceOnceThere(
    { ...config, store: { ...config.store, poolSize } },
    { signal, observer },
    async (service) => {
      const going = background(service, { worker: true, ...settings });
      print(`Worker ${going.name} runs.`);
      if (!signal.aborted) await once(signal, 'abort');
      await going.close();
    },
  );
}
