import { once } from 'node:events';
import { InvalidArgumentError, type Command } from 'commander';
import { publicUrl } from '../../app/oidc-config.ts';
import { backgroundConfig, serviceConfig, type BackgroundFlags, type StoreFlags } from '../../app/config.ts';
import type { Service } from '../../app/service.ts';
import { environment, print, stopSignal, watchOptions, withStoreFlags } from '../context.ts';

interface ServeFlags extends StoreFlags, BackgroundFlags {
  readonly worker: boolean;
  readonly port: number;
  readonly host: string;
  readonly trustProxy?: boolean;
  readonly rateLimit?: number;
}

export function define(command: Command): void {
  withStoreFlags(
    command
      .option('--port <n>', 'port to listen on; 0: a free one', wholeNumber(0, 65535), 8080)
      .option('--host <address>', 'address to listen on; 0.0.0.0: every one of this machine', '127.0.0.1')
      .option('--trust-proxy', 'a proxy stands in front and names the callers in X-Forwarded-For')
      .option('--rate-limit <n>', 'requests a minute from one address (default: 1200)', wholeNumber(1, 1e9))
      .option('--no-worker', 'sync nothing in this process: others are run by "soundings worker"')
      .option('--slots <n>', 'runs that its worker is at work on at a time (default: 4)', wholeNumber(1, 64))
      .option(
        '--keep-runs <days>',
        'days that runs are kept (default: SOUNDINGS_KEEP_RUNS_DAYS, or 90)',
        wholeNumber(1, 99_999),
      ),
  ).action(runServeCommand);
}

async function runServeCommand(flags: ServeFlags): Promise<void> {
  const [{ withServiceOnceThere }, { background }, { startServer }, { watch }, { watchRoutes }] = await Promise.all([
    import('../../app/service.ts'),
    import('../../app/background.ts'),
    import('../../api/server.ts'),
    import('../../observe/observer.ts'),
    import('../../observe/routes.ts'),
  ]);
  const signal = stopSignal();
  const { poolSize, ...settings } = backgroundConfig(flags, environment);
  const config = serviceConfig(flags, environment, process.getuid?.() === 0);
  const observer = await watch(watchOptions());
  const serving = async (service: Service): Promise<void> => {
    const server = await startServer({
      service,
      logger: observer.log,
      plugins: [watchRoutes(observer.metrics)],
      host: flags.host,
      port: flags.port,
      trustProxy: flags.trustProxy ?? false,
      ...(flags.rateLimit !== undefined && { rateLimit: flags.rateLimit }),
    });
    const going = background(service, { worker: flags.worker, ...settings });
    try {
      print(`Soundings runs at ${server.url}`);
      await welcome(service, publicUrl(environment) ?? server.url);
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await Promise.all([going.close(), server.close()]);
    }
  };
  await withServiceOnceThere({ ...config, store: { ...config.store, poolSize } }, { signal, observer }, serving);
}

/** While there is no user, the way to make the first one. */
async function welcome(service: Service, url: string): Promise<void> {
  const { hasUsers, link } = await import('../../app/users.ts');
  if (await hasUsers(service)) return;
  const { path } = await link(service, { name: 'soundings', address: null }, null);
  print(`Nobody can sign in yet. This link makes the first user, once, within an hour:\n${url}${path}`);
}

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}
