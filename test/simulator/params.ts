/** Reads the parameters of a request as the server does, with its messages. Parameters nobody reads are ignored. */
import { parseDate } from './time.ts';
import type { ParsedDate } from './time.ts';

/** An answer of the form {"errors":[{"msg":…}]}. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

export function bad(message: string): ApiError {
  return new ApiError(400, message);
}

export interface Page {
  readonly p: number;
  readonly ps: number;
}

export class Params {
  readonly #all: URLSearchParams;

  constructor(all: URLSearchParams) {
    this.#all = all;
  }

  /** The first value, trimmed. The first of the names that is there wins, so write old names first. */
  text(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.#all.get(name);
      if (value !== null) {
        if (value.includes('\0')) throw bad(`Parameter '${name}' must not contain a NUL character`);
        return value.trim();
      }
    }
    return undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw bad(`The '${name}' parameter is missing`);
    return value;
  }

  /** Every value of a parameter that is repeated instead of separated by commas. */
  repeated(name: string): string[] | undefined {
    const values = this.#all.getAll(name);
    return values.length === 0 ? undefined : values.map((value) => value.trim());
  }

  /** A list with commas; empty means not there. */
  list(...names: readonly string[]): string[] | undefined {
    const value = this.text(...names);
    if (value === undefined) return undefined;
    const values = value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    return values.length === 0 ? undefined : values;
  }

  /** A list of values of a closed list. */
  closed(name: string, allowed: readonly string[]): string[] | undefined {
    const values = this.list(name);
    for (const value of values ?? []) check(name, value, allowed);
    return values;
  }

  /** A list with a limited number of values. */
  limited(name: string, max: number): string[] | undefined {
    const values = this.list(name);
    if (values && values.length > max) {
      throw bad(`'${name}' can contain only ${max} values, got ${values.length}`);
    }
    return values;
  }

  /** One value of a closed list. */
  one(name: string, allowed: readonly string[]): string | undefined {
    const value = this.text(name);
    if (value === undefined || value === '') return undefined;
    check(name, value, allowed);
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.one(name, ['true', 'false', 'yes', 'no']);
    return value === undefined ? undefined : value === 'true' || value === 'yes';
  }

  integer(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === undefined || value === '') return fallback;
    if (!/^[+-]?\d+$/.test(value)) throw bad(`'${name}' value '${value}' cannot be parsed as an integer`);
    return Number(value);
  }

  date(name: string, shift: number): ParsedDate | undefined {
    const value = this.text(name);
    if (value === undefined || value === '') return undefined;
    const date = parseDate(value, shift);
    if (!date) throw bad(`Date '${value}' cannot be parsed as either a date or date+time`);
    return date;
  }

  /** A page of a list whose definition caps `ps` and whose index shows 10,000 rows. */
  windowPage(declaredMaximum: number | undefined): Page {
    const page = this.page(declaredMaximum);
    if (page.p < 1) throw bad(`Page must be greater or equal to 1 (got ${page.p})`);
    if (page.ps < 1 || page.ps > 500) throw bad(`Page size must be between 1 and 500 (got ${page.ps})`);
    const last = page.p * page.ps;
    if (last > 10_000) throw bad(`Can return only the first 10000 results. ${last}th result asked.`);
    return page;
  }

  /** A page of a list that comes from the database: no window. */
  plainPage(declaredMaximum: number): Page {
    const page = this.page(declaredMaximum);
    if (page.p < 1) throw bad(`Page index must be strictly positive. Got ${page.p}`);
    if (page.ps < 1) throw bad(`Page size must be strictly positive. Got ${page.ps}`);
    return page;
  }

  page(declaredMaximum: number | undefined): Page {
    const p = this.integer('p', 1);
    const ps = this.integer('ps', 100);
    if (declaredMaximum !== undefined && ps > declaredMaximum) {
      throw bad(`'ps' value (${ps}) must be less than ${declaredMaximum}`);
    }
    return { p, ps };
  }
}

function check(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw bad(`Value of parameter '${name}' (${value}) must be one of: [${allowed.join(', ')}]`);
  }
}
