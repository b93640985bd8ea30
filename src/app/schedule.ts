/** When a connection is synced by itself: `every 1 h`, `manual`, or cron with a time zone. Pure. */
import { CronExpressionParser } from 'cron-parser';

export type Schedule =
  | { readonly kind: 'manual' }
  | { readonly kind: 'every'; readonly ms: number }
  | { readonly kind: 'cron'; readonly cron: string; readonly zone: string };

/** What counts for a connection whose settings name none. */
export const DEFAULT_SCHEDULE = 'every 1 h';

const UNITS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const EVERY = /^every\s+(\d{1,6})\s*(s|min|h|d)$/;
const CRON = /^(\S+(?:\s+\S+){4})(?:\s+([A-Za-z][\w+\-/]*))?$/;
const LEAST_MS = 60_000;
const MOST_MS = 366 * 86_400_000;

/** Reads a schedule; throws with what is wrong about it, to be said after its name. */
export function parseSchedule(text: string): Schedule {
  const plain = text.trim();
  if (plain === 'manual') return { kind: 'manual' };
  const every = EVERY.exec(plain);
  if (every) {
    const ms = Number(every[1]) * (UNITS[every[2] ?? ''] ?? 0);
    if (ms <= 0 || ms > MOST_MS) throw new Error('must be at least every 1 min and at most every 366 d');
    return { kind: 'every', ms };
  }
  const [, cron, zone = 'UTC'] = CRON.exec(plain) ?? [];
  if (cron === undefined) {
    throw new Error(
      'must be “every 1 h” (min, h or d), “manual”, or cron of five fields with a time zone, as “0 3 * * * Europe/Berlin”',
    );
  }
  if (!isZone(zone)) throw new Error(`names a time zone that is not known (${zone}); write it as Europe/Berlin or UTC`);
  try {
    // one that never comes is found by looking for its next time
    CronExpressionParser.parse(cron, { tz: zone, currentDate: new Date(0) }).next();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`holds a cron expression that cannot be read (${reason})`, { cause: error });
  }
  return { kind: 'cron', cron, zone };
}

/** The same for what people set: nothing is synced more often than once a minute. */
export function checkSchedule(text: string): string {
  const schedule = parseSchedule(text);
  if (schedule.kind === 'every' && schedule.ms < LEAST_MS) throw new Error('must be at least every 1 min');
  return text.trim();
}

/**
 * The next time after a moment; null when there is none. Intervals are laid out from a place of each connection's own,
 * so that a hundred hourly connections do not begin in the same minute; it stays the same however often this is asked.
 */
export function nextRun(schedule: Schedule, after: Date, connectionId: number): Date | null {
  switch (schedule.kind) {
    case 'manual':
      return null;
    case 'cron':
      return CronExpressionParser.parse(schedule.cron, { tz: schedule.zone, currentDate: after }).next().toDate();
    case 'every': {
      const { ms } = schedule;
      const phase = phaseOf(connectionId, ms);
      return new Date(phase + (Math.floor((after.getTime() - phase) / ms) + 1) * ms);
    }
  }
}

/** Where in an interval a connection has its place: ids that follow each other lie far apart (steps of the golden ratio). */
function phaseOf(connectionId: number, ms: number): number {
  return Math.floor(((connectionId * 0.618_033_988_749_895) % 1) * ms);
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
