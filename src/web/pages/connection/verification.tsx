/** What a verification found, step by step, and the line to try by hand. */
import { Alert, Code, Group, List, Stack, Text, VisuallyHidden } from '@mantine/core';
import { ApiError, type Answer } from '../../api.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { IconAlert, IconCheck } from '../../parts/icons.tsx';

export type Verification = Answer<'connections.verify'>['verification'];

const SIGNS = { ok: ['✓', 'good'], failed: ['✕', 'failed'], skipped: ['–', 'not tried'] } as const;

export function VerificationResult({ found }: { readonly found: Verification }) {
  const good = found.outcome === 'verified';
  return (
    <Alert
      className="verification"
      color={good ? 'green' : 'red'}
      variant="light"
      icon={good ? <IconCheck /> : <IconAlert />}
      title={good ? 'The server accepts it' : 'The server was asked, and it did not work'}
      role={good ? 'status' : 'alert'}
    >
      <Stack gap="xs">
        <Text size="sm">{found.message}</Text>
        <List listStyleType="none" size="sm" spacing={2}>
          {found.steps.map(({ step, state, message }) => {
            const [sign, word] = SIGNS[state];
            return (
              <List.Item key={step}>
                <span aria-hidden="true">{sign}</span> <VisuallyHidden>{word}: </VisuallyHidden>
                <b>{step}</b> {message}
              </List.Item>
            );
          })}
        </List>
        {found.warnings.map((warning) => (
          <Text size="sm" key={warning}>
            {warning}
          </Text>
        ))}
        {!good && (
          <Group gap="sm">
            <Code>{found.outcome}</Code>
          </Group>
        )}
        {!good && found.curl !== '' && (
          <>
            <Code block>{found.curl}</Code>
            <Group>
              <CopyButton text={found.curl} label="Copy the curl line" />
            </Group>
          </>
        )}
      </Stack>
    </Alert>
  );
}

/** A failed change: the verification when that is what failed, else the error itself. */
export function ChangeFailure({ error, title }: { readonly error: unknown; readonly title: string }) {
  const found = verificationIn(error);
  return found ? <VerificationResult found={found} /> : <ErrorNotice error={error} title={title} />;
}

function verificationIn(error: unknown): Verification | null {
  const found = error instanceof ApiError ? error.details['verification'] : undefined;
  return typeof found === 'object' && found !== null && 'steps' in found ? (found as Verification) : null;
}

/** What the API says of one field, for showing it there. */
export function fieldError(error: unknown, field: string): string | undefined {
  const found = error instanceof ApiError ? error.details[field] : undefined;
  return typeof found === 'string' ? found : undefined;
}
