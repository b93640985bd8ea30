/** Recordings: answers of a real server, kept as gzipped JSON lines, one exchange a line, without any credential. */
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** One request and what the real server answered. */
export interface Exchange {
  /** Path and sorted query, for example `/api/metrics/search?p=1&ps=500`. */
  readonly request: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The form in which requests are compared: parameters sorted by name. */
export function canonical(url: string): string {
  const { pathname, searchParams } = new URL(url, 'http://recorded');
  searchParams.sort();
  const query = searchParams.toString();
  return query === '' ? pathname : `${pathname}?${query}`;
}

export async function readRecording(file: string | URL): Promise<Map<string, Exchange>> {
  const text = (await promisify(gunzip)(await readFile(file))).toString();
  const exchanges = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Exchange);
  return new Map(exchanges.map((exchange) => [exchange.request, exchange]));
}

export async function writeRecording(file: string, exchanges: Iterable<Exchange>): Promise<void> {
  const lines = [...exchanges].map((exchange) => JSON.stringify(exchange)).sort();
  await writeFile(file, await promisify(gzip)(`${lines.join('\n')}\n`, { level: 9 }));
}
