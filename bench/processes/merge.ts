/** The writer alone: rows held in memory, no server, no network but to the database; beside a bare COPY of the same rows. */
import { readFile } from 'node:fs/promises';
import { createConnection } from '../../src/control/connections.ts';
import { withinStore } from '../../src/app/store.ts';
import { copyFrom } from '../../src/db/copy.ts';
import { openDatabase, type DatabaseOptions } from '../../src/db/database.ts';
import type { Message } from '../../src/protocol/sync.ts';
import { SonarClient } from '../../src/source/client.ts';
import { SonarSource, STREAMS } from '../../src/source/sonarqube.ts';
import { MOST_IN_BATCH, ROWS_OF_A_KILOBYTE, weightOf } from '../../src/sync/queue.ts';
import { Encoder, filled, textOf } from '../../src/warehouse/copy.ts';
import { quote, recordColumns, sqlType } from '../../src/warehouse/ddl.ts';
import { References } from '../../src/warehouse/references.ts';
import type { Write, Writer } from '../../src/warehouse/write.ts';
import { answer } from './answering.ts';

/** What writing some rows took. */
export interface Cost {
  readonly ms: number;
  /** This process's own CPU: encoding, and the talk with the database. */
  readonly cpuMs: number;
  /** CPU of all the database's processes; on a busy machine it says more than the time that passed. */
  readonly databaseMs: number;
}

export interface Comparison {
  readonly rows: number;
  readonly bare: Cost;
  /** New rows of projects that were never stored, and of projects that are known. */
  readonly fresh: Cost;
  readonly known: Cost;
  readonly unchanged: Cost & {
    readonly deadTuples: number;
    readonly walBytes: number;
    readonly sequenceValues: number;
  };
}

export interface MergeOps {
  /** Reads everything that a server has into memory; rows by stream. */
  collect(server: { readonly url: string; readonly token: string }): Promise<Record<string, number>>;
  /** Writes everything that was collected into empty tables. */
  whole(): Promise<Cost>;
  /** One stream: bare COPY, new rows, the same rows again. */
  compare(stream: string): Promise<Comparison>;
  close(): Promise<void>;
}

const database = await openDatabase(JSON.parse(process.argv[2] ?? '{}') as DatabaseOptions);
const { warehouse } = await withinStore(database);
const { id: connectionId } = await createConnection(database, { base_url: 'http://127.0.0.1:1' });
/** What a source may say to a writer. */
type Said = Exclude<Message, { type: 'size' }>;
let said: Said[] = [];
/** The first of it: what the lists brought, and which projects they name. */
let listed = 0;
let refs: readonly string[] = [];

/** As the program has it when rows of these projects begin to come. */
async function newWriter() {
  const writer = warehouse.writer(connectionId, STREAMS, () => new Date());
  await writer.foresee(refs);
  return writer;
}
const rowsOf = (one: Said): number => (one.type === 'page' ? one.page.records.length : 0);

/** In batches as the program makes them when its readers are ahead of it. */
function* batches<T>(all: Iterable<T>, weigh: (one: T) => number): Generator<T[]> {
  let batch: T[] = [];
  let weight = 0;
  for (const write of all) {
    if (batch.length > 0 && weight + weigh(write) > MOST_IN_BATCH) {
      yield batch;
      batch = [];
      weight = 0;
    }
    batch.push(write);
    weight += weigh(write);
  }
  if (batch.length > 0) yield batch;
}

async function timed(run: () => Promise<unknown>): Promise<Cost> {
  const before = await databaseCpu();
  const cpu = process.cpuUsage();
  const began = performance.now();
  await run();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000, databaseMs: (await databaseCpu()) - before };
}

/** CPU in ms that the server's processes took so far, where it runs on this Linux machine. */
async function databaseCpu(): Promise<number> {
  const { rows } = await database.query<{ pid: number }>('select pid from pg_stat_activity');
  let ticks = 0;
  for (const { pid } of rows) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // after the name, which may hold anything, in brackets: user and system time are the 12th and 13th
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks * 10;
}

function* prepared(writer: Writer, all: readonly Said[]): Generator<Write> {
  for (const one of all) yield writer.prepared(one);
}

async function writeAll(writer: Writer, all: readonly Said[]): Promise<void> {
  for (const batch of batches(prepared(writer, all), weightOf)) await writer.write(batch);
}

async function empty(tables: readonly string[]): Promise<void> {
  await database.query(`truncate ${tables.join(', ')} restart identity cascade`);
  await database.query('delete from soundings.cursors');
  await database.query('checkpoint').catch(() => undefined); // a login that may not: its server does it in its own time
}

