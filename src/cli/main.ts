#!/usr/bin/env node
/** The command line: parses flags, calls a use case, renders its result, ends with its code. */
import { Command, CommanderError } from 'commander';
import { asConnectorError, EXIT_CODES } from '../protocol/errors.ts';
import { VERSION } from '../app/version.ts';
import { addAudit } from './commands/audit.ts';
import { addConnections } from './commands/connections.ts';
import { addCredentials } from './commands/credentials.ts';
import { addDemo } from './commands/demo.ts';
import { addDocs } from './commands/docs.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExport } from './commands/export.ts';
import { addInsights } from './commands/insights.ts';
import { addKeys } from './commands/keys.ts';
import { addProjects } from './commands/projects.ts';
import { addPsqlUrl } from './commands/psql-url.ts';
import { addQueries } from './commands/queries.ts';
import { addQuery } from './commands/query.ts';
import { addRuns } from './commands/runs.ts';
import { addSchema } from './commands/schema.ts';
import { addServe } from './commands/serve.ts';
import { addStatus } from './commands/status.ts';
import { addSync } from './commands/sync.ts';
import { addSyncs } from './commands/syncs.ts';
import { addTokens } from './commands/tokens.ts';
import { addUsers } from './commands/users.ts';
import { addWorker } from './commands/worker.ts';

const program = new Command('soundings')
  .description('Everything a SonarQube Server knows, in PostgreSQL: complete, fresh and proven.')
  .version(VERSION)
  .showHelpAfterError('Run it with --help to see what it takes.')
  .configureHelp({ sortSubcommands: true })
  .exitOverride();

for (const add of [
  addSync,
  addQuery,
  addQueries,
  addExport,
  addInsights,
  addSchema,
  addStatus,
  addPsqlUrl,
  addServe,
  addWorker,
  addConnections,
  addCredentials,
  addProjects,
  addSyncs,
  addRuns,
  addTokens,
  addUsers,
  addKeys,
  addAudit,
  addDoctor,
  addDemo,
  addDocs,
])
  add(program);

try {
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
