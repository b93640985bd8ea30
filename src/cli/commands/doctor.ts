import type { Command } from 'commander';
import { serviceConfig, type StoreFlags } from '../../app/config.ts';
import type { Finding } from '../../app/doctor.ts';
import { EXIT_CODES } from '../../protocol/errors.ts';
import { environment, print, printJson, say, stopSignal, withStoreFlags } from '../context.ts';

interface DoctorFlags extends StoreFlags {
  readonly json?: boolean;
}

export function define(command: Command): void {
  withStoreFlags(command.option('--json', 'print as JSON')).action(runDoctorCommand);
}

const MARK: Readonly<Record<Finding['state'], string>> = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' };

async function runDoctorCommand(flags: DoctorFlags): Promise<void> {
  const { examine } = await import('../../app/doctor.ts');
  const config = serviceConfig(flags, environment, process.getuid?.() === 0);
  const findings = await examine(config, say, stopSignal());
  if (flags.json) printJson({ findings });
  else for (const { subject, state, message } of findings) print(`${MARK[state]}  ${subject}: ${message}`);
  const [worst] = findings.flatMap(({ code }) => (code === undefined ? [] : [code]));
  process.exitCode = worst === undefined ? 0 : EXIT_CODES[worst];
}
