/** What a sync came to, for people, and the exit code that goes with it. */
import type { SyncReport } from '../../app/sync.ts';
import { EXIT_CODES } from '../../protocol/errors.ts';
import { print, say } from '../context.ts';
import { renderTable } from './table.ts';

const MOST_SHORTFALLS = 20;

export function exitCode(report: SyncReport, strict: boolean): number {
  if (report.error) return EXIT_CODES[report.error.code];
  if (report.state === 'partly_failed') return EXIT_CODES.partly_failed;
  return strict && report.shortfalls.some(({ state }) => state === 'unreadable') ? EXIT_CODES.partly_failed : 0;
}

export function renderReport(report: SyncReport): void {
  const { progress } = report;
  const rows = Object.entries(progress.streams).map(([name, s]) => [name, s.read, s.added, s.changed, s.gone]);
  if (rows.length > 0) print(renderTable(['stream', 'read', 'added', 'changed', 'gone'], rows));
  print('');
  print(`${headline(report)} ${progress.requests.toLocaleString('en')} requests in ${report.seconds.toFixed(1)} s.`);
  const lines = shortfallLines(report.shortfalls);
  for (const line of lines.slice(0, MOST_SHORTFALLS)) print(line);
  const more = lines.length - MOST_SHORTFALLS;
  if (more > 0)
    print(`  … and ${more} more; see them all with: select * from sonarqube_completeness where state <> 'complete'`);
  if (report.error) say(`soundings: ${report.error.message} [${report.error.code}]`);
}

/** One line for what has the same cause: the streams of one project that are not open to the token share theirs. */
function shortfallLines(shortfalls: SyncReport['shortfalls']): string[] {
  const streams = new Map<string, string[]>();
  for (const { stream, project, state, reason } of shortfalls) {
    const line = `  ${state}: ${project ?? 'the list'} ($STREAMS): ${reason}`;
    streams.set(line, [...(streams.get(line) ?? []), stream]);
  }
  return [...streams].map(([line, names]) => line.replace('$STREAMS', () => names.join(', ')));
}

function headline({ state, mode, changes, shortfalls, server, progress }: SyncReport): string {
  const kind = mode === 'incremental' ? 'Incremental sync' : 'Full sync';
  if (state === 'failed') return `The sync of ${server} failed; what was stored before stays.`;
  if (state === 'cancelled') return 'Stopped; what is stored stays, and the next sync goes on from there.';
  const what =
    changes === 0
      ? 'nothing changed (0 rows)'
      : `${changes.toLocaleString('en')} ${changes === 1 ? 'row' : 'rows'} added, changed or marked gone`;
  if (state === 'partly_failed') {
    const short = shortfalls.filter((one) => one.state === 'short' || one.state === 'suspect').length;
    return `${kind} of ${server} partly failed: ${what}; ${short} of its parts are not complete.`;
  }
  const unreadable = new Set(shortfalls.filter((one) => one.state === 'unreadable').map((one) => one.project)).size;
  const closed =
    unreadable === 0
      ? ''
      : ` (${unreadable} ${unreadable === 1 ? 'project is' : 'projects are'} not open to the token)`;
  // never silently nothing: an empty listing, a pattern that fits none, a token that sees none
  const none = progress.projects.total === 0 ? ' There were no projects to read.' : '';
  return `${kind} of ${server} complete${closed}: ${what}.${none}`;
}
