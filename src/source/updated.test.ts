/** What changed since the last run, while issues vanish from the list between two of its pages. */
import { expect, test } from 'vitest';
import type { Answer } from './enumerate.ts';
import type { IssueRow } from './streams/issues.ts';
import { readUpdated } from './updated.ts';
import { formatSecond } from './window.ts';

const NOW = 1_780_000_000;
/** The first 2,001 issues changed since then. */
const SINCE = NOW - 2000;
const answered = { receivedAt: new Date(), bytes: 1000, serverDate: null };

/** Changed so many seconds before now, in a project of its own. */
const row = (n: number): IssueRow => ({
  key: `i${n}`,
  project: `p${n}`,
  created: NOW - 1_000_000,
  values: {},
  updated: formatSecond(NOW - n),
  answered,
  take: () => ({
    key: `i${n}`,
    component: 'c',
    project: `p${n}`,
    rule: 'java:S1',
    status: 'OPEN',
    creationDate: formatSecond(NOW - 1_000_000),
    updateDate: formatSecond(NOW - n),
  }),
});

/** A server of so many issues; `before` is called before each page. */
class Server {
  left: number[];
  requests = 0;
  readonly #before: (server: Server, page: number) => void;

  constructor(count: number, before: (server: Server, page: number) => void = () => undefined) {
    this.left = Array.from({ length: count }, (_, n) => n);
    this.#before = before;
  }

  readonly fetch = (page: number): Promise<Answer<IssueRow>> => {
    this.requests += 1;
    this.#before(this, page);
    const rows = this.left.slice((page - 1) * 500, page * 500).map(row);
    return Promise.resolve({ total: this.left.length, rows, facets: new Map() });
  };

  /** Projects that must be found. */
  get changed(): Set<string> {
    return new Set(this.left.filter((n) => NOW - n >= SINCE).map((n) => `p${n}`));
  }
}

const nowhere = (): Promise<void> => Promise.resolve();

test('what ends on the first page costs one request, or none when it was asked for earlier', async () => {
  const server = new Server(400);
  const all = { touched: server.changed, whole: true, totalBefore: 400, totalAfter: 400 };
  expect(await readUpdated(server.fetch, SINCE, nowhere)).toEqual(all);
  const first = await server.fetch(1);
  expect(await readUpdated(server.fetch, SINCE, nowhere, { first })).toEqual(all);
  expect(server.requests).toBe(2);
});

test('rows are emitted of the projects that are wanted', async () => {
  const emitted: unknown[] = [];
  const { touched } = await readUpdated(
    new Server(3000).fetch,
    SINCE,
    (message) => {
      if (message.type === 'page') emitted.push(...message.page.records);
      return Promise.resolve();
    },
    { includes: (project) => project === 'p1700' || project === 'p2001' },
  );
  expect(touched.size).toBe(2001);
  expect(emitted).toMatchObject([{ key: 'i1700' }]);
});

test('what vanished since the first page was asked for hides no change', async () => {
  const server = new Server(3000);
  const first = await server.fetch(1);
  server.left = server.left.slice(40);
  const { touched, whole } = await readUpdated(server.fetch, SINCE, nowhere, { first });
  expect(whole).toBe(true);
  expect([...server.changed].filter((project) => !touched.has(project))).toEqual([]);
});

test('what vanishes between two pages is seen by the total, and they are read again', async () => {
  let vanished = false;
  const server = new Server(3000, (own, page) => {
    if (page !== 3 || vanished) return;
    vanished = true;
    own.left = own.left.slice(60);
  });
  const { touched, whole } = await readUpdated(server.fetch, SINCE, nowhere);
  expect(whole).toBe(true);
  expect([...server.changed].filter((project) => !touched.has(project))).toEqual([]);
});

test('a list that never stands still is not said to be whole', async () => {
  const server = new Server(9000, (own, page) => {
    if (page > 1) own.left = own.left.slice(1);
  });
  expect((await readUpdated(server.fetch, SINCE, nowhere)).whole).toBe(false);
});
