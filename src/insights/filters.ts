/** What the numbers of a chart are about: some projects, one connection, a time. */
import { z } from 'zod';

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

export const filters = z
  .strictObject({
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
  })
  .transform(({ to = isoDay(Date.now()), from = daysBefore(to, DEFAULT_DAYS), ...rest }) => ({ ...rest, from, to }))
  .refine(({ from, to }) => from <= to, { message: 'The first day lies after the last.', path: ['from'] })
  .refine(({ from, to, interval }) => Date.parse(to) - Date.parse(from) <= MAX_DAYS[interval] * DAY_MS, {
    message: 'That is too long a time for this interval.',
    path: ['interval'],
  });

/** Filters as a person gives them: all can be left out. */
export type FiltersInput = z.input<typeof filters>;
/** Filters with every default filled in. */
export type Filters = z.output<typeof filters>;

function daysBefore(day: string, days: number): string {
  return isoDay(Math.max(0, Date.parse(day) - days * DAY_MS));
}
