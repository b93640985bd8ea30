/** Analyses a project with the SonarScanner CLI and waits until the server has taken the result in. */
import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { sleep } from './api.ts';
import { installScanner, seconds, type Log } from './install.ts';
import type { RealServer } from './server.ts';
import { prepareHistory, prepareOverflow, preparePaths, preparePrivate, type Prepared } from './sources.ts';

/** The projects that are analysed. */
export type ProjectKey = 'real-overflow' | 'real-history' | 'real-paths' | 'real-private';

/** True for servers whose reports of external issues describe rules apart from issues, and that know "accept". */
export function isModern(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 10 || (major === 10 && minor >= 4);
}

async function prepare(server: RealServer, project: ProjectKey, revision: number): Promise<Prepared> {
  const directory = path.join(server.runtime.instance, 'work', project);
  switch (project) {
    case 'real-history':
      return prepareHistory(directory, revision);
    case 'real-overflow':
      return prepareOverflow(directory, isModern(server.version));
    case 'real-paths':
      return preparePaths(directory);
    case 'real-private':
      return preparePrivate(directory);
  }
}

/** What to analyse. */
export interface Analysis {
  project: ProjectKey;
  /** Which state of the sources (matters for real-history), also the project's version. */
  revision: number;
  /** The date of the analysis, `yyyy-MM-ddTHH:mm:ss+0000`; now when left out. */
  date?: string;
}

/** Analyses a project; when it resolves, the server shows the result. */
export async function analyse(server: RealServer, analysis: Analysis, log: Log = () => undefined): Promise<void> {
  await scan(server, analysis, await prepare(server, analysis.project, analysis.revision), log);
}

/** Analyses files that are there already as any project. */
export async function scan(
  server: RealServer,
  { project, revision, date }: Omit<Analysis, 'project'> & { project: string },
  { directory, properties }: Prepared,
  log: Log,
): Promise<void> {
  const started = Date.now();
  const { cache, instance, java } = server.runtime;
  const jar = await installScanner(cache, log);
  const workingDirectory = path.join(instance, 'work', `${project}.scanner`);
  const settings: Record<string, string> = {
    'sonar.host.url': server.url,
    'sonar.token': server.adminToken,
    'sonar.projectKey': project,
    'sonar.projectName': `The project ${project}`,
    'sonar.projectVersion': `1.${revision}`,
    'sonar.projectBaseDir': directory,
    'sonar.working.directory': workingDirectory,
    'sonar.sourceEncoding': 'UTF-8',
    'sonar.userHome': path.join(cache, 'scanner-home'),
    'sonar.scanner.skipJreProvisioning': 'true',
    'sonar.scanner.javaExePath': java,
    'sonar.nodejs.executable': process.execPath,
    'sonar.javascript.disableTypeChecking': 'true',
    'sonar.python.version': '3',
    ...(date ? { 'sonar.projectDate': date } : {}),
    ...properties,
  };
  const quick = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx1500m';
  const logFile = path.join(instance, 'logs', `scan-${project}-${revision}.log`);
  const output = await fs.open(logFile, 'w');
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(
      java,
      [
        ...quick.split(' '),
        `-Dscanner.home=${path.dirname(path.dirname(jar))}`,
        `-Dproject.home=${directory}`,
        '-classpath',
        jar,
        'org.sonarsource.scanner.cli.Main',
        ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      ],
      {
        cwd: directory,
        stdio: ['ignore', output.fd, output.fd],
        env: { ...process.env, LC_ALL: 'C.UTF-8', SONAR_SCANNER_JAVA_OPTS: quick, SONAR_TOKEN: server.adminToken },
      },
    );
    child.once('error', reject);
    child.once('exit', resolve);
  });
  await output.close();
  if (code !== 0) {
    const text = await fs.readFile(logFile, 'utf8');
    throw new Error(`the analysis of ${project} failed (${code}), see ${logFile}\n${text.slice(-1500)}`);
  }
  const scanned = Date.now();
  const report = await fs.readFile(path.join(workingDirectory, 'report-task.txt'), 'utf8');
  const id = /^ceTaskId=(.*)$/m.exec(report)?.[1]?.trim() ?? '';
  for (;;) {
    const { task } = await server.api.get<{ task: { status: string; errorMessage?: string } }>('ce/task', { id });
    if (task.status === 'SUCCESS') break;
    if (task.status !== 'PENDING' && task.status !== 'IN_PROGRESS') {
      throw new Error(`the server could not take the analysis of ${project} in: ${task.status} ${task.errorMessage}`);
    }
    await sleep(300);
  }
  log(
    `analysed ${project} 1.${revision}: scanner ${((scanned - started) / 1000).toFixed(1)} s, server ${seconds(scanned)}`,
  );
}
