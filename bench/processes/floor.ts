/** The floor: the same requests over kept-alive connections, so many in flight, bodies read and thrown away. */
import { Pool } from 'undici';
import { answer } from './answering.ts';

/** One request, and the status that its answer must have: that of the program's own. */
export interface Wanted {
  readonly path: string;
  readonly status: number;
}

export interface FloorOps {
  /** Milliseconds for all of them. */
  run(input: { readonly asked: readonly Wanted[]; readonly parallel: number }): Promise<number>;
}

const url = JSON.parse(process.argv[2] ?? '""') as string;
const token = JSON.parse(process.argv[3] ?? '""') as string;
const headers = { authorization: `Bearer ${token}`, accept: 'application/json', 'accept-encoding': 'gzip' };

answer(
  {
    run: async ({ asked, parallel }) => {
      const pool = new Pool(url, { connections: parallel, pipelining: 1 });
      const began = performance.now();
      let next = 0;
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          for (let one = asked[next++]; one !== undefined; one = asked[next++]) {
            const { path, status } = one;
            const { statusCode, body } = await pool.request({ path, method: 'GET', headers });
            await body.dump({ limit: Infinity });
            if (statusCode !== status) throw new Error(`${statusCode} instead of ${status}: ${path}`);
          }
        }),
      );
      const ms = performance.now() - began;
      await pool.close();
      return ms;
    },
  } satisfies FloorOps,
  null,
);
