import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Methods } from '../../api/client.ts';
import { callMethod, idArgument, withCallFlags, type CallFlags } from '../call.ts';
import { print, printJson, say } from '../context.ts';

type Input = Methods['projects.list']['input'];

interface ListFlags extends CallFlags {
  readonly search?: string;
  readonly state?: NonNullable<Input['state']>;
  readonly sort?: NonNullable<Input['sort']>;
  readonly desc?: boolean;
  readonly cursor?: string;
  readonly limit?: number;
}

const STATES = ['complete', 'moving', 'short', 'suspect', 'unreadable', 'unread', 'gone'];
const SORTS = ['name', 'key', 'last_analysis', 'issues_synced'];

export function define(projects: Command): void {
  withCallFlags(
    projects
      .command('list')
      .description('what the server counts and what is here of each of them')
      .argument('<connection>', 'of which one', idArgument)
      .option('--search <text>', 'a part of the name or of the key')
      .addOption(new Option('--state <state>', 'how they are').choices(STATES))
      .addOption(new Option('--sort <by>', 'in which order').choices(SORTS))
      .option('--desc', 'backwards')
      .option('--cursor <cursor>', 'go on from here')
      .option('--limit <n>', 'so many at most', limit),
  ).action(listCommand);
}

async function listCommand(connection_id: number, flags: ListFlags): Promise<void> {
  const { search, state, sort, desc, cursor, limit: most } = flags;
  const answer = await callMethod(flags, 'projects.list', {
    connection_id,
    ...(search !== undefined && { search }),
    ...(state !== undefined && { state }),
    ...(sort !== undefined && { sort }),
    ...(desc === true && { order: 'desc' as const }),
    ...(cursor !== undefined && { cursor }),
    ...(most !== undefined && { limit: most }),
  });
  if (flags.json) {
    printJson(answer);
    return;
  }
  const { renderTable } = await import('../render/table.ts');
  const rows = answer.projects.map((project) => [
    project.key,
    project.name,
    project.state,
    project.last_analysis_date,
    project.issues_synced_at,
    project.streams
      .filter((stream) => stream.state !== 'complete')
      .map((stream) => `${stream.stream}: ${stream.reason ?? stream.state}`)
      .join('; '),
  ]);
  print(renderTable(['key', 'name', 'state', 'analysed', 'issues confirmed', 'why'], rows));
  if (answer.next_cursor !== null) say(`There are more: --cursor ${answer.next_cursor}`);
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 500)
    throw new InvalidArgumentError('It must be a whole number from 1 to 500.');
  return value;
}
