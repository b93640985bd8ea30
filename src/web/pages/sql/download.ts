/** All rows of a query as a file: the browser keeps it on disk while it comes. */
import { ApiError } from '../../api.ts';

export const FORMATS = [
  { format: 'csv', name: 'CSV' },
  { format: 'json', name: 'JSON' },
  { format: 'parquet', name: 'Parquet' },
] as const;
export type Format = (typeof FORMATS)[number]['format'];

export async function fileOf(sql: string, format: Format): Promise<Blob> {
  const response = await fetch('/api/query.export', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql, format }),
  }).catch(() => {
    throw new ApiError('unreachable', 'The Soundings server does not answer; check that it runs.', 0);
  });
  if (!response.ok) {
    const { error, message, details } = (await response.json().catch(() => ({}))) as {
      error?: string;
      message?: string;
      details?: Record<string, unknown>;
    };
    const text = message ?? `The Soundings server answers with ${response.status}.`;
    throw new ApiError(error ?? 'unexpected', text, response.status, details);
  }
  return response.blob().catch(() => {
    throw new ApiError(
      'cancelled',
      'The download broke off before its end, because the query failed or took too long; nothing was saved.',
      0,
    );
  });
}
