/** What a format of a download is: a value that turns rows into bytes as they come. */
import type { QueryColumn } from '../../warehouse/query.ts';

export type Rows = readonly (readonly unknown[])[];

export interface Format {
  readonly mediaType: string;
  /** Bytes in order; never more than some batches are held. */
  write(columns: readonly QueryColumn[], batches: AsyncIterable<Rows>): AsyncIterable<Uint8Array>;
}
