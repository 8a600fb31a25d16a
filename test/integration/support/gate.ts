/** A way to a server that counts the connections and the HTTP requests on it, and can be cut and opened again. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Gate extends AsyncDisposable {
  readonly address: string;
  /** Requests that came to it, answered or not. */
  readonly requests: number;
  /** Connections that were tried, refused ones too. */
  readonly connections: number;
  /** Ends all connections under their users' hands; later ones get no further, until `open()`. */
  cut(): void;
  open(): void;
}

export const openGate = async (target: { readonly host: string; readonly port: number }): Promise<Gate> => {
  const sockets = new Set<Socket>();
  const state = { requests: 0, connections: 0, closed: false };
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer(socket => {
    state.connections += 1;
    keep(socket);
    if (state.closed) return void socket.destroy();
    const onward = keep(connect(target));
    socket.on('data', chunk => (state.requests += (chunk.toString('latin1').match(/HTTP\/1\.1\r\n/g) ?? []).length));
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => sockets.forEach(socket => socket.destroy());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return state.requests;
    },
    get connections() {
      return state.connections;
    },
    cut() {
      state.closed = true;
      end();
    },
    open: () => void (state.closed = false),
    async [Symbol.asyncDispose]() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
};
