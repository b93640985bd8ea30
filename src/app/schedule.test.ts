import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSchedule, nextRun, parseSchedule } from './schedule.ts';

const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
const id = fc.integer({ min: 1, max: 2 ** 40 });
const every = fc
  .record({ n: fc.integer({ min: 1, max: 300 }), unit: fc.constantFrom('min', 'h', 'd') })
  .map(({ n, unit }) => `every ${n} ${unit}`);

describe('intervals', () => {
  test('the next time lies after the moment, at most one interval away', () => {
    fc.assert(
      fc.property(every, moment, id, (text, after, connection) => {
        const schedule = parseSchedule(text);
        const next = nextRun(schedule, after, connection)!.getTime();
        expect(next).toBeGreaterThan(after.getTime());
        if (schedule.kind === 'every') expect(next - after.getTime()).toBeLessThanOrEqual(schedule.ms);
      }),
    );
  });

  test('times follow each other by exactly one interval: none is left out, none comes twice', () => {
    fc.assert(
      fc.property(every, moment, id, (text, after, connection) => {
        const schedule = parseSchedule(text);
        const first = nextRun(schedule, after, connection)!;
        const second = nextRun(schedule, first, connection)!;
        expect(second.getTime() - first.getTime()).toBe(schedule.kind === 'every' ? schedule.ms : 0);
      }),
    );
  });

  test('whatever moment of an interval is asked at, the answer is the same', () => {
    fc.assert(
      fc.property(every, moment, id, fc.double({ min: 0, max: 1, noNaN: true }), (text, after, connection, part) => {
        const schedule = parseSchedule(text);
        const next = nextRun(schedule, after, connection)!;
        const between = new Date(
          Math.min(after.getTime() + part * (next.getTime() - after.getTime()), next.getTime() - 1),
        );
        expect(nextRun(schedule, between, connection)).toEqual(next);
      }),
    );
  });

  test('a hundred hourly connections are spread over the hour', () => {
    const schedule = parseSchedule('every 1 h');
    const minutes = new Set<number>();
    for (let connection = 1; connection <= 100; connection += 1) {
      minutes.add(nextRun(schedule, new Date('2026-01-01T00:00:00Z'), connection)!.getUTCMinutes());
    }
    expect(minutes.size).toBeGreaterThan(40);
  });
});

describe('cron', () => {
  test('is read in its time zone, through the change of clocks', () => {
    const schedule = parseSchedule('30 3 * * * Europe/Berlin');
    const times = [nextRun(schedule, new Date('2026-03-27T12:00:00Z'), 7)!];
    for (let n = 0; n < 2; n += 1) times.push(nextRun(schedule, times.at(-1)!, 7)!);
    expect(times.map((time) => time.toISOString())).toEqual([
      '2026-03-28T02:30:00.000Z',
      '2026-03-29T01:30:00.000Z',
      '2026-03-30T01:30:00.000Z',
    ]);
  });

  test('without a time zone it is UTC; the next time lies after the moment', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 23 }), (after, minute, hour) => {
        const next = nextRun(parseSchedule(`${minute} ${hour} * * *`), after, 1)!;
        expect(next.getTime()).toBeGreaterThan(after.getTime());
        expect(next.getTime() - after.getTime()).toBeLessThanOrEqual(86_400_000);
        expect([next.getUTCHours(), next.getUTCMinutes()]).toEqual([hour, minute]);
      }),
    );
  });
});

test('manual: never by itself', () => {
  expect(nextRun(parseSchedule(' manual '), new Date(), 1)).toBeNull();
});

test.each([
  ['often', /must be “every 1 h”/],
  ['every 0 min', /at least every 1 min/],
  ['every 30 s', /at least every 1 min/],
  ['every 999999 d', /at most every 366 d/],
  ['* * * *', /must be “every 1 h”/],
  ['* * * * * *', /must be “every 1 h”/],
  ['0 3 * * * Mars/Olympus', /time zone that is not known \(Mars\/Olympus\)/],
  ['61 3 * * *', /cron expression that cannot be read/],
  ['0 0 31 2 *', /cron expression that cannot be read/],
])('“%s” is refused with the reason', (text, reason) => {
  expect(() => checkSchedule(text)).toThrow(reason);
});

test('any text is either read or refused with a sentence', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9*/,\- ]{5,20}$/)), (text) => {
      try {
        nextRun(parseSchedule(text), new Date('2026-01-01T00:00:00Z'), 1);
      } catch (error) {
        expect((error as Error).message).toMatch(/^(must|names|holds)/);
      }
    }),
  );
});
