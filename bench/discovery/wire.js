// Counts what a client sends to a server, on the wire between them: requests, and the pings that keep a connection.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A counter of one connection's bytes from the client on. */
const COUNTERS = {
  /** Each request has one line that ends so. */
  http: counts => {
    const mark = 'HTTP/1.1\r\n';
    let text = '';
    return chunk => {
      text += chunk.toString('latin1');
      const parts = text.split(mark);
      counts.requests += parts.length - 1;
      text = parts.at(-1).slice(-mark.length);
    };
  },
  /** A stream's first frame is HEADERS. */
  http2: counts =>
    framed({
      skip: 24,
      head: 9,
      lengthOf: head => head.readUIntBE(0, 3),
      frame: head => {
        if (head[3] === 1) counts.requests += 1;
        if (head[3] === 6 && (head[4] & 1) === 0) counts.pings += 1;
      },
    }),
  /** Four bytes of length, then the request's number: -2 is a ping; the very first one asks for a session. */
  jute: counts =>
    framed({
      skip: 0,
      head: 8,
      lengthOf: head => head.readInt32BE(0) - 4,
      frame: head => {
        if (head.readInt32BE(4) === -2) counts.pings += 1;
        else counts.requests += 1;
      },
    }),
};

const framed = ({ skip, head, lengthOf, frame }) => {
  let rest = Buffer.alloc(0);
  let toSkip = skip;
  return chunk => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const skipped = Math.min(toSkip, rest.length);
      toSkip -= skipped;
      rest = rest.subarray(skipped);
      if (toSkip > 0 || rest.length < head) return;
      frame(rest);
      toSkip = head + lengthOf(rest);
    }
  };
};

/** A server in front of `address`, which is a URL or HOST:PORT; so is its own. */
export const countingWire = async (address, protocol) => {
  const counts = { requests: 0, pings: 0, bytesIn: 0 };
  const scheme = /^http:\/\//.exec(address)?.[0] ?? '';
  const [host, port] = address.slice(scheme.length).split(':');
  const sockets = new Set();
  const server = createServer(near => {
    const far = connect(Number(port), host);
    const count = COUNTERS[protocol](counts);
    near.on('data', count);
    far.on('data', ({ length }) => void (counts.bytesIn += length));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `${scheme}127.0.0.1:${server.address().port}`,
    counts: () => ({ ...counts }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};
