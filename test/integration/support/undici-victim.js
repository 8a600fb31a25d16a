// A server whose answers never end, to be killed; tells its port.
import http from 'node:http';

const server = http.createServer((request, response) => {
  response.write('begun');
  if (request.url !== '/endless') response.end();
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