async function one<R extends Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<R> {
  const { rows } = await database.query<R>(sql, values);
  const [row] = rows;
  if (!row) throw new Error(`No row: ${sql}`);
  return row;
}

async function state(table: string): Promise<{ wal: number; sequence: number; dead: number }> {
  await database.query('select pg_stat_force_next_flush()');
  return one(
    `select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as wal, pg_stat_get_dead_tuples($1::text::regclass)::float8 as dead,
            (select coalesce(last_value, 0)::float8 from pg_sequences where schemaname || '.' || sequencename = pg_get_serial_sequence($1::text, 'id')) as sequence`,
    [table],
  );
}

answer(
  {
    collect: async ({ url, token }) => {
      said = [];
      const rows: Record<string, number> = {};
      const client = new SonarClient({ baseUrl: url, token });
      const source = new SonarSource(client);
      const emit = (message: Message): Promise<void> => {
        if (message.type === 'page')
          rows[message.page.stream] = (rows[message.page.stream] ?? 0) + message.page.records.length;
        if (message.type !== 'size') said.push(message);
        return Promise.resolve();
      };
      const projects = await source.list(emit);
      listed = said.length;
      refs = projects.map(({ key }) => key);
      for (const pass of source.passes) {
        for (const group of source.group(pass, projects)) {
          await source.read({ pass, projects: group, mode: 'full', cursors: new Map(), earlier: new Map() }, emit);
        }
      }
      await client.close();
      return rows;
    },

    whole: async () => {
      await empty([...STREAMS.map(({ table }) => table), 'sonarqube_completeness']);
      const writer = await newWriter();
      return timed(async () => {
        await writeAll(writer, said.slice(0, listed));
        await writer.foresee(refs);
        await writeAll(writer, said.slice(listed));
      });
    },

    compare: async (name) => {
      const stream = STREAMS.find((each) => each.name === name);
      if (!stream) throw new Error(`There is no stream ${name}`);
      const pages = said.flatMap((one) => (one.type === 'page' && one.page.stream === name ? [one] : []));
      const rest = said.filter((one) => one.type === 'page' && ['projects', 'metrics'].includes(one.page.stream));
      const tallies = said.filter((one) => one.type === 'tally' && one.tally.stream === name);
      await empty([stream.table, 'sonarqube_completeness']);
      await writeAll(await newWriter(), rest);

      const columns = recordColumns(stream);
      const references = new References(connectionId, STREAMS);
      await references.foresee(database, refs, STREAMS);
      const encoder = new Encoder(stream, connectionId, references);
      await database.query('drop table if exists bench_bare');
      await database.query(
        `create table bench_bare (connection_id bigint, observed_at timestamptz, ${columns.map(([column, type]) => `${quote(column)} ${sqlType(type)}`).join(', ')})`,
      );
      const bare = await timed(async () => {
        for (const batch of batches(pages, (one) => rowsOf(one) / ROWS_OF_A_KILOBYTE)) {
          await database.transaction(async (client) => {
            const encoded = batch.map(({ page }) => encoder.encode(page));
            await references.load(
              client,
              encoded.flatMap(({ gaps }) => gaps.map(({ wanted }) => wanted)),
            );
            const texts = encoded.flatMap((page) => [...textOf(filled(page, references), () => true)]);
            await copyFrom(client, 'copy bench_bare from stdin', texts);
          });
        }
      });
      await database.query('drop table bench_bare');

      const writer = await newWriter();
      const fresh = await timed(() => writeAll(writer, pages));
      await writeAll(writer, tallies);
      // the same into an empty table, of projects that are known already
      await database.query(`truncate ${stream.table} restart identity`);
      const other = await newWriter();
      const known = await timed(() => writeAll(other, pages));
      // statistics and hint bits of the first read of new rows are theirs, not those of the rows that did not change
      await database.query(`vacuum analyze ${stream.table}`);
      const before = await state(stream.table);
      const again = await timed(() => writeAll(writer, pages));
      const after = await state(stream.table);
      return {
        rows: pages.reduce((sum, one) => sum + rowsOf(one), 0),
        bare,
        fresh,
        known,
        unchanged: {
          ...again,
          deadTuples: after.dead - before.dead,
          walBytes: after.wal - before.wal,
          sequenceValues: after.sequence - before.sequence,
        },
      };
    },

    close: () => database.close(),
  } satisfies MergeOps,
  null,
);
