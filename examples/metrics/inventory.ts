/** The service that the shop calls: three instances in this process, which can be made to fail. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memoryRegistry, type MemoryRegistry, type Registration } from 'fairlead';

/** `one`: the first instance answers 503. `all`: all do. `bodies`: answers break off. `registry`: it cannot be reached. */
export const FAULTS = ['none', 'one', 'all', 'bodies', 'registry'] as const;
export type Fault = (typeof FAULTS)[number];

export interface Inventory {
  readonly registry: MemoryRegistry;
  readonly registrations: readonly Registration[];
  set(fault: Fault): void;
  close(): void;
}

export const startInventory = async (): Promise<Inventory> => {
  const registry = memoryRegistry();
  const servers: Server[] = [];
  const registrations: Registration[] = [];
  let fault: Fault = 'none';
  for (const n of [0, 1, 2]) {
    const server = createServer((_request, response) => {
      if (fault === 'all' || (fault === 'one' && n === 0)) return response.writeHead(503).end();
      response.writeHead(200, { 'content-length': 100, 'cache-control': 'max-age=0, stale-if-error=60' });
      if (fault === 'bodies') return response.write('half of', () => response.destroy());
      return setTimeout(() => response.end('7 in stock'.padEnd(100)), 5 + 20 * Math.random());
    });
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    registrations.push(
      await registry.register({ service: 'inventory', id: `inventory-${n}`, address: '127.0.0.1', port }),
    );
  }
  return {
    registry,
    registrations,
    set(next) {
      fault = next;
      if (next === 'registry') registry.fail();
      else registry.recover();
    },
    close() {
      for (const server of servers) server.close().closeAllConnections();
    },
  };
};
