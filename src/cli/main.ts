#!/usr/bin/env node
/** The command line: parses flags, calls a use case, renders its result, ends with its code. */
import { Command, CommanderError } from 'commander';
import { asConnectorError, EXIT_CODES } from '../protocol/errors.ts';
import { VERSION } from '../app/version.ts';

/** What each command is for, null for one that help does not show; its module is loaded when it is the one that is called. */
const COMMANDS: Readonly<
  Record<string, readonly [string | null, () => Promise<{ define: (command: Command) => void }>]>
> = {
  sync: [
    'bring everything a SonarQube Server knows into PostgreSQL, or what changed since the last time',
    () => import('./commands/sync.ts'),
  ],
  query: ['ask the warehouse in SQL, as a login that can only read it', () => import('./commands/query.ts')],
  queries: ['saved queries, and examples to begin with', () => import('./commands/queries.ts')],
  export: ['write every row of a table or a query to a file', () => import('./commands/export.ts')],
  insights: ['the numbers behind the charts', () => import('./commands/insights.ts')],
  schema: ['show which tables there are, or what the columns of one mean', () => import('./commands/schema.ts')],
  status: [
    "show per project and stream the server's total, ours, and whether it is complete",
    () => import('./commands/status.ts'),
  ],
  'psql-url': [
    'print the address by which psql, Grafana or Metabase read the embedded database',
    () => import('./commands/psql-url.ts'),
  ],
  serve: ['run the HTTP API, the web page, the scheduler and a worker', () => import('./commands/serve.ts')],
  worker: [
    'sync beside "soundings serve": one process more, on this machine or another, over the same database',
    () => import('./commands/worker.ts'),
  ],
  connections: ['which servers are synced, and how', () => import('./commands/connections.ts')],
  credentials: ['the tokens that connections are read with', () => import('./commands/credentials.ts')],
  projects: ['the projects of a connection', () => import('./commands/projects.ts')],
  syncs: ['begin and end runs of connections', () => import('./commands/syncs.ts')],
  runs: ['what was read when, how it went, and why not', () => import('./commands/runs.ts')],
  tokens: ['API tokens: who may call the HTTP API, and for what', () => import('./commands/tokens.ts')],
  users: ['who may sign in to the web pages, and what they may do', () => import('./commands/users.ts')],
  keys: ['the keys that seal stored secrets', () => import('./commands/keys.ts')],
  audit: ['who did what to which connection or credential', () => import('./commands/audit.ts')],
  doctor: [
    'look at configuration, database, keys, disk and every connection, and say what to do',
    () => import('./commands/doctor.ts'),
  ],
  demo: [
    'sync a bundled sample SonarQube Server into a folder of its own, and show some answers',
    () => import('./commands/demo.ts'),
  ],
  docs: [null, () => import('./commands/docs.ts')],
};

const program = new Command('soundings')
  .description('Everything a SonarQube Server knows, in PostgreSQL: complete, fresh and proven.')
  .version(VERSION)
  .showHelpAfterError('Run it with --help to see what it takes.')
  .configureHelp({ sortSubcommands: true })
  .exitOverride();

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const named = words[0] === 'help' ? words[1] : words[0];
try {
  for (const [name, [what, load]] of Object.entries(COMMANDS)) {
    const command = program.command(name, { hidden: what === null }).description(what ?? '');
    if (name === named) (await load()).define(command);
  }
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    // help and version are not failures; everything else commander throws is a usage error it has already printed
    process.exitCode = thrown.exitCode === 0 ? 0 : EXIT_CODES.invalid_arguments;
  } else {
    const error = asConnectorError(thrown);
    process.stderr.write(`soundings: ${error.message} [${error.code}]\n`);
    if (error.code === 'unexpected' && error.cause instanceof Error)
      process.stderr.write(`${error.cause.stack ?? ''}\n`);
    process.exitCode = EXIT_CODES[error.code];
  }
}
