/** The last runs, oldest at the left: as high as they took long, each a link. */
import { Text, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { ago, duration } from '../../parts/words.ts';
import { useNow } from '../../parts/use-now.ts';
import classes from './timeline.module.css';
import { secondsOf } from './run-words.ts';
import type { Run } from './use-run.ts';

/** As much of the height as the longest run takes; even the shortest can be hit. */
const LEAST = 12;

export function Timeline({ connection, runs }: { readonly connection: number; readonly runs: readonly Run[] }) {
  const now = useNow();
  const took = (run: Run): number => secondsOf(run, now) ?? 0;
  const longest = Math.max(1, ...runs.map(took));
  return (
    <ol className={classes['line']} aria-label="The last runs, oldest first">
      {[...runs].reverse().map((run) => {
        const seconds = took(run);
        const words = `Run ${run.id}: ${run.state.replace('_', ' ')}, ${ago(run.started_at ?? run.queued_at, now)}, ${duration(seconds)}`;
        return (
          <li key={run.id} className={classes['place']}>
            <Tooltip label={words} events={{ hover: true, focus: true, touch: true }}>
              <Link
                to="/connections/$id/runs/$run"
                params={{ id: String(connection), run: String(run.id) }}
                aria-label={words}
                className={classes['run']}
                data-state={run.state}
                style={{ height: `${LEAST + (100 - LEAST) * (seconds / longest)}%` }}
              />
            </Tooltip>
          </li>
        );
      })}
      {runs.length === 0 && (
        <li>
          <Text size="sm">No run yet.</Text>
        </li>
      )}
    </ol>
  );
}
