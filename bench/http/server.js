// A server in a process of its own: `raw` answers every request with the same bytes, so that the client shows; `http` is a plain
// node:http server. Tells its port, and ends with who started it.
import http from 'node:http';
import net from 'node:net';

export const BODY = JSON.stringify({ id: 42, name: 'Ada Lovelace', roles: ['admin', 'author'], active: true });
const END = '\r\n\r\n';

const raw = () => {
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json; charset=utf-8',
    'Cache-Control: no-store',
    'Date: Sat, 21 Nov 2026 12:00:00 GMT',
    'Connection: keep-alive',
    `Content-Length: ${BODY.length}`,
  ];
  const answer = Buffer.from(head.join('\r\n') + END + BODY);
  return net.createServer(socket => {
    let begun = '';
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', chunk => {
      // Requests have no body: each ends with an empty line.
      const requests = (begun + chunk.toString('latin1')).split(END);
      begun = requests.pop();
      for (let nth = 0; nth < requests.length; nth += 1) socket.write(answer);
    });
  });
};

const plain = () =>
  http.createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    response.end(BODY);
  });

const KINDS = { raw, http: plain };

if (process.send !== undefined) {
  const server = KINDS[process.argv[2]]();
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', 1_024, () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
}
