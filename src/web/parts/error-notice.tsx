/** An error as people need it: the sentence, what to do, and the code to search for. Never a blank page. */
import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { ApiError } from '../api.ts';
import { IconAlert } from './icons.tsx';

/** What helps, beyond the sentence that the API itself gives. */
const REMEDIES: Readonly<Record<string, string>> = {
  unreachable: 'Start it again with "soundings serve"; this page goes on by itself once it answers.',
  not_authed: 'Sign in again; nothing that was saved is lost.',
  missing_scope: 'Ask an administrator of this Soundings for the role that may do this.',
  connection_not_found: 'It was deleted, perhaps in another window. The list of connections has what is left.',
  credential_not_found: 'It was deleted, perhaps in another window. Reload the page to see what is left.',
  conflict: 'Reload the page to see what it is now, then try again.',
  database_unavailable: 'Look at the server log; "soundings doctor" says what is wrong with the database.',
  too_many_requests: 'Wait a minute, then try again.',
  vault_locked: 'Start "soundings serve" with the key that sealed the credentials.',
  unexpected: 'The server log has the details; a bug report with them is welcome.',
};

export interface ErrorNoticeProps {
  readonly error: unknown;
  /** What was tried, as a heading. */
  readonly title?: string;
  readonly onRetry?: () => void;
}

export function ErrorNotice({ error, title = 'That did not work', onRetry }: ErrorNoticeProps) {
  const code = error instanceof ApiError ? error.code : 'unexpected';
  const message = error instanceof Error ? error.message : String(error);
  const fields = error instanceof ApiError ? fieldsOf(error.details) : [];
  const remedy = REMEDIES[code];
  return (
    <Alert className="error-notice" color="red" variant="light" icon={<IconAlert />} title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{message}</Text>
        {fields.map(([field, text]) => (
          <Text size="sm" key={field}>
            <b>{field}</b>: {text}
          </Text>
        ))}
        {remedy !== undefined && <Text size="sm">{remedy}</Text>}
        <Group gap="sm">
          <Code>{code}</Code>
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              Try again
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}

function fieldsOf(details: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(details).flatMap(([field, what]) => (typeof what === 'string' ? [[field, what]] : []));
}
