/** Methods whose answer is a file or a stream, sent on as it is made; their errors before the first byte are envelopes as everywhere. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { exportRows, FORMAT_NAMES, FORMATS, type Export } from '../app/export.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { checked, type Called } from './dispatch.ts';
import type { Call } from './method.ts';
import { askerOf, sqlText } from './methods/queries.ts';
import { runEvents } from './run-events.ts';
import { id } from './shapes.ts';

export interface Download extends Called {
  readonly summary: string;
  readonly mediaTypes: readonly string[];
  readonly errors: readonly ErrorCode[];
  /** Goes on until its caller, or the server, ends it. */
  readonly endless?: boolean;
  readonly open: (call: Call, input: Record<string, unknown>) => Promise<Export>;
}

const exportInput = z.strictObject({
  sql: sqlText.optional(),
  /** Instead of sql: every row of a table. */
  table: z.string().min(1).max(200).optional(),
  format: z.enum(FORMAT_NAMES).default('csv'),
  /** For all of it, the time that the reader takes included. */
  timeout_seconds: z.number().min(0.1).max(3600).default(600),
});

const eventsInput = z.strictObject({ id });

export const DOWNLOADS: readonly Download[] = [
  {
    name: 'query.export',
    scope: 'query',
    summary: 'Every row of a statement or a table as a CSV, JSON or Parquet file.',
    input: exportInput,
    mediaTypes: Object.values(FORMATS).map(({ mediaType }) => mediaType),
    errors: ['table_not_found', 'too_many_requests'],
    open: ({ service, caller, signal }, input) => {
      const { sql, table, format, timeout_seconds } = exportInput.parse(input);
      return exportRows(service, askerOf(caller), { sql, table, format, timeoutSeconds: timeout_seconds }, signal);
    },
  },
  {
    name: 'runs.events',
    scope: 'read',
    summary: 'A run as it goes on, as server-sent events: `run` with what runs.info answers, until it has ended.',
    input: eventsInput,
    mediaTypes: ['text/event-stream'],
    errors: ['run_not_found'],
    endless: true,
    open: async (call, input) => ({
      fileName: null,
      mediaType: 'text/event-stream',
      body: Readable.from(await runEvents(call, eventsInput.parse(input).id)),
    }),
  },
];

/** Starts a download with arguments as they came. */
export async function open(download: Download, call: Call, args: Record<string, unknown>): Promise<Export> {
  return download.open(call, checked(download, args));
}
