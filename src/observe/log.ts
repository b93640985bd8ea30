/** The program's log: one line a happening, as JSON for machines or as text for people, without any secret. */
import { pino, type Logger } from 'pino';
import type { WatchConfig } from '../app/config.ts';

export interface LogOptions extends Pick<WatchConfig, 'format' | 'level'> {
  readonly write: (line: string) => void;
}

/** Where a secret could stand in a logged value: nothing of these is ever written. */
const SECRET = ['token', 'api_token', 'client_key', 'password', 'secrets', 'authorization', 'cookie', 'key'];
const PATHS = [...SECRET, ...SECRET.map((name) => `*.${name}`), 'req.headers', 'res.headers'];

/** A token of SonarQube's or of ours, wherever in a text it stands. */
const TOKEN = /\b(squ|sqa|sqp|sdg)_[\w-]{8,}/g;

/** A pino logger; also what fastify logs with. */
export function makeLog({ format, level, write }: LogOptions): Logger {
  const masked = (line: string): string => line.replace(TOKEN, '$1_****');
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: PATHS, censor: '****' },
      serializers: { req: request, res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }) },
    },
    { write: (line: string) => write(masked(format === 'json' ? line : asText(line))) },
  );
}

/** What of a request is logged: never its query, in which a careless caller may have put anything. */
function request({ method, url, ip }: { method: string; url: string; ip: string }): object {
  return { method, path: url.split('?')[0], ip };
}

/** `2027-01-31 12:00:00 info  Run 3 ended: complete. run=3 connection=1` */
function asText(line: string): string {
  const {
    time,
    level,
    msg,
    pid: _pid,
    err,
    ...fields
  } = JSON.parse(line) as Record<string, unknown> & {
    time: string;
    level: string;
    msg?: string;
    err?: { message?: string; stack?: string };
  };
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const text = [time.slice(0, 19).replace('T', ' '), level.padEnd(5), msg ?? '', ...rest].join(' ');
  return `${text}${err?.stack === undefined ? '' : `\n${err.stack}`}\n`;
}
