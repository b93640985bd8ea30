/** Tallies and cursors of a batch share their statements; what comes of them is as if each had been written alone. */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client, Database } from '../db/database.ts';
import { testDatabase } from '../db/database.testing.ts';
import { migrate } from '../db/migrations.ts';
import type { Tally } from '../protocol/sync.ts';
import { STREAMS } from '../source/sonarqube.ts';
import { MERGE_SETTINGS } from './merge.ts';
import { MIGRATIONS_FOR_TESTS } from './schema.testing.ts';
import { ensureTables } from './schema.ts';
import { Writer, type Write } from './write.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const PROJECTS = ['a', 'b', 'c', 'd'];
const DATES = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'];
const METRICS = ['ncloc', 'violations', 'bugs'];

let database: Database;
beforeAll(async () => {
  database = await testDatabase();
  await migrate(database, MIGRATIONS_FOR_TESTS);
  await ensureTables(database, STREAMS);
});
afterAll(() => database.close());

// ------------------------------------------------------------------ what is stored

interface Row {
  readonly project: string;
  /** Which of the identities that rows of its table can have. */
  readonly n: number;
  readonly gone: boolean;
  readonly closed: boolean;
}

interface Stored {
  readonly issues: readonly Row[];
  readonly hotspots: readonly Row[];
  readonly analyses: readonly Row[];
  readonly measures: readonly Row[];
  /** Sixty more issues of the first project: as many as make one suspicious. */
  readonly many: boolean;
  /** The last project bears the server's id of the first. */
  readonly renamed: boolean;
  readonly suspects: readonly { stream: string; project: string; suspected: number; hours: number }[];
}

const NOTHING_STORED: Stored = {
  issues: [],
  hotspots: [],
  analyses: [],
  measures: [],
  many: false,
  renamed: false,
  suspects: [],
};

const issueKey = ({ project, n }: Pick<Row, 'project' | 'n'>): string => `${project}-${n}`;

async function store(client: pg.ClientBase, stored: Stored): Promise<void> {
  await client.query(
    `insert into sonarqube_projects (connection_id, source_key, name, synced_at, project_uuid)
     select 1, p, p, $2, case when $3 and p = 'd' then 'uuid-a' else 'uuid-' || p end from unnest($1::text[]) p order by p`,
    [PROJECTS, NOW, stored.renamed],
  );
  await client.query(
    `insert into sonarqube_metrics (connection_id, source_key, synced_at) select 1, m, $2 from unnest($1::text[]) m`,
    [METRICS, NOW],
  );
  const rows = [
    ...stored.issues,
    ...(stored.many
      ? Array.from({ length: 60 }, (_, n) => ({ project: 'a', n: n + 100, gone: false, closed: false }))
      : []),
  ];
  const given = `unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[]) r (project, value, gone, closed)
     join sonarqube_projects p on p.source_key = r.project`;
  const marked = `now(), case when r.gone then now() end, case when r.gone then 'vanished' end`;
  const insert = (into: string, values: string, rows: readonly Row[], value: (row: Row) => string) =>
    client.query(
      `insert into ${into}, connection_id, synced_at, deleted_at, gone_reason) select ${values}, 1, ${marked} from ${given} on conflict do nothing`,
      [rows.map((r) => r.project), rows.map(value), rows.map((r) => r.gone), rows.map((r) => r.closed)],
    );
  const metric = '(select id from sonarqube_metrics where source_key = r.value)';
  await insert(
    'sonarqube_issues (project_id, source_key, status',
    `p.id, r.value, case when r.closed then 'CLOSED' end`,
    rows,
    issueKey,
  );
  await insert('sonarqube_security_hotspots (project_id, source_key', 'p.id, r.value', stored.hotspots, issueKey);
  await insert(
    'sonarqube_current_measures (project_id, metric_id',
    `p.id, ${metric}`,
    stored.measures,
    ({ n }) => METRICS[n % 3] ?? '',
  );
  await insert(
    'sonarqube_analyses (project_id, date',
    'p.id, r.value::timestamptz',
    stored.analyses,
    ({ n }) => DATES[n % 3] ?? '',
  );
  await client.query(
    `insert into sonarqube_project_metrics (connection_id, metric_id, project_id, date, value, synced_at)
     select 1, m.id, a.project_id, a.date, '1', now() from sonarqube_analyses a, sonarqube_metrics m`,
  );
  await client.query(
    `insert into sonarqube_completeness (connection_id, stream, project, state, suspected, suspected_since, checked_at)
     select 1, s.stream, s.project, 'suspect', s.suspected, $2::timestamptz - s.hours * interval '1 hour', $2
       from jsonb_to_recordset($1) s (stream text, project text, suspected int, hours int) on conflict do nothing`,
    [JSON.stringify(stored.suspects), NOW],
  );
  await client.query(
    `insert into soundings.cursors (connection_id, stream, slice, cursor, updated_at)
     select 1, s, p, '{}', now() from unnest($1::text[]) p, unnest(array['issues', 'details']) s`,
    [PROJECTS],
  );
}

