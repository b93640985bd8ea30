/** What the benchmark's real server holds beyond the tests' own 13,009 issues: 48,159 in all. Kept between runs. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../test/real/install.ts';
import { scan } from '../test/real/scanner.ts';
import type { RealServer } from '../test/real/server.ts';

const PROJECTS = 5;
const FILES = 38;
const PER_FILE = 185;
const RULES = 20;

/** Files with issues of an external tool: the server takes thousands of them in within seconds. */
async function write(directory: string): Promise<void> {
  const issues: object[] = [];
  await mkdir(join(directory, 'src'), { recursive: true });
  for (let file = 0; file < FILES; file++) {
    const filePath = `src/file_${file}.py`;
    const lines = Array.from({ length: PER_FILE }, (_, line) => `value_${line} = ${file * 1000 + line}\n`);
    await writeFile(join(directory, filePath), lines.join(''));
    for (let line = 0; line < PER_FILE; line++) {
      issues.push({
        ruleId: `rule-${(file + line) % RULES}`,
        effortMinutes: line % 61,
        primaryLocation: {
          message: `Finding ${line} of file ${file}`,
          filePath,
          textRange: { startLine: line + 1 },
        },
      });
    }
  }
  const rules = Array.from({ length: RULES }, (_, rule) => ({
    id: `rule-${rule}`,
    name: `Rule ${rule} of the benchmark`,
    description: 'A rule of a tool that exists only in the benchmark',
    engineId: 'bench',
    cleanCodeAttribute: 'CONVENTIONAL',
    type: ['CODE_SMELL', 'BUG', 'VULNERABILITY'][rule % 3],
    severity: ['MAJOR', 'BLOCKER', 'CRITICAL', 'MINOR', 'INFO'][rule % 5],
    impacts: [
      {
        softwareQuality: ['MAINTAINABILITY', 'RELIABILITY', 'SECURITY'][rule % 3],
        severity: ['HIGH', 'MEDIUM', 'LOW'][rule % 3],
      },
    ],
  }));
  await writeFile(join(directory, 'bench.json'), JSON.stringify({ rules, issues }));
}

async function fill(server: RealServer, log: Log): Promise<void> {
  const directory = join(server.runtime.instance, 'work', 'bench');
  await write(directory);
  const properties = {
    'sonar.sources': 'src',
    'sonar.externalIssuesReportPaths': 'bench.json',
    'sonar.scm.disabled': 'true',
  };
  for (let n = 0; n < PROJECTS; n++) {
    const date = `2026-0${n + 1}-02T03:04:05+0000`;
    await scan(server, { project: `bench-${n}`, revision: 1, date }, { directory, properties }, log);
  }
}

/** For `startServer`: named after this file's text, so that another set is made when it changes. */
export async function realSet(): Promise<{ name: string; fill: typeof fill }> {
  const text = await readFile(import.meta.filename);
  return { name: `bench-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`, fill };
}
