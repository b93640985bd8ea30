/** When a connection is synced: not at all by itself, every so often, or by cron in a time zone. */
import { Autocomplete, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { readSchedule, UNITS, UNTOLD, writeSchedule, type Schedule } from './schedule.ts';

const KINDS = [
  { value: 'default', label: 'Hourly (default)' },
  { value: 'every', label: 'Every …' },
  { value: 'cron', label: 'At fixed times (cron)' },
  { value: 'manual', label: 'Only by hand' },
] as const;
const WORDS = { min: 'minutes', h: 'hours', d: 'days' } as const;
const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];

export interface ScheduleFieldProps {
  /** As settings hold it; empty: the default. */
  readonly value: string;
  readonly error?: string | undefined;
  readonly onChange: (value: string) => void;
}

export function ScheduleField({ value, error, onChange }: ScheduleFieldProps) {
  const read = readSchedule(value);
  // an expression that is being typed has no form yet
  const [draft, setDraft] = useState<Schedule>(read ?? UNTOLD);
  const typed = writeSchedule(draft) === value;
  const shown = typed ? draft : (read ?? draft);
  const change = (part: Partial<Schedule>): void => {
    const next = { ...shown, ...part };
    setDraft(next);
    onChange(writeSchedule(next));
  };
  return (
    <Stack gap="xs">
      <Group align="flex-start">
        <Select
          label="Sync"
          data={KINDS}
          allowDeselect={false}
          value={shown.kind}
          onChange={(kind) => change({ kind: KINDS.find((one) => one.value === kind)?.value ?? 'default' })}
          style={{ flex: '1 1 14rem' }}
        />
        {shown.kind === 'every' && (
          <>
            <NumberInput
              label="Every"
              min={1}
              max={9999}
              allowDecimal={false}
              allowNegative={false}
              value={shown.every}
              onChange={(every) => change({ every: Number(every) || 1 })}
              style={{ flex: '0 1 7rem' }}
            />
            <Select
              label="Unit"
              data={UNITS.map((unit) => ({ value: unit, label: WORDS[unit] }))}
              allowDeselect={false}
              value={shown.unit}
              onChange={(unit) => change({ unit: UNITS.find((one) => one === unit) ?? 'h' })}
              style={{ flex: '0 1 9rem' }}
            />
          </>
        )}
        {shown.kind === 'cron' && (
          <>
            <TextInput
              label="Cron expression"
              description="Minute, hour, day, month, weekday"
              value={shown.cron}
              onChange={(event) => change({ cron: event.currentTarget.value })}
              style={{ flex: '1 1 12rem' }}
            />
            <Autocomplete
              label="Time zone"
              description="As in Europe/Berlin"
              data={ZONES}
              limit={50}
              value={shown.zone}
              onChange={(zone) => change({ zone })}
              style={{ flex: '1 1 12rem' }}
            />
          </>
        )}
      </Group>
      {read === null && !typed && error === undefined && (
        <Text size="sm" c="dimmed">
          It is “{value}” now.
        </Text>
      )}
      {error !== undefined && (
        <Text size="sm" c="red" role="alert">
          {error}
        </Text>
      )}
    </Stack>
  );
}
