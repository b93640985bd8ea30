import type { Command } from 'commander';
import { callMethod, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson } from '../context.ts';
import { shown } from './connections.ts';

export function define(keys: Command): void {
  withCallFlags(keys.command('list').description('which are held, which are needed')).action(
    async (flags: CallFlags) => {
      const { keys: found } = await callMethod(flags, 'keys.list', {});
      if (flags.json) {
        printJson({ keys: found });
        return;
      }
      const { renderTable } = await import('../render/table.ts');
      const rows = found.map((k) => [k.id, k.current ? 'yes' : '', k.held ? 'yes' : 'no', k.secrets]);
      print(renderTable(['key', 'current', 'here', 'secrets'], rows));
    },
  );
  withCallFlags(keys.command('rotate').description('seal every secret anew with a new key')).action(
    async (flags: CallFlags) => {
      const answer = await callMethod(flags, 'keys.rotate', {});
      const how = answer.added
        ? 'a new key, now first in the key file; the old ones stay there until you take them out'
        : 'the first of the keys that are given; take the others away once every process has this one';
      shown(flags, answer, `${answer.resealed} secrets are sealed with ${answer.key_id}: ${how}.`);
    },
  );
}