/** Everything that settling can change. */
async function everything(client: pg.ClientBase): Promise<unknown> {
  const found: unknown[] = [];
  for (const table of [...STREAMS.map((stream) => stream.table), 'sonarqube_completeness', 'soundings.cursors']) {
    const { rows } = await client.query(`select to_jsonb(t) as row from ${table} t order by to_jsonb(t)::text`);
    found.push(rows);
  }
  return found;
}

// ------------------------------------------------------------------ what is written

const row = fc.record({
  project: fc.constantFrom(...PROJECTS.slice(0, 3)),
  n: fc.nat(2),
  gone: fc.boolean(),
  closed: fc.boolean(),
});

const stored: fc.Arbitrary<Stored> = fc.record({
  issues: fc.array(row, { maxLength: 8 }),
  hotspots: fc.array(row, { maxLength: 8 }),
  analyses: fc.array(row, { maxLength: 6 }),
  measures: fc.array(row, { maxLength: 6 }),
  many: fc.boolean(),
  renamed: fc.boolean(),
  suspects: fc.array(
    fc.record({
      stream: fc.constantFrom('issues', 'hotspots', 'measures', 'measures_history', 'projects'),
      project: fc.constantFrom('', ...PROJECTS),
      suspected: fc.constantFrom(1, 2, 3, 60, 61),
      hours: fc.constantFrom(0, 2),
    }),
    { maxLength: 3 },
  ),
});

/** The identities that a pass can meet. */
function identities(stream: string, project: string | null): string[] {
  if (stream === 'projects') return PROJECTS;
  if (stream === 'metrics' || stream === 'measures') return METRICS;
  if (stream === 'measures_history') return DATES.map((date) => String(new Date(date).getTime()));
  return [0, 1, 2].map((n) => issueKey({ project: project ?? '', n }));
}

const place = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constantFrom('issues', 'hotspots', 'measures', 'measures_history'),
      fc.constantFrom('a', 'b', 'c', 'absent'),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('projects', 'metrics'), fc.constant(null)) },
);

const marks = fc.constantFrom<(Readonly<Record<string, unknown>> | undefined)[]>(
  undefined,
  { api_accessible: false },
  { issues_synced_at: NOW },
  { metrics_synced_to: '2026-01-03T00:00:00+0000', metrics_synced_at: NOW, api_accessible: true },
  { metrics_synced_to: null, metrics_synced_at: NOW, api_accessible: true },
);

/** What keeps a pass from having seen everything. */
const flaw = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none' as const) },
  { weight: 3, arbitrary: fc.constantFrom('moved', 'unread', 'hole', 'uncounted', 'unkeyed', 'closed') },
);

