/** A way to one server that counts what passes, and can be cut, fall silent, and be away as a server that is not there. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { reservePorts } from '../../servers/ports.js';

export interface Wire extends AsyncDisposable {
  /** `host:port`, for clients. */
  readonly address: string;
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections ever made. */
  readonly made: number;
  /** Writes of clients that came through: a request is one of HTTP and ZooKeeper, two of gRPC. */
  readonly packets: number;
  /** Ends all connections with a reset; new ones work. */
  cut(): void;
  /** Nothing passes any more, and nobody is told: a cable that was pulled. */
  stall(on: boolean): void;
  /** Ends all connections, and refuses new ones until `up()`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** @param target `host:port`, or a URL with both */
export const openWire = async (target: string): Promise<Wire> => {
  const [host = '', port = ''] = target.replace(/^https?:\/\//, '').split(':');
  const pairs = new Set<readonly [Socket, Socket]>();
  const state = { silent: false, made: 0, packets: 0, listening: true };
  const join = (near: Socket, far: Socket): void => {
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', chunk => {
        if (from === near) state.packets += 1;
        if (!state.silent && !to.destroyed) to.write(chunk);
      });
      from.on('error', () => undefined);
      from.once('close', () => {
        pairs.delete(pair);
        if (!state.silent) to.resetAndDestroy();
      });
    }
  };
  const server = createServer(near => {
    state.made += 1;
    ownConnections += 1;
    join(near, connect(Number(port), host));
  });
  // One that nobody else takes while it is down.
  const [own = 0] = await reservePorts(1);
  await once(server.listen(own, '127.0.0.1'), 'listening');
  const cut = (): void => pairs.forEach(pair => pair.forEach(socket => socket.resetAndDestroy()));
  const down = async (): Promise<void> => {
    if (!state.listening) return;
    state.listening = false;
    server.close();
    cut();
    await once(server, 'close');
  };
  return {
    address: `127.0.0.1:${own}`,
    get connections() {
      return pairs.size;
    },
    get made() {
      return state.made;
    },
    get packets() {
      return state.packets;
    },
    cut,
    stall: on => void (state.silent = on),
    down,
    async up() {
      if (state.listening) return;
      await once(server.listen(own, '127.0.0.1'), 'listening');
      state.listening = true;
    },
    [Symbol.asyncDispose]: down,
  };
};

/** Of wires to their servers. */
let ownConnections = 0;

/** Counts what this process asks for: connections that it tries to make, and what it sends through the wires. */
export const countAsked = (wires: readonly Wire[]): (() => { readonly perSecond: number }) => {
  let sockets = 0;
  const listener = (): void => void (sockets += 1);
  const packets = (): number => wires.reduce((sum, wire) => sum + wire.packets, 0);
  subscribe('net.client.socket', listener);
  const before = { own: ownConnections, packets: packets(), at: performance.now() };
  return () => {
    unsubscribe('net.client.socket', listener);
    const asked = sockets - (ownConnections - before.own) + packets() - before.packets;
    return { perSecond: asked / ((performance.now() - before.at) / 1_000) };
  };
};
