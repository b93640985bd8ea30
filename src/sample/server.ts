/** The bundled sample server: a recording of a real SonarQube Server, replayed over HTTP on loopback. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { canonical, readRecording, type Exchange } from './recording.ts';

/** The sample that `npm run demo` uses; recorded by `scripts/record.ts`. */
export const SAMPLE = new URL('../../sample/sonarqube-26.9.jsonl.gz', import.meta.url);
/** Any other token is refused, as a real server would. It opens nothing but the sample. */
export const SAMPLE_TOKEN = 'squ_sample';

export interface SampleServer {
  readonly url: string;
  /** Requests that the recording has no answer to, in canonical form. */
  readonly unanswered: readonly string[];
  close(): Promise<void>;
}

/** Replays a recording on a free loopback port. What was not recorded is answered 404, as an unknown URL is. */
export async function startSampleServer(file: string | URL = SAMPLE): Promise<SampleServer> {
  const recording = await readRecording(file);
  const unanswered: string[] = [];
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${SAMPLE_TOKEN}`) {
      response.writeHead(401).end();
      return;
    }
    const asked = canonical(request.url ?? '/');
    const exchange = recording.get(asked);
    if (exchange) answer(response, exchange);
    else {
      unanswered.push(asked);
      const path = asked.split('?')[0] ?? asked;
      const body = JSON.stringify({ errors: [{ msg: `Unknown url : ${path} (the sample holds only what was recorded)` }] });
      answer(response, { request: asked, status: 404, contentType: 'application/json', body });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    unanswered,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, { status, contentType, body }: Exchange): void {
  response.writeHead(status, { 'content-type': contentType, 'content-encoding': 'gzip' });
  response.end(gzipSync(body, { level: 1 }));
}
