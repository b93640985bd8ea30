/** What the numbers of a chart are about: some projects, one connection, a time. */
import { z } from 'zod';
import { ConnectorError } from '../protocol/errors.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 365;
/** Ten years of days; nobody reads more points than that, and each costs every series a row. */
const MAX_DAYS = { day: 3660, week: 36_600, month: 36_600 };

const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** From 1970 on: before that there is nothing, and PostgreSQL knows no year 0. */
const date = z.iso.date().refine((day) => day >= '1970-01-01', 'Dates begin with 1970-01-01.');

/** A project's key as SonarQube has it. PostgreSQL cannot hold the character 0. */
const projectKey = z
  .string()
  .min(1)
  .max(1000)
  .refine((key) => !key.includes('\0'), 'A project key cannot contain the character 0.');

/** The filters one by one, as arguments of whoever takes them. */
export const filterFields = {
  /** Source keys; none: every project. */
  projects: z.array(projectKey).max(5000).default([]),
  /** A connection's id; null: all of them. */
  connection: z.int().positive().nullable().default(null),
  /** The first day; unless told, 365 days before the last. */
  from: date.optional(),
  /** The last day, included; unless told, today (UTC). */
  to: date.optional(),
  interval: z.enum(['day', 'week', 'month']).default('week'),
  /** Rows of tables, projects of heat maps, bars of a top list. */
  limit: z.int().min(1).max(10_000).default(20),
} as const;

const fields = z.strictObject(filterFields);

/** Filters as a person gives them: all can be left out. */
export type FiltersInput = z.input<typeof fields>;
/** Filters with every default filled in. */
export type Filters = Omit<z.output<typeof fields>, 'from' | 'to'> & { readonly from: string; readonly to: string };

/** Fills in every default and refuses what does not fit together, as `invalid_arguments` by field. */
export function resolveFilters(input: FiltersInput, now: Date): Filters {
  const parsed = fields.safeParse(input);
  if (!parsed.success) {
    throw invalid(
      Object.fromEntries(parsed.error.issues.map(({ path, message }) => [path.map(String).join('.'), message])),
    );
  }
  const { to = isoDay(now.getTime()), from = daysBefore(to, DEFAULT_DAYS), ...rest } = parsed.data;
  if (from > to) throw invalid({ from: `The first day, ${from}, lies after the last, ${to}.` });
  if (Date.parse(to) - Date.parse(from) > MAX_DAYS[rest.interval] * DAY_MS) {
    throw invalid({ interval: `That is too long a time for an interval of a ${rest.interval}; choose a longer one.` });
  }
  return { ...rest, from, to };
}

function invalid(details: Readonly<Record<string, string>>): ConnectorError {
  const list = Object.entries(details).map(([field, problem]) => `${field}: ${problem}`);
  return new ConnectorError('invalid_arguments', `The filters cannot be used: ${list.join('; ')}`, { details });
}

function daysBefore(day: string, days: number): string {
  return isoDay(Math.max(0, Date.parse(day) - days * DAY_MS));
}
