/** The API's description, OpenAPI 3.1, made of the same schemas that check arguments and answers. */
import { z } from 'zod';
import { VERSION } from '../app/version.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { unwrapped } from './coerce.ts';
import { methods } from './dispatch.ts';
import { DOWNLOADS, type Download } from './downloads.ts';
import type { AnyMethod } from './method.ts';
import { routeOf } from './routes.ts';
import { COMMON_ERRORS, STATUS } from './status.ts';

type Json = Readonly<Record<string, unknown>>;

const MEANING: Readonly<Record<number, string>> = {
  400: 'The body is neither a JSON object nor an URL-encoded form.',
  401: 'Nobody is signed in, and there is no API token that is good; or a sign-in that failed.',
  403: 'The token or user may not do this, or a page of another site asked.',
  404: 'There is no such thing.',
  409: 'Somebody else changed or is doing the same.',
  413: 'The body is larger than 1 MiB.',
  422: 'The arguments cannot be used, or verification failed; nothing was changed.',
  429: 'Too many requests from this address.',
  500: 'Something that this program did not foresee.',
  503: 'The database, or a key that is needed, is not there; or the server is stopping.',
};

/** The whole document. */
export function openApi(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Soundings',
      version: VERSION,
      description:
        'Connections, credentials, syncs and what was read of SonarQube Servers. Every method is asked at `/api/FAMILY.method`; ' +
        'GET reads, POST changes. Arguments of a POST are a JSON object or an URL-encoded form. Every answer is `{"ok":true,…}`, or ' +
        '`{"ok":false,"error":"<code>","message":"…"}`, with `details` by field where arguments are wrong. Further codes can come.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...new Set(methods().map(familyOf))].map((name) => ({ name })),
    paths: Object.fromEntries([...methods(), ...DOWNLOADS].map((method) => [pathOf(method), operation(method)])),
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API token, made by tokens.create or `soundings tokens create`.',
        },
      },
    },
  };
}

type Described = AnyMethod | Download;

const familyOf = ({ name }: Described): string => name.split('.')[0] ?? name;

const pathOf = ({ name }: Described): string => routeOf(name).path.replace(/:(\w+)/g, '{$1}');

function operation(method: Described): Json {
  const { verb, inPath } = routeOf(method.name);
  const input = schemaOf(method.input, 'input');
  const properties = (input['properties'] ?? {}) as Record<string, Json>;
  const required = new Set((input['required'] ?? []) as string[]);
  const rest = Object.keys(properties).filter((name) => !inPath.includes(name));
  const parameter = (name: string, place: 'path' | 'query'): Json => ({
    name,
    in: place,
    required: place === 'path' || required.has(name),
    ...inQuery(method, name, properties[name] ?? {}),
  });
  return {
    [verb.toLowerCase()]: {
      operationId: method.name,
      tags: [familyOf(method)],
      summary: method.summary,
      description: method.scope === null ? 'Also without signing in.' : `Needs the scope \`${method.scope}\`.`,
      security: method.scope === null ? [{}, { token: [] }] : [{ token: [] }],
      parameters: [
        ...inPath.map((name) => parameter(name, 'path')),
        ...(verb === 'GET' ? rest.map((name) => parameter(name, 'query')) : []),
      ],
      ...(verb === 'POST' && { requestBody: body(input, properties, rest, required) }),
      responses: responses(method, verb),
    },
  };
}

/** Lists and objects travel as JSON in a query. */
function inQuery(method: Described, name: string, schema: Json): Json {
  const shape = (method.input.shape as Readonly<Record<string, z.core.$ZodType>>)[name];
  const inner = shape && unwrapped(shape);
  const asJson = inner instanceof z.ZodObject || inner instanceof z.ZodRecord || inner instanceof z.ZodArray;
  return asJson ? { content: { 'application/json': { schema } } } : { schema };
}

function body(input: Json, properties: Record<string, Json>, names: string[], required: ReadonlySet<string>): Json {
  const schema = {
    ...input,
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
    required: names.filter((name) => required.has(name)),
  };
  const nested = names.filter((name) => properties[name]?.['type'] === 'object');
  const encoding = Object.fromEntries(nested.map((name) => [name, { style: 'deepObject', explode: true }]));
  return {
    required: schema.required.length > 0,
    content: {
      'application/json': { schema },
      'application/x-www-form-urlencoded': { schema, ...(nested.length > 0 && { encoding }) },
    },
  };
}

function responses(method: Described, verb: 'GET' | 'POST'): Json {
  const codes: readonly ErrorCode[] = [
    ...COMMON_ERRORS,
    ...(method.scope === null ? [] : (['not_authed', 'missing_scope'] as const)),
    ...(verb === 'POST' ? (['invalid_json', 'payload_too_large', 'wrong_origin'] as const) : []),
    ...(method.errors ?? []),
  ];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) byStatus.set(STATUS[code], [...(byStatus.get(STATUS[code]) ?? []), code]);
  return {
    ...('open' in method
      ? { 200: { description: 'The file.', content: filesOf(method) } }
      : { [method.status ?? 200]: { description: 'Done.', content: json(success(method)) } }),
    ...Object.fromEntries(
      [...byStatus].map(([status, list]) => [
        status,
        { description: MEANING[status] ?? 'An error.', content: json(failure(list)) },
      ]),
    ),
  };
}

const json = (schema: Json): Json => ({ 'application/json': { schema } });

function success(method: AnyMethod): Json {
  const output = schemaOf(method.output, 'output');
  return {
    ...output,
    properties: { ok: { const: true }, ...((output['properties'] ?? {}) as Json) },
    required: ['ok', ...((output['required'] ?? []) as string[])],
  };
}

const filesOf = ({ mediaTypes }: Download): Json =>
  Object.fromEntries(mediaTypes.map((type) => [type, { schema: type === 'text/event-stream' ? EVENT : FILE }]));

const FILE: Json = { type: 'string', format: 'binary' };
/** Of a stream the schema is that of each event. */
const EVENT: Json = {
  type: 'object',
  properties: {
    event: { const: 'run' },
    data: { type: 'string', description: 'JSON: `{"run": …}` as runs.info answers it.' },
  },
};

const failure = (codes: readonly ErrorCode[]): Json => ({
  type: 'object',
  properties: {
    ok: { const: false },
    error: { type: 'string', enum: [...codes].sort() },
    message: { type: 'string', description: 'Cause and remedy in one sentence.' },
    details: { type: 'object', description: 'For invalid_arguments: field → what is wrong with it.' },
  },
  required: ['ok', 'error', 'message'],
  additionalProperties: false,
});

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' });
  return rest;
}
