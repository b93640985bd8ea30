/** A wire between two programs that can be cut: with a bang, or so that neither side hears anything any more. */
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

export interface Wire {
  readonly port: number;
  /** `broken`: all connections end and new ones are refused; `silent`: nothing comes through, in either direction. */
  cut(how: 'broken' | 'silent'): void;
  mend(): void;
  close(): Promise<void>;
}

/** Leads to wherever `target` says at the time of each connection. */
export async function wire(target: () => Promise<number>): Promise<Wire> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: 'whole' | 'broken' | 'silent' = 'whole';
  const server = net.createServer((near) => {
    near.on('error', () => undefined);
    if (state === 'broken') {
      near.destroy();
      return;
    }
    near.pause();
    target().then(
      (port) => {
        if (near.destroyed) return;
        const far = net.connect(port, '127.0.0.1');
        const pair = [near, far] as const;
        pairs.add(pair);
        for (const [one, other] of [pair, [far, near] as const]) {
          one.on('error', () => undefined);
          one.on('close', () => {
            other.destroy();
            pairs.delete(pair);
          });
        }
        if (state === 'broken') near.destroy();
        else if (state === 'whole') join(pair);
      },
      () => near.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut: (how) => {
      state = how;
      for (const [near, far] of pairs) {
        if (how === 'broken') near.destroy();
        else {
          near.unpipe(far).pause();
          far.unpipe(near).pause();
        }
      }
    },
    mend: () => {
      if (state === 'whole') return;
      state = 'whole';
      for (const pair of pairs) join(pair);
    },
    close: async () => {
      for (const [near] of pairs) near.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function join([near, far]: readonly [Socket, Socket]): void {
  near.pipe(far);
  far.pipe(near);
}
