import type { Command } from 'commander';
import type { StoreFlags } from '../../app/config.ts';
import type { ConnectionStatus } from '../../app/status.ts';
import { print, printJson, say, storeOf, withStoreFlags } from '../context.ts';

interface StatusFlags extends StoreFlags {
  readonly json?: boolean;
  readonly all?: boolean;
}

/** Complete rows shown before the rest is only counted; incomplete ones are always shown. */
const MOST_ROWS = 200;

export function define(command: Command): void {
  withStoreFlags(command.option('--all', 'show every row').option('--json', 'print as JSON')).action(runStatusCommand);
}

async function runStatusCommand(flags: StatusFlags): Promise<void> {
  const [{ status }, { withStore }, { renderTable }] = await Promise.all([
    import('../../app/status.ts'),
    import('../../app/store.ts'),
    import('../render/table.ts'),
  ]);
  const connections = await withStore(storeOf(flags), say, status);
  if (flags.json) {
    printJson(connections);
    return;
  }
  if (connections.length === 0) {
    print('Nothing is synced yet; begin with: soundings sync --url https://sonar.example.com');
    return;
  }
  for (const connection of connections) {
    print(headline(connection));
    const short = connection.ledger.filter((row) => row.state !== 'complete');
    const complete = connection.ledger.filter((row) => row.state === 'complete');
    const shown = flags.all ? complete : complete.slice(0, Math.max(0, MOST_ROWS - short.length));
    const rows = [...short, ...shown].map((row) => [
      row.project === '' ? '(all)' : row.project,
      row.stream,
      row.server_total,
      row.present,
      row.kept,
      row.state,
      row.checked_at,
      row.reason,
    ]);
    print(renderTable(['project', 'stream', 'server', 'here', 'kept', 'state', 'checked', 'why'], rows));
    if (shown.length < complete.length)
      print(`… and ${complete.length - shown.length} more that are complete; --all shows them.`);
    print('');
  }
}

function headline({ name, base_url, last_synced_at, last_run, complete }: ConnectionStatus): string {
  const synced = last_synced_at === null ? 'never synced to the end' : `last synced ${last_synced_at}`;
  const run =
    last_run === null
      ? ''
      : `, last run ${last_run.state}${last_run.error_message === null ? '' : ` (${last_run.error_message})`}`;
  return `${name} (${base_url}): ${complete ? 'complete' : 'not complete'}, ${synced}${run}`;
}
