/** One query at a time: run, cancelled, answered or refused. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, ApiError, queries, type Answer } from '../../api.ts';

export interface Asked {
  readonly sql: string;
  readonly timeoutSeconds: number;
  readonly maxRows: number;
}

export type QueryState =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly since: number }
  | { readonly state: 'cancelled' }
  | { readonly state: 'answered'; readonly asked: Asked; readonly answer: Answer<'query.run'> }
  | { readonly state: 'refused'; readonly error: Error };

export function useQueryRun(): {
  readonly query: QueryState;
  readonly run: (asked: Asked) => void;
  readonly cancel: () => void;
} {
  const [query, setQuery] = useState<QueryState>({ state: 'idle' });
  const running = useRef<AbortController>(null);
  // who leaves the page wants no answer any more
  useEffect(() => () => running.current?.abort(), []);

  const run = useCallback((asked: Asked): void => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setQuery({ state: 'running', since: Date.now() });
    const input = { sql: asked.sql, timeout_seconds: asked.timeoutSeconds, max_rows: asked.maxRows };
    const settle = (next: QueryState): void => {
      if (running.current !== controller) return;
      running.current = null;
      setQuery(next);
      void queries.invalidateQueries({ queryKey: ['queries.history'] });
    };
    api.call('query.run', input, { signal: controller.signal }).then(
      (answer) => settle({ state: 'answered', asked, answer }),
      (error: unknown) =>
        settle(
          controller.signal.aborted
            ? { state: 'cancelled' }
            : {
                state: 'refused',
                error: error instanceof Error ? error : new ApiError('unexpected', String(error), 0),
              },
        ),
    );
  }, []);
  const cancel = useCallback(() => running.current?.abort(), []);
  return { query, run, cancel };
}
