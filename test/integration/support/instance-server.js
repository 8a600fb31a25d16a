/**
 * One instance of a service as a process of its own: plain node:http, knows nothing of fairlead. `instance.ts` forks it and
 * sets its mood over the channel between them. What it saw it writes to its journal at once and synchronously, so that the
 * books are complete when it is killed.
 */
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';

const setup = JSON.parse(process.argv[2]);
const { port, journal, latencyMs, keepAliveMs } = setup;
/** The work of a slow instance takes so many times as long. */
const SLOWER = 20;
const CHUNK_MS = 20;
/** A real close and a request can only cross for a fraction of a millisecond: too seldom to be met in a test. */
const CROSSING_MS = 5;
const books = openSync(journal, 'a');
let mood = 'ok';

const note = (what, request) => {
  const at = (performance.timeOrigin + performance.now()).toFixed(2);
  writeSync(books, `${what} ${at} ${request.method} ${request.headers['x-id'] ?? '-'}\n`);
};

const answer = (response, status, headers = {}) => {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${setup.id}\n`);
};

/** A body without an end: only its reader can stop it. */
const stream = response => {
  response.writeHead(200, { 'content-type': 'text/plain' });
  const timer = setInterval(() => response.write('tick\n'), CHUNK_MS);
  response.once('close', () => clearInterval(timer));
};

const work = (request, response) => {
  setTimeout(
    () => {
      note('processed', request);
      const [, what, size] = request.url.split('/');
      if (what === 'stream') return stream(response);
      if (what === 'bytes') return response.end(Buffer.alloc(Number(size)));
      // A header given by hand keeps Node from telling the client how long the connection will stay open.
      answer(response, 200, keepAliveMs === undefined ? {} : { connection: 'keep-alive' });
    },
    mood === 'slow' ? latencyMs * SLOWER : latencyMs,
  );
};

const act = (request, response) => {
  if (mood === 'hangs') return;
  if (mood === 'fails') return answer(response, 503);
  if (mood === 'asks for 60 s') return answer(response, 503, { 'retry-after': '60' });
  if (mood === 'nacks') return answer(response, 503, { 'retry-after': '0' });
  if (mood === 'crosses' && request.socket.idleSince < performance.now() - (keepAliveMs - CROSSING_MS))
    return request.socket.destroy();
  if (mood !== 'resets') return work(request, response);
  // The work was done, and nobody hears of it: the worst case for who would send a POST again.
  note('processed', request);
  request.socket.resetAndDestroy();
};

const server = createServer((request, response) => {
  note('arrived', request);
  response.once('close', () => {
    note('left', request);
    request.socket.idleSince = performance.now();
  });
  request.resume();
  request.once('end', () => act(request, response));
});
if (keepAliveMs !== undefined) server.keepAliveTimeout = keepAliveMs;

process.on('message', message => {
  mood = message;
  process.send({ mood });
});
process.on('disconnect', () => process.exit());
server.listen(port, '127.0.0.1', () => process.send({ mood }));
