/** SQL: an editor, its result, and queries to begin with. It can only read. */
import { Button, Grid, Group, Loader, NativeSelect, Stack, Text } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { ApiError, useRead } from '../../api.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconStop } from '../../parts/icons.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { Editor, type Mark } from './editor.tsx';
import { Library, SaveButton } from './library.tsx';
import { Result } from './result.tsx';
import type { SqlSearch } from './sql-search.ts';
import { useQueryRun, type QueryState } from './use-query.ts';

const FIRST = `select severity, count(*) as issues
  from sonarqube_issues
 where deleted_at is null and issue_status in ('OPEN', 'CONFIRMED')
 group by severity
 order by issues desc`;

export function SqlPage() {
  const { sql: given }: SqlSearch = useSearch({ strict: false });
  const [text, setText] = useState(given ?? FIRST);
  const [begun, setBegun] = useState(given);
  if (given !== begun) {
    setBegun(given);
    if (given !== undefined) setText(given);
  }
  const [timeout, setTimeoutSeconds] = useState(30);
  const [maxRows, setMaxRows] = useState(1000);
  const { query, run, cancel } = useQueryRun();
  const schema = useRead('schema.list', {});
  const names = useMemo(
    () =>
      Object.fromEntries(
        (schema.data?.tables ?? []).map(({ name, columns }) => [name, columns.map((column) => column.name)]),
      ),
    [schema.data],
  );
  const mark = useMemo(() => markOf(query), [query]);
  const start = (): void => {
    if (text.trim() !== '') run({ sql: text, timeoutSeconds: timeout, maxRows });
  };
  return (
    <>
      <PageTitle title="SQL" about="Ask the warehouse in PostgreSQL's SQL. The role behind it can only read." />
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 8 }}>
          <Stack gap="sm">
            <Editor value={text} schema={names} mark={mark} onChange={setText} onRun={start} />
            <Group gap="sm" align="flex-end">
              {query.state === 'running' ? (
                <Button color="red" leftSection={<IconStop size={16} />} onClick={cancel}>
                  Cancel
                </Button>
              ) : (
                <Button onClick={start} disabled={text.trim() === ''}>
                  Run
                </Button>
              )}
              <SaveButton sql={text} />
              <NativeSelect
                aria-label="Time limit"
                value={String(timeout)}
                onChange={({ currentTarget }) => setTimeoutSeconds(Number(currentTarget.value))}
                data={[10, 30, 60, 300].map((value) => ({ value: String(value), label: `at most ${value} s` }))}
              />
              <NativeSelect
                aria-label="Row limit"
                value={String(maxRows)}
                onChange={({ currentTarget }) => setMaxRows(Number(currentTarget.value))}
                data={[100, 1000, 10_000, 50_000].map((value) => ({
                  value: String(value),
                  label: `at most ${value} rows`,
                }))}
              />
              <Text size="xs" c="dimmed">
                Ctrl+Enter runs it
              </Text>
            </Group>
            <Outcome query={query} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 4 }}>
          <Library onChoose={setText} />
        </Grid.Col>
      </Grid>
    </>
  );
}

function Outcome({ query }: { readonly query: QueryState }) {
  switch (query.state) {
    case 'idle':
      return null;
    case 'running':
      return (
        <Group gap="sm" role="status">
          <Loader size="sm" />
          <Text size="sm">The query runs.</Text>
        </Group>
      );
    case 'cancelled':
      return (
        <Text size="sm" role="status">
          The query was cancelled, on the server too.
        </Text>
      );
    case 'refused':
      return <ErrorNotice error={query.error} title="The query failed" />;
    case 'answered':
      return <Result key={query.answer.duration_ms} sql={query.asked.sql} answer={query.answer} />;
  }
}

function markOf(query: QueryState): Mark | null {
  if (query.state !== 'refused' || !(query.error instanceof ApiError)) return null;
  const { position } = query.error.details;
  return typeof position === 'number' ? { position, message: query.error.message } : null;
}
