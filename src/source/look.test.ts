/** What changed since the last run, while issues vanish from the list between two of its pages. */
import { expect, test } from 'vitest';
import type { SonarClient } from './client.ts';
import { SonarSource } from './sonarqube.ts';

const date = (second: number): string => `${new Date(second * 1000).toISOString().slice(0, 19)}+0000`;
const NOW = 1_780_000_000;

/** A server of issues changed a second after each other, newest first, each in a project of its own. */
function server(count: number) {
  const state = {
    left: Array.from({ length: count }, (_, n) => n),
    requests: 0,
    before: (_page: number): void => undefined,
  };
  const issue = (n: number) => ({
    key: `i${n}`,
    component: `p${n}`,
    project: `p${n}`,
    rule: 'java:S1',
    status: 'OPEN',
    creationDate: date(NOW - 1_000_000),
    updateDate: date(NOW - n),
  });
  const answers: Readonly<Record<string, (p: number) => unknown>> = {
    'projects/search': () => ({ paging: { total: 0 }, components: [] }),
    'metrics/search': () => ({ total: 0, metrics: [] }),
    'issues/search': (p) => {
      state.requests += 1;
      state.before(p);
      return { paging: { total: state.left.length }, issues: state.left.slice((p - 1) * 500, p * 500).map(issue) };
    },
  };
  const client = {
    baseUrl: 'http://sonar',
    firstAnswerAt: new Date(NOW * 1000),
    get: (endpoint: string, { p }: { p: number }) =>
      Promise.resolve({ body: answers[endpoint]?.(p), bytes: 1000, receivedAt: new Date(), serverDate: null }),
  };
  const source = new SonarSource(client as unknown as SonarClient);
  const look = () =>
    source.look(
      { at: date(NOW - 1100) },
      () => true,
      () => Promise.resolve(),
    );
  return { state, source, look };
}

/** Changed since fifteen minutes before the last run: the first 2,001. */
const wanted = (left: readonly number[]): Set<string> => new Set(left.filter((n) => n <= 2000).map((n) => `p${n}`));

test('a look that ends on its first page costs one request', async () => {
  const { state, look } = server(400);
  expect(await look()).toEqual({ touched: wanted(state.left), whole: true, total: 400 });
  expect(state.requests).toBe(1);
});

test('what vanished between the first page, asked for early, and the look hides no change', async () => {
  const { state, source, look } = server(3000);
  await source.list(() => Promise.resolve());
  state.left = state.left.slice(40);
  const { touched, whole } = await look();
  expect(whole).toBe(true);
  expect([...wanted(state.left)].filter((project) => !touched.has(project))).toEqual([]);
});

test('what vanishes between two pages is seen by the total, and they are read again', async () => {
  const { state, look } = server(3000);
  let vanished = false;
  state.before = (page) => {
    if (page !== 3 || vanished) return;
    vanished = true;
    state.left = state.left.slice(60);
  };
  const { touched, whole } = await look();
  expect(whole).toBe(true);
  expect([...wanted(state.left)].filter((project) => !touched.has(project))).toEqual([]);
});

test('a list that never stands still is not said to be whole', async () => {
  const { state, look } = server(9000);
  state.before = (page) => {
    if (page > 1) state.left = state.left.slice(1);
  };
  expect((await look()).whole).toBe(false);
});
