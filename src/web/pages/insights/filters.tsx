/** The filters of the insights. They stand in the address. */
import { Button, Group, NativeSelect, Paper, TagsInput, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useRead } from '../../api.ts';
import { INTERVALS, type InsightsSearch } from './insights-search.ts';

interface FiltersProps {
  readonly shown: InsightsSearch;
  readonly onChange: (next: InsightsSearch) => void;
}

const TYPING_MS = 250;

export function Filters({ shown, onChange }: FiltersProps) {
  const connections = useRead('connections.list', {});
  const list = connections.data?.connections ?? [];
  const set = (change: { readonly [K in keyof InsightsSearch]?: InsightsSearch[K] | undefined }): void => {
    const next = Object.fromEntries(
      Object.entries({ ...shown, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    onChange(next);
  };
  return (
    <Paper withBorder p="md" component="section" aria-label="Filters">
      <Group align="flex-end" gap="md">
        <NativeSelect
          label="Connection"
          value={String(shown.connection ?? '')}
          onChange={({ currentTarget: { value } }) =>
            set({ connection: value === '' ? undefined : Number(value), projects: undefined })
          }
          data={[
            { value: '', label: 'All connections' },
            ...list.map(({ id, name }) => ({ value: String(id), label: name })),
          ]}
        />
        <Projects
          connection={shown.connection ?? (list.length === 1 ? list[0]?.id : undefined)}
          value={shown.projects ?? []}
          onChange={(projects) => set({ projects: projects.length === 0 ? undefined : projects })}
        />
        <TextInput
          type="date"
          label="From"
          value={shown.from ?? ''}
          max={shown.to}
          onChange={({ currentTarget: { value } }) => set({ from: value })}
        />
        <TextInput
          type="date"
          label="To"
          value={shown.to ?? ''}
          min={shown.from}
          onChange={({ currentTarget: { value } }) => set({ to: value })}
        />
        <NativeSelect
          label="By"
          value={shown.interval ?? 'week'}
          onChange={({ currentTarget: { value } }) => {
            const interval = INTERVALS.find((one) => one === value);
            set({ interval: interval === 'week' ? undefined : interval });
          }}
          data={[...INTERVALS]}
        />
        {Object.keys(shown).length > 0 && (
          <Button variant="default" onClick={() => onChange({})}>
            Show everything
          </Button>
        )}
      </Group>
    </Paper>
  );
}

interface ProjectsProps {
  readonly connection: number | undefined;
  readonly value: readonly string[];
  readonly onChange: (keys: string[]) => void;
}

/** Keys of projects, with suggestions of the connection's while one types. */
function Projects({ connection, value, onChange }: ProjectsProps) {
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), TYPING_MS);
  const found = useRead(
    'projects.list',
    { connection_id: connection ?? 1, limit: 20, ...(search !== '' && { search: search.slice(0, 500) }) },
    { enabled: connection !== undefined, keep: true },
  );
  return (
    <TagsInput
      label="Projects (keys)"
      placeholder={value.length === 0 ? 'All projects' : ''}
      style={{ flex: '1 1 16rem' }}
      value={[...value]}
      onChange={onChange}
      searchValue={typed}
      onSearchChange={setTyped}
      maxTags={200}
      clearable
      clearButtonProps={{ 'aria-label': 'Take every project away' }}
      // the server searches names too, which stand in no key
      filter={({ options }) => options}
      data={(found.data?.projects ?? []).map(({ key }) => key).filter((key) => !value.includes(key))}
    />
  );
}
