/** Checks whether an answer has the shape a schema describes, without making a copy of it: pages have thousands of fields. */
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';

const ajv = new Ajv({ strict: false, useDefaults: true, meta: false, validateSchema: false });
const checks = new WeakMap<z.ZodType, ValidateFunction>();

/**
 * Is it what the schema describes? Its defaults are then filled in; fields that it does not name stay. The schema may
 * hold nothing that JSON Schema cannot say, such as a transformation.
 */
export function hasShape<S extends z.ZodType>(schema: S, body: unknown): body is z.output<S> {
  let check = checks.get(schema);
  if (!check) {
    check = ajv.compile(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }));
    checks.set(schema, check);
  }
  return check(body);
}
