/** A connection's schedule as people choose it, and as its settings hold it: `every 1 h`, `manual`, or cron and time zone. Pure. */

export const UNITS = ['min', 'h', 'd'] as const;
export type Unit = (typeof UNITS)[number];

export interface Schedule {
  /** `default`: as Soundings does unless told. */
  readonly kind: 'default' | 'manual' | 'every' | 'cron';
  readonly every: number;
  readonly unit: Unit;
  readonly cron: string;
  readonly zone: string;
}

export const UNTOLD: Schedule = { kind: 'default', every: 1, unit: 'h', cron: '0 3 * * *', zone: 'UTC' };

const EVERY = /^every\s+(\d{1,6})\s*(min|h|d)$/;
const CRON = /^(\S+(?:\s+\S+){4})(?:\s+(\S+))?$/;

/** Null for a text that has none of these forms. */
export function readSchedule(text: string | undefined): Schedule | null {
  const plain = text?.trim() ?? '';
  if (plain === '') return UNTOLD;
  if (plain === 'manual') return { ...UNTOLD, kind: 'manual' };
  const every = EVERY.exec(plain);
  if (every) return { ...UNTOLD, kind: 'every', every: Number(every[1]), unit: every[2] as Unit };
  const cron = CRON.exec(plain);
  if (cron) return { ...UNTOLD, kind: 'cron', cron: cron[1] ?? '', zone: cron[2] ?? 'UTC' };
  return null;
}

/** As settings hold it; empty for the default. */
export function writeSchedule({ kind, every, unit, cron, zone }: Schedule): string {
  switch (kind) {
    case 'default':
      return '';
    case 'manual':
      return 'manual';
    case 'every':
      return `every ${every} ${unit}`;
    case 'cron':
      return `${cron.trim().split(/\s+/).join(' ')} ${zone.trim() || 'UTC'}`;
  }
}
