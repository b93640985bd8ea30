/** The state of a connection, a run or a ledger row: a word and a sign, never colour alone. */
import { Badge, Tooltip, type MantineColor } from '@mantine/core';

interface Look {
  readonly color: MantineColor;
  readonly sign: string;
  readonly word: string;
  readonly meaning: string;
}

const LOOKS = {
  draft: { color: 'gray', sign: '○', word: 'draft', meaning: 'Not verified yet; it is not synced.' },
  verified: { color: 'green', sign: '✓', word: 'verified', meaning: 'The server accepted the credentials.' },
  syncing: { color: 'sea', sign: '↻', word: 'syncing', meaning: 'A run is reading the server.' },
  disabled: { color: 'gray', sign: '‖', word: 'disabled', meaning: 'Not synced until it is enabled again.' },
  queued: { color: 'gray', sign: '…', word: 'queued', meaning: 'Waits for a worker.' },
  running: { color: 'sea', sign: '↻', word: 'running', meaning: 'Reads the server now.' },
  complete: {
    color: 'green',
    sign: '✓',
    word: 'complete',
    meaning: 'What is stored is what the server says there is.',
  },
  partly_failed: {
    color: 'orange',
    sign: '!',
    word: 'partly failed',
    meaning: 'Less than everything was stored; what is missing is named.',
  },
  failed: { color: 'red', sign: '✕', word: 'failed', meaning: 'Ended by an error; what was committed stays.' },
  cancelled: { color: 'gray', sign: '■', word: 'cancelled', meaning: 'Stopped by a person; what was committed stays.' },
  moving: {
    color: 'sea',
    sign: '~',
    word: 'moving',
    meaning: 'The server changed while it was read; the next run looks there first.',
  },
  short: { color: 'red', sign: '!', word: 'short', meaning: 'The server has more than is stored.' },
  suspect: {
    color: 'orange',
    sign: '?',
    word: 'suspect',
    meaning: 'The answers do not fit together; nothing was marked gone.',
  },
  unread: { color: 'gray', sign: '…', word: 'not read yet', meaning: 'Listed by the server; the next run reads it.' },
  gone: { color: 'gray', sign: '✕', word: 'gone', meaning: 'The server has it no more; what was stored stays.' },
  unreadable: { color: 'gray', sign: '⊘', word: 'unreadable', meaning: 'Not open to the token.' },
  revoked: { color: 'gray', sign: '✕', word: 'revoked', meaning: 'Not accepted any more.' },
  expired: { color: 'red', sign: '✕', word: 'expired', meaning: 'Past its end.' },
  active: { color: 'green', sign: '✓', word: 'active', meaning: 'Accepted.' },
} as const satisfies Readonly<Record<string, Look>>;

export type State = keyof typeof LOOKS;

export interface StateBadgeProps {
  readonly state: State;
  /** Instead of what the state means in general, for example why a connection is disabled. */
  readonly why?: string | null;
}

export function StateBadge({ state, why }: StateBadgeProps) {
  const { color, sign, word, meaning }: Look = LOOKS[state];
  return (
    <Tooltip label={why ?? meaning} multiline maw={360} events={{ hover: true, focus: true, touch: true }}>
      <Badge
        className="state-badge"
        data-color={color}
        color={color}
        variant="light"
        tt="none"
        radius="sm"
        tabIndex={0}
        style={{ flexShrink: 0, minWidth: 'max-content' }}
      >
        <span aria-hidden="true">{sign} </span>
        {word}
      </Badge>
    </Tooltip>
  );
}
