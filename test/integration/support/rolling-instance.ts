/**
 * One instance of a rolling restart, as a process of its own: a node:http server and registerService(), nothing else. What it
 * processed it writes to its journal at once and synchronously.
 */
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { registerService, type Registrar } from 'fairlead';
import { ipcRegistrar } from './ipc-registrar.js';
import type { FromRolling, RollingSetup } from './rolling-protocol.js';

const setup = JSON.parse(process.argv[2] ?? '') as RollingSetup;
const books = openSync(setup.journal, 'a');
const tell = (message: FromRolling): void => void (process.connected && process.send!(message));

const registrarOf = async ({ kind, at }: RollingSetup['registry']): Promise<Registrar> => {
  if (kind === 'consul') return (await import('fairlead/consul')).consulRegistry({ url: at });
  if (kind === 'etcd') return (await import('fairlead/etcd')).etcdRegistry({ endpoints: at });
  if (kind === 'zookeeper') return (await import('fairlead/zookeeper')).zookeeperRegistry({ servers: at });
  return ipcRegistrar();
};

const server = createServer((request, response) => {
  request.resume().once('end', () =>
    setTimeout(
      () => {
        const at = (performance.timeOrigin + performance.now()).toFixed(2);
        writeSync(books, `processed ${at} ${request.method} ${String(request.headers['x-id'])}\n`);
        response.end(`${setup.id}\n`);
      },
      5 + Math.random() * 30,
    ),
  );
});

const main = async (): Promise<void> => {
  const { id, service, port } = setup;
  const handle = registerService({
    ...{ id, service, server },
    registry: await registrarOf(setup.registry),
    onEvent: event => {
      if (event.type === 'state') tell({ state: event.state });
      if (event.type === 'error') tell({ trouble: String(event.error) });
      if (event.type === 'server.drained' && event.cut > 0) tell({ trouble: `${event.cut} requests were cut` });
    },
  });
  // It is the last thing that keeps this process alive.
  handle.onRelease(() => process.connected && process.disconnect());
  server.listen(port, '127.0.0.1');
  // The parent is gone, however it went.
  process.once('disconnect', () => setTimeout(() => process.exit(), 5_000).unref());
};

void main();
