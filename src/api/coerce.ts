/** Texts of paths, queries and forms as the values that a method's schema wants; what does not fit stays text, and is refused there. */
import { z } from 'zod';

const NUMBER = /^-?\d{1,30}(\.\d{1,30})?$/;

/** `"3"` for a number is 3, `"true"` for a boolean is true, `'["a"]'` for a list is a list, `""` for what may be null is null. */
export function coerce(schema: z.core.$ZodType, value: unknown): unknown {
  const inner = unwrapped(schema);
  if (inner !== schema && value === '' && mayBeNull(schema)) return null;
  if (inner instanceof z.ZodUnion) {
    const found = inner.options
      .map((option) => ({ option, coerced: coerce(option, value) }))
      .find(({ option, coerced }) => z.safeParse(option, coerced).success);
    return found ? found.coerced : value;
  }
  if (inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return coerceObject(inner, value);
  if (inner instanceof z.ZodArray) return coerceList(inner, value);
  if (typeof value !== 'string') return value;
  if (inner instanceof z.ZodNumber) return NUMBER.test(value) ? Number(value) : value;
  if (inner instanceof z.ZodBoolean) return value === 'true' || value === '1' ? true : isFalse(value) ? false : value;
  return value;
}

const isFalse = (value: string): boolean => value === 'false' || value === '0';

function coerceObject(schema: z.ZodObject | z.ZodRecord, value: unknown): unknown {
  const read = fromJson(value, '{');
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return value;
  // what came as JSON has its types already
  if (read !== value) return read;
  return Object.fromEntries(
    Object.entries(read).map(([name, member]) => {
      const shape = schema instanceof z.ZodObject ? (schema.shape as z.core.$ZodShape)[name] : schema.valueType;
      return [name, shape ? coerce(shape, member) : (member as unknown)];
    }),
  );
}

function coerceList(schema: z.ZodArray, value: unknown): unknown {
  const read = fromJson(value, '[');
  if (read !== value) return read;
  // one value of a list is a list of one: `pattern=a` beside `pattern=a&pattern=b`
  const list = Array.isArray(value) ? (value as unknown[]) : value === '' ? [] : [value];
  return list.map((member) => coerce(schema.element, member));
}

function fromJson(value: unknown, opening: '{' | '['): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith(opening)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** The schema within `optional`, `nullable`, `default` and what is checked or changed after it. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  return schema;
}

function mayBeNull(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodNullable) return true;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return mayBeNull(schema.unwrap());
  return false;
}
