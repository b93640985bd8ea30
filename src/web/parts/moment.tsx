/** A moment as people say it ("3 minutes ago"), with the exact time on hover and for machines. */
import { Text, Tooltip } from '@mantine/core';
import { useNow } from './use-now.ts';
import { ago, exact } from './words.ts';

export interface MomentProps {
  /** ISO-8601, as the API writes it. */
  readonly at: string | null;
  /** What stands there when it never was. */
  readonly never?: string;
}

export function Moment({ at, never = 'never' }: MomentProps) {
  const now = useNow();
  if (at === null) {
    return (
      <Text span inherit c="dimmed">
        {never}
      </Text>
    );
  }
  return (
    <Tooltip label={exact(at)}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {ago(at, now)}
      </time>
    </Tooltip>
  );
}
