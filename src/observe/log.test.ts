/** The log: both forms, and that no secret comes through. */
import { expect, test } from 'vitest';
import { makeLog } from './log.ts';

function logged(format: 'json' | 'text', write: (log: ReturnType<typeof makeLog>) => void): string {
  const lines: string[] = [];
  write(makeLog({ format, level: 'info', write: (line) => lines.push(line) }));
  return lines.join('');
}

test('JSON lines carry the fields, the level and the time', () => {
  const text = logged('json', (log) => log.info({ run: 3, connection: 1 }, 'The run ended.'));
  expect(JSON.parse(text)).toMatchObject({ level: 'info', run: 3, connection: 1, msg: 'The run ended.' });
  expect((JSON.parse(text) as { time: string }).time).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('text for people is one line, with the fields at its end', () => {
  const text = logged('text', (log) => log.warn({ run: 3 }, 'The run ended.'));
  expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d warn {2}The run ended\. run=3\n$/);
});

test.each(['json', 'text'] as const)(
  'no secret comes through (%s): by its name, in a text, in an error, in a header',
  (format) => {
    const token = 'squ_0123456789abcdef0123456789abcdef01234567';
    const text = logged(format, (log) => {
      log.info({ token, settings: { password: token }, secrets: { api_token: token } }, `refused: ${token}`);
      log.error({ err: new Error(`Bearer ${token}`) }, 'failed');
      log.info(
        { req: { method: 'GET', url: `/a?token=${token}`, ip: '::1', headers: { authorization: token } } },
        'asked',
      );
    });
    expect(text).toContain('squ_****');
    expect(text).not.toContain('0123456789abcdef');
  },
);
