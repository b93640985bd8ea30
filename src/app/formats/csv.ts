import { stringify } from 'csv-stringify/sync';
import type { Format } from './format.ts';
import { textual } from './values.ts';

/** RFC 4180 in UTF-8, names first. An empty text is `""`, NULL is nothing between the commas. */
export const csv: Format = {
  mediaType: 'text/csv; charset=utf-8',
  async *write(columns, batches) {
    yield Buffer.from(lines([columns.map(({ name }) => name)]));
    for await (const rows of batches) yield Buffer.from(lines(rows.map((row) => row.map(textual))));
  },
};

const lines = (rows: readonly (readonly (string | null)[])[]): string =>
  stringify(
    rows.map((row) => [...row]),
    {
      record_delimiter: 'windows',
      quoted_match: /[\r\n]/,
      cast: { string: (value) => ({ value, quoted_empty: true }) },
    },
  );
