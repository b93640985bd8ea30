/** A run as it goes on: told by the server as it happens, asked again every few seconds where that cannot be. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { keyOf, useRead, type Answer } from '../../api.ts';
import { isOpen, sampled, sampleOf, type Sample } from './run-words.ts';

export type Run = Answer<'runs.info'>['run'];

const ASK_MS = 1_500;
/** With events on their way, a look now and then finds what a broken line has lost. */
const LOOK_MS = 15_000;

export function useRun(id: number) {
  const [told, setTold] = useState(false);
  const [open, setOpen] = useState(true);
  const asked = useRead('runs.info', { id }, { refresh: open ? (told ? LOOK_MS : ASK_MS) : 30_000, enabled: id > 0 });
  const run = asked.data?.run;
  if (run && isOpen(run.state) !== open) setOpen(isOpen(run.state));
  useEvents(id, open && run !== undefined, setTold);
  return { asked, run, samples: useSamples(run, asked.dataUpdatedAt) };
}

/** Listens to the run's events and puts what they tell where `runs.info` was put. */
function useEvents(id: number, wanted: boolean, setTold: (told: boolean) => void): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!wanted) return undefined;
    const source = new EventSource(`/api/runs.events/${id}`);
    const read = ({ data }: MessageEvent<string>): void => {
      const event = JSON.parse(data) as { readonly run?: Run };
      if (!event.run) return;
      setTold(true);
      client.setQueryData<Answer<'runs.info'>>(keyOf('runs.info', { id }), { run: event.run });
      if (!isOpen(event.run.state)) ended();
    };
    // an EventSource tries again by itself; meanwhile the run is asked for
    const lost = (): void => setTold(false);
    const ended = (): void => {
      source.close();
      void client.invalidateQueries({
        predicate: ({ queryKey: [name] }) =>
          typeof name === 'string' && /^(runs\.list|connections\.|projects\.)/.test(name),
      });
    };
    source.addEventListener('message', read);
    source.addEventListener('run', read);
    source.addEventListener('error', lost);
    return () => {
      source.close();
      setTold(false);
    };
  }, [client, id, wanted, setTold]);
}

/** What the last seconds brought, for the pace. */
function useSamples(run: Run | undefined, at: number): readonly Sample[] {
  const [kept, setKept] = useState<{ readonly id: number; readonly samples: readonly Sample[] }>({
    id: 0,
    samples: [],
  });
  if (!run || run.state !== 'running') return [];
  const before = kept.id === run.id ? kept.samples : [];
  const samples = sampled(before, sampleOf(run.progress, at));
  if (samples !== before) setKept({ id: run.id, samples });
  return samples;
}
