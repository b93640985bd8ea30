import { expect, test } from 'vitest';
import { readSchedule, writeSchedule } from './schedule.ts';

test.each(['', 'manual', 'every 1 h', 'every 15 min', 'every 2 d', '0 3 * * * Europe/Berlin', '*/5 8-18 * * 1-5 UTC'])(
  '“%s” comes back as it is',
  (text) => {
    const read = readSchedule(text);
    expect(read && writeSchedule(read)).toBe(text);
  },
);

test('a cron expression without a time zone is in UTC', () => {
  expect(readSchedule('0  3 * * *')).toMatchObject({ kind: 'cron', zone: 'UTC' });
  expect(writeSchedule({ ...readSchedule('0  3 * * *')!, zone: ' ' })).toBe('0 3 * * * UTC');
});

test.each(['often', 'every day', 'every 5 fortnights', '1 2 3', '1 2 3 4 5 6 7'])('“%s” is none', (text) => {
  expect(readSchedule(text)).toBeNull();
});