const tally: fc.Arbitrary<Tally> = fc
  .record({
    place,
    met: fc.array(fc.nat(3), { maxLength: 4 }),
    flaw,
    readable: fc.constantFrom(true, true, false),
    from: fc.constantFrom(undefined, ...DATES),
    marks,
  })
  .map(({ place: [stream, project], met, flaw, readable, from, marks }) => {
    const all = identities(stream, project);
    const keys = new Set(met.flatMap((n) => all[n] ?? []));
    const total = keys.size + (flaw === 'unread' || flaw === 'hole' ? 1 : 0);
    return {
      stream,
      project,
      totalBefore: flaw === 'moved' ? total + 1 : total,
      totalAfter: total,
      seen: flaw === 'uncounted' ? null : keys.size,
      holes: flaw === 'hole' ? 1 : 0,
      readable,
      ...(flaw !== 'unkeyed' && { keys }),
      ...(from !== undefined && stream === 'measures_history' && { from: new Date(from) }),
      ...(flaw === 'closed' && { problem: { state: 'unreadable' as const, reason: '403' } }),
      ...(marks && { marks }),
    };
  });

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 4, arbitrary: tally.map((tally) => ({ type: 'tally' as const, tally })) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('cursor' as const),
      stream: fc.constantFrom('issues', 'details'),
      slice: fc.constantFrom(...PROJECTS),
      cursor: fc.option(fc.record({ at: fc.string() })),
    }),
  },
);

// ------------------------------------------------------------------ alone and together

/** Writes in the transaction of `client`. */
function writerIn(client: Client): Writer {
  const open: Pick<Database, 'transaction'> = { transaction: (run) => run(client) };
  return new Writer(open as Database, 1, STREAMS, () => NOW);
}

/** What comes of the batches, each written as one. */
async function writing(client: Client, batches: readonly (readonly Write[])[]) {
  const writer = writerIn(client);
  const settlements = [];
  for (const batch of batches) settlements.push(...(await writer.write(batch)).settlements);
  return { settlements, stored: await everything(client) };
}

test('a batch comes to the same as its writes one by one', async () => {
  const client = await database.pool.connect();
  const check = async (before: Stored, writes: readonly Write[]): Promise<void> => {
    await client.query('begin');
    try {
      await store(client, before);
      await client.query('savepoint stored');
      const alone = await writing(
        client,
        writes.map((write) => [write]),
      );
      await client.query('rollback to savepoint stored');
      expect(await writing(client, [writes])).toEqual(alone);
    } finally {
      await client.query('rollback');
    }
  };
  try {
    await fc.assert(fc.asyncProperty(stored, fc.array(write, { minLength: 2, maxLength: 12 }), check), {
      numRuns: 40,
    });
  } finally {
    client.release();
  }
});

test('a project takes the place of what an earlier run found under its new key', async () => {
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    await store(client, {
      ...NOTHING_STORED,
      renamed: true,
      suspects: ['a', 'd'].map((project) => ({ stream: 'issues', project, suspected: 1, hours: 2 })),
    });
    const keys = new Set(['b', 'c', 'd']);
    const counts = { totalBefore: 3, totalAfter: 3, seen: 3, holes: 0 };
    const tally = { stream: 'projects', project: null, ...counts, keys, readable: false };
    const { settlements } = await writing(client, [[{ type: 'tally', tally }]]);
    expect(settlements).toMatchObject([{ state: 'complete', present: 3 }]);
    const { rows } = await client.query('select project from sonarqube_completeness order by project');
    expect(rows).toEqual([{ project: '' }, { project: 'd' }]);
    const { rows: cursors } = await client.query('select distinct slice from soundings.cursors order by slice');
    expect(cursors).toEqual([{ slice: 'b' }, { slice: 'c' }]);
  } finally {
    await client.query('rollback');
    client.release();
  }
});

test('a long list is searched for changed keys in no more than one pass over it', async () => {
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    await client.query(
      `insert into sonarqube_projects (connection_id, source_key, name, synced_at, project_uuid)
       select 1, 'p' || n, 'p', now(), 'uuid-' || n from generate_series(1, 20000) n`,
    );
    // it takes a fifth of a second; each with each took two minutes
    await client.query(`${MERGE_SETTINGS}; set local statement_timeout = '20s'`);
    const keys = new Set(Array.from({ length: 20_000 }, (_, n) => `p${n + 1}`));
    const counts = { totalBefore: keys.size, totalAfter: keys.size, seen: keys.size, holes: 0 };
    const tally = { stream: 'projects', project: null, ...counts, keys, readable: false };
    const { settlements } = await writerIn(client).write([{ type: 'tally', tally }]);
    expect(settlements).toMatchObject([{ state: 'complete', present: 20_000 }]);
  } finally {
    await client.query('rollback');
    client.release();
  }
});
