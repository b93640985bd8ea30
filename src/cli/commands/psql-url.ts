import { once } from 'node:events';
import type { Command } from 'commander';
import type { StoreFlags } from '../../app/config.ts';
import { ConnectorError } from '../../protocol/errors.ts';
import { print, say, stopSignal, storeOf, withStoreFlags } from '../context.ts';

interface PsqlUrlFlags extends StoreFlags {
  readonly hold?: boolean;
  readonly owner?: boolean;
}

export function define(command: Command): void {
  withStoreFlags(
    command
      .option('--hold', 'keep the database running until Ctrl-C')
      .option('--owner', 'as the owner, who may write, instead of the read-only login'),
  ).action(runPsqlUrlCommand);
}

async function runPsqlUrlCommand(flags: PsqlUrlFlags): Promise<void> {
  const { withStore } = await import('../../app/store.ts');
  const store = storeOf(flags);
  if ('url' in store) {
    throw new ConnectorError(
      'invalid_arguments',
      'psql-url is for the embedded database; with --database, connect to that URL yourself.',
    );
  }
  await withStore(store, say, async ({ database }) => {
    await (await database.openQuery()).close(); // grants the read-only login what has been added since
    const login = flags.owner ? database.logins?.owner : database.logins?.query;
    if (!login) throw new ConnectorError('unexpected', 'The embedded database has no login.');
    const { user, password, host, port, database: name } = login;
    print(`postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`);
    if (!flags.hold) {
      say(
        'This address holds a password. It answers while any soundings process uses the data folder; --hold keeps it up.',
      );
      return;
    }
    say('The database runs until Ctrl-C.');
    const signal = stopSignal();
    const alive = setInterval(() => undefined, 60_000);
    if (!signal.aborted) await once(signal, 'abort');
    clearInterval(alive);
  });
}
