import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { ConnectorError } from '../../protocol/errors.ts';
import type { QueryColumn } from '../../warehouse/query.ts';
import type { Format } from './format.ts';
import { jsonable, textual, uniqueNames } from './values.ts';

/** Rows of one row group: what is held until it is written. */
const GROUP_ROWS = 20_000;

type Encode = (value: unknown, column: string) => unknown;
type Kind = Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>;

const text: Encode = (value) => textual(value);
const number: Encode = (value) => value;

/** PostgreSQL type → how Parquet keeps it; all others are texts. numeric has more digits than a Parquet number. */
const KINDS: Readonly<Record<string, readonly [Kind, Encode]>> = {
  boolean: [{ type: 'BOOLEAN' }, (value) => value],
  smallint: [{ type: 'INT32' }, number],
  integer: [{ type: 'INT32' }, number],
  bigint: [{ type: 'INT64' }, (value) => BigInt(value as number | string)],
  real: [{ type: 'FLOAT' }, number],
  'double precision': [{ type: 'DOUBLE' }, number],
  date: [{ type: 'INT32', converted_type: 'DATE' }, moment],
  'timestamp with time zone': [
    {
      type: 'INT64',
      converted_type: 'TIMESTAMP_MILLIS',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    },
    moment,
  ],
  bytea: [{ type: 'BYTE_ARRAY' }, (value) => value],
  jsonb: [{ type: 'BYTE_ARRAY', converted_type: 'JSON' }, jsonable],
  json: [{ type: 'BYTE_ARRAY', converted_type: 'JSON' }, jsonable],
};
const TEXT: readonly [Kind, Encode] = [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' }, text];

function moment(value: unknown, column: string): Date {
  const at = new Date(String(value));
  if (!Number.isNaN(at.getTime())) return at;
  throw new ConnectorError(
    'invalid_arguments',
    `Column ${column} holds the time "${String(value)}", which Parquet cannot hold; cast the column to text.`,
  );
}

/** Row groups of 20,000 rows, Snappy; every column can be null. */
export const parquet: Format = {
  mediaType: 'application/vnd.apache.parquet',
  async *write(columns, batches) {
    if (columns.length === 0) {
      throw new ConnectorError('invalid_arguments', 'The query gives no columns, and a Parquet file needs one.');
    }
    const names = uniqueNames(columns.map(({ name }) => name));
    const kinds = columns.map(kindOf);
    const out = new Chunks();
    const writer = new ParquetWriter({
      writer: out,
      schema: [
        { name: 'root', num_children: names.length },
        ...names.map((name, index): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...kinds[index]?.[0] })),
      ],
      createdBy: 'soundings',
    });
    let group: unknown[][] = names.map(() => []);
    const write = async (): Promise<void> => {
      await writer.write({
        columnData: names.map((name, index) => ({ name, data: group[index] ?? [] })),
        rowGroupSize: GROUP_ROWS,
      });
      group = names.map(() => []);
    };
    for await (const rows of batches) {
      for (const row of rows) {
        for (const [index, name] of names.entries()) {
          const value = row[index];
          group[index]?.push(value === null || value === undefined ? null : kinds[index]?.[1](value, name));
        }
      }
      if ((group[0]?.length ?? 0) < GROUP_ROWS) continue;
      await write();
      yield* out.take();
    }
    if ((group[0]?.length ?? 0) > 0) await write();
    await writer.finish();
    yield* out.take();
  },
};

const kindOf = ({ type }: QueryColumn): readonly [Kind, Encode] => KINDS[type.replace(/\(.*\)/, '')] ?? TEXT;

/** A writer whose bytes are taken away as they come; offsets go on counting. */
class Chunks extends ByteWriter {
  *take(): Generator<Uint8Array> {
    if (this.index === 0) return;
    yield this.getBytes().slice();
    this.index = 0;
  }
}
