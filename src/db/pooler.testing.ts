/**
 * The part of a connection pooler that matters here, over PostgreSQL's wire protocol: which session a transaction gets.
 * Answers `begin`, `commit`, and every select with one row of what `checkServer` asks for.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type Mode = 'session' | 'last used first' | 'longest unused first' | 'one session';

interface State {
  session: number | undefined;
  inTransaction: boolean;
}

const message = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const int16 = (value: number): Buffer => int32(value).subarray(2);
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function row(values: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(values).map((name) =>
    Buffer.concat([text(name), Buffer.alloc(6), int32(25), int16(-1), int32(-1), int16(0)]),
  );
  const cells = Object.values(values).map((value) =>
    Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  return Buffer.concat([message('T', int16(names.length), ...names), message('D', int16(cells.length), ...cells)]);
}

/** Listens on loopback; gives the URL. */
export async function startPooler(mode: Mode): Promise<{ url: string; server: Server }> {
  const idle = mode === 'one session' ? [101] : [101, 102, 103];
  const waiting: (() => void)[] = [];

  const take = async (state: State): Promise<void> => {
    while (state.session === undefined) {
      state.session = mode === 'longest unused first' ? idle.shift() : idle.pop();
      if (state.session === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const give = (state: State): void => {
    if (mode === 'session' || state.inTransaction || state.session === undefined) return;
    idle.push(state.session);
    state.session = undefined;
    waiting.shift()?.();
  };

  const answer = async (socket: Socket, state: State, sql: string): Promise<void> => {
    await take(state);
    if (sql === 'begin') state.inTransaction = true;
    if (sql === 'commit') state.inTransaction = false;
    const values = { pid: String(state.session), version: '160000', encoding: 'UTF8', replica: '' };
    if (sql.startsWith('select')) socket.write(row(values));
    socket.write(message('C', text(sql.split(' ')[0] ?? '')));
    give(state);
    socket.write(message('Z', Buffer.from(state.inTransaction ? 'T' : 'I')));
  };

  const server = createServer((socket) => {
    const state: State = { session: undefined, inTransaction: false };
    socket.on('error', () => undefined);
    socket.once('data', () => {
      // logged in, with a number that is the pooler's own
      socket.write(
        Buffer.concat([message('R', int32(0)), message('K', int32(7), int32(7)), message('Z', Buffer.from('I'))]),
      );
      socket.on('data', (data) => {
        if (data.toString('latin1', 0, 1) === 'Q')
          void answer(socket, state, data.toString('utf8', 5, data.length - 1));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `postgres://user@127.0.0.1:${(server.address() as AddressInfo).port}/data`, server };
}
