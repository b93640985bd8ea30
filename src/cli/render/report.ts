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
  for (const { stream, project, state, reason } of report.shortfalls.slice(0, MOST_SHORTFALLS)) {
    print(`  ${state}: ${stream}${project === null ? '' : ` of ${project}`}: ${reason}`);
  }
  const more = report.shortfalls.length - MOST_SHORTFALLS;
  if (more > 0)
    print(`  … and ${more} more; see them all with: select * from sonarqube_completeness where state <> 'complete'`);
  if (report.error) say(`soundings: ${report.error.message} [${report.error.code}]`);
}

function headline({ state, mode, changes, shortfalls, server }: SyncReport): string {
  const kind = mode === 'incremental' ? 'Incremental sync' : 'Full sync';
  if (state === 'failed') return `The sync of ${server} failed; what was stored before stays.`;
  if (state === 'cancelled') return 'Stopped; what is stored stays, and the next sync goes on from there.';
  const what =
    changes === 0 ? 'nothing changed (0 rows)' : `${changes.toLocaleString('en')} rows added, changed or marked gone`;
  if (state === 'partly_failed') {
    const short = shortfalls.filter((one) => one.state === 'short' || one.state === 'suspect').length;
    return `${kind} of ${server} partly failed: ${what}; ${short} of its parts are not complete.`;
  }
  const unreadable = new Set(shortfalls.filter((one) => one.state === 'unreadable').map((one) => one.project)).size;
  const closed = unreadable === 0 ? '' : ` (${unreadable} projects are not open to the token)`;
  return `${kind} of ${server} complete${closed}: ${what}.`;
}
