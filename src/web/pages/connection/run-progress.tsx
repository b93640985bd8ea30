/** How far a run is: a bar for every stream with true percents, its pace, and how much longer it takes. */
import { Group, Progress as Bar, Stack, Text } from '@mantine/core';
import { bytes, count, duration, percent } from '../../parts/words.ts';
import { useNow } from '../../parts/use-now.ts';
import { isOpen, ratesOf, secondsLeft, secondsOf, streamOf, streamsOf, type Sample } from './run-words.ts';
import type { Run } from './use-run.ts';

const PHASES = {
  listing: 'Asks which projects there are',
  reading: 'Reads the projects',
  checking: 'Compares with the server’s own counts',
  done: 'Done',
} as const;

export interface RunProgressProps {
  readonly run: Run;
  /** Of the last seconds, for the pace. */
  readonly samples: readonly Sample[];
}

export function RunProgress({ run, samples }: RunProgressProps) {
  const now = useNow();
  const { progress } = run;
  const open = isOpen(run.state);
  const seconds = secondsOf(run, now);
  const rates = run.state === 'running' ? ratesOf(samples) : null;
  const left = open ? secondsLeft(progress, seconds) : null;
  const { done, total } = progress.projects;
  return (
    <Stack>
      {run.state === 'running' && (
        <Text size="sm" role="status">
          {PHASES[progress.phase]}
          {run.cancel_requested_at !== null && ': is being cancelled'}
        </Text>
      )}
      {run.state === 'queued' && (
        <Text size="sm" role="status">
          Waits for a worker.
        </Text>
      )}
      {(total !== null || done > 0) && <Line name="Projects finished" read={done} expected={total} open={open} />}
      {streamsOf(progress).map(([stream, { read, expected }]) => (
        <Line key={stream} name={streamOf(stream)} read={read} expected={expected} open={open} />
      ))}
      <Group gap="lg" aria-label="Pace" role="group">
        {seconds !== null && <Figure name={open ? 'so far' : 'took'} value={duration(seconds)} />}
        {left !== null && <Figure name="left, about" value={duration(left)} />}
        {rates && <Figure name="rows/s" value={count(Math.round(rates.rows))} />}
        {rates && <Figure name="requests/s" value={rates.requests.toFixed(1)} />}
        <Figure name={progress.requests === 1 ? 'request' : 'requests'} value={count(progress.requests)} />
        {progress.retries > 0 && <Figure name="retried" value={count(progress.retries)} />}
        {open && progress.concurrency !== null && <Figure name="at once" value={count(progress.concurrency)} />}
        <Figure name="received" value={bytes(progress.bytes)} />
      </Group>
    </Stack>
  );
}

interface LineProps {
  readonly name: string;
  readonly read: number;
  readonly expected: number | null;
  readonly open: boolean;
}

/** Without a total from the server there is no percent: the bar then only says that something happens. */
function Line({ name, read, expected, open }: LineProps) {
  const share = expected === null ? null : expected === 0 && read === 0 ? 100 : percent(read, expected);
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={4}>
        <Text size="sm" fw={500}>
          {name}
        </Text>
        <Text size="sm" className="numbers" c="dimmed">
          {expected === null ? count(read) : `${count(read)} of ${count(expected)}`}
          {share !== null && ` · ${share} %`}
        </Text>
      </Group>
      <Bar.Root>
        <Bar.Section
          value={share ?? (open ? 100 : 0)}
          color={share === 100 ? 'green' : 'sea'}
          animated={open && share === null}
          striped={share === null}
          aria-label={`${name}: ${share === null ? `${count(read)} read` : `${share} %`}`}
        />
      </Bar.Root>
    </div>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <Text span fw={600} className="numbers">
        {value}
      </Text>{' '}
      <Text span size="sm" c="dimmed">
        {name}
      </Text>
    </div>
  );
}
