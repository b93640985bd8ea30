/** Dates as the server writes and reads them. Everywhere in the simulator a date is a number of seconds since 1970. */

/** '+0200' → 7200. */
export function offsetSeconds(offset: string): number {
  const match = /^([+-])(\d\d)(\d\d)$/.exec(offset);
  if (!match) throw new Error(`An offset looks like +0200, not ${offset}`);
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3600 + Number(match[3]) * 60);
}

/** '2026-11-22T15:40:16+0000' or '2026-11-22' → seconds; for writing data sets. */
export function seconds(text: string): number {
  const value = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (Number.isNaN(value)) throw new Error(`Not a date: ${text}`);
  return Math.floor(value / 1000);
}

/** Writes dates as the server does: seconds, the server's own offset, no colon in it. */
export class DateWriter {
  readonly #shift: number;
  readonly #suffix: string;
  readonly #known = new Map<number, string>();

  constructor(offset = '+0000') {
    this.#shift = offsetSeconds(offset);
    this.#suffix = offset;
  }

  get shift(): number {
    return this.#shift;
  }

  write(date: number): string {
    const known = this.#known.get(date);
    if (known !== undefined) return known;
    const text = new Date((date + this.#shift) * 1000).toISOString().slice(0, 19) + this.#suffix;
    if (this.#known.size > 50_000) this.#known.clear();
    this.#known.set(date, text);
    return text;
  }

  day(date: number): string {
    return new Date((date + this.#shift) * 1000).toISOString().slice(0, 10);
  }
}

export interface ParsedDate {
  readonly at: number;
  readonly dayOnly: boolean;
}

/** Reads exactly yyyy-MM-dd or yyyy-MM-ddTHH:mm:ss+HHMM; everything else is undefined. */
export function parseDate(text: string, shift: number): ParsedDate | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)([+-])(\d\d)(\d\d))?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, sign, offsetHours, offsetMinutes] = match;
  const start = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (new Date(start).toISOString().slice(0, 10) !== text.slice(0, 10)) return undefined;
  if (hour === undefined) return { at: start / 1000 - shift, dayOnly: true };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const offset = (sign === '-' ? -1 : 1) * (Number(offsetHours) * 3600 + Number(offsetMinutes) * 60);
  return { at: start / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset, dayOnly: false };
}

/** '1m2w' → the moment that long before now, or undefined. */
export function parseSince(text: string, now: number): number | undefined {
  const match = /^(?:(\d+)y)?(?:(\d+)m)?(?:(\d+)w)?(?:(\d+)d)?$/.exec(text);
  if (!match || text === '') return undefined;
  const date = new Date(now * 1000);
  date.setUTCFullYear(date.getUTCFullYear() - Number(match[1] ?? 0));
  date.setUTCMonth(date.getUTCMonth() - Number(match[2] ?? 0));
  date.setUTCDate(date.getUTCDate() - Number(match[3] ?? 0) * 7 - Number(match[4] ?? 0));
  return Math.floor(date.getTime() / 1000);
}

/** Minutes as the server writes efforts, with a day of eight hours: 0min, 1h30min, 2d1h. */
export function effortText(minutes: number): string {
  if (minutes === 0) return '0min';
  const days = Math.floor(minutes / 480);
  const hours = Math.floor((minutes % 480) / 60);
  const rest = minutes % 60;
  return (days > 0 ? `${days}d` : '') + (hours > 0 ? `${hours}h` : '') + (rest > 0 ? `${rest}min` : '');
}
