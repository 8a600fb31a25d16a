/** What the `consul` package's transport (papi) leaves open, closed by its own extension point for each request. */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';

interface Transport {
  request(options: RequestOptions): ClientRequest;
}

/** papi's request while it is being made: `req` holds the options for `transport.request`. */
interface Draft {
  readonly req: RequestOptions;
  transport: Transport;
}

/** Some 50 000 instances. More is no answer of a Consul that serves anyone. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Silence before the first question; Node then asks every second, and gives up after ten. */
const KEEPALIVE_MS = 1_000;

/** An `onRequest` extension. */
export const guard = (draft: Draft, next: () => void): void => {
  // A URL writes an IPv6 host in brackets, sockets want it bare.
  const host = draft.req.hostname;
  if (host?.startsWith('[')) draft.req.hostname = host.slice(1, -1);
  const { transport } = draft;
  draft.transport = { request: options => watched(transport.request(options)) };
  next();
};

const onReusedSocket = new WeakSet<object>();

/** The request was the second or later one on its socket, and the socket was at its end. */
export const metIdleSocketsEnd = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && onReusedSocket.has(error);

const watched = (request: ClientRequest): ClientRequest => {
  request.once('error', (error: NodeJS.ErrnoException) => {
    if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) onReusedSocket.add(error);
  });
  // A machine that died closes no connection: the system asks it, and nobody waits out a held request.
  request.setSocketKeepAlive(true, KEEPALIVE_MS);
  return request.once('response', function watch(response: IncomingMessage) {
    // papi hears only of errors on the request: without this, a connection cut in the middle of a body is silence.
    response.on('error', error => request.emit('error', error));
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) request.destroy(new Error(`the body exceeds ${MAX_BODY_BYTES} bytes`));
    });
  });
};
