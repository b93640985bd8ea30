import type { Format } from './format.ts';
import { jsonable, uniqueNames } from './values.ts';

/** One array of objects, one object a line. */
export const json: Format = {
  mediaType: 'application/json; charset=utf-8',
  async *write(columns, batches) {
    const names = uniqueNames(columns.map(({ name }) => name));
    let opening = '[\n';
    for await (const rows of batches) {
      const objects = rows.map((row) =>
        JSON.stringify(Object.fromEntries(names.map((name, index) => [name, jsonable(row[index])]))),
      );
      yield Buffer.from(`${opening}${objects.join(',\n')}`);
      opening = ',\n';
    }
    yield Buffer.from(opening === '[\n' ? '[]\n' : '\n]\n');
  },
};
