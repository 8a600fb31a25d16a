/**
 * One instance of the service, as a process of its own: a plain node:http server that knows nothing of fairlead, unless it
 * has to register itself. `fleet.ts` forks it and tells it over the channel between them how to behave.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPlace, type Place } from './places.js';
import type { Behaviour, FromInstance, InstanceSetup, ToInstance } from './protocol.js';

const setup = JSON.parse(process.argv[2] ?? '') as InstanceSetup;
const SLOWER = 20;
let behaviour: Behaviour = 'normal';
/** Takes the entry out of a real registry; nothing where the parent registers. */
let deregister = (): Promise<void> => Promise.resolve();

const tell = (message: FromInstance): void => {
  if (process.connected) process.send?.(message);
};

const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  request.resume();
  if (behaviour === 'failing') return answer(response, 503, { error: 'not now' });
  if (request.url === '/health') return answer(response, 200, { status: 'UP' });
  const usualMs = 20 + Math.random() * 30;
  await sleep(behaviour === 'slow' ? usualMs * SLOWER : usualMs);
  const id = request.headers['x-order-id'];
  // The work is done here, whatever becomes of the answer: the parent keeps the books, for this process may be killed.
  if (request.method === 'POST' && typeof id === 'string') tell({ processed: id });
  answer(response, request.method === 'POST' ? 201 : 200, { servedBy: setup.id });
};

const answer = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const server = createServer((request, response) => void serve(request, response));

/**
 * Below the range from which outgoing connections take their ports: one of those could otherwise sit on the port of an
 * instance that is down for a moment.
 */
const anyPort = (): number => 12_000 + Math.floor(Math.random() * 20_000);

const listen = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve(port);
    });
  });

const listenSomewhere = async (): Promise<number> => {
  if (setup.port !== undefined) return listen(setup.port);
  for (let tries = 1; ; tries += 1) {
    try {
      return await listen(anyPort());
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
};

const registerAt = async (place: Place, port: number): Promise<void> => {
  const registry = await openPlace(place);
  const { id, service } = setup;
  const registration = await registry.register({ id, service, address: '127.0.0.1', port });
  deregister = () => registration.deregister();
};

const leave = async (): Promise<void> => {
  // The bound is for a registry that does not answer: its own TTL removes the entry then.
  await Promise.race([deregister(), sleep(1_000)]);
  process.exit();
};

process.on('message', (message: ToInstance) => {
  if (message === 'leave') void leave();
  else behaviour = message;
});
// The parent is gone, however it went.
process.on('disconnect', () => void leave());
// Ctrl-C reaches the whole group of processes; the parent decides.
process.on('SIGINT', () => undefined);

const port = await listenSomewhere();
if (setup.place !== undefined) await registerAt(setup.place, port);
tell({ port });
