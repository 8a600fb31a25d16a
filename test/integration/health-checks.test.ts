import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createServiceClient, staticRegistry, type HealthOptions } from 'fairlead';
import { eventually } from '../servers/eventually.js';

const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

const listen = async (server: Server | ReturnType<typeof createTcp>): Promise<number> => {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const soon: HealthOptions = { intervalMs: 100, timeoutMs: 100, downAfter: 2, upAfter: 2 };
const clientOf = (port: number, health: HealthOptions) =>
  createServiceClient({ service: 'users', registry: staticRegistry([`127.0.0.1:${port}`]), health });
type Client = ReturnType<typeof clientOf>;

const becomes = (client: Client, state: string): Promise<unknown> =>
  eventually(() => expect(client.snapshot().instances[0]?.state).toBe(state));

describe('health checks on real servers', () => {
  it('HTTP: an answer of 503, and one without end', async () => {
    let mood: 'well' | 'ill' | 'endless' = 'well';
    let endless = 0;
    const server = createServer((_request, response) => {
      response.writeHead(mood === 'ill' ? 503 : 200);
      if (mood !== 'endless') return void response.end('ok');
      // A health page of a gigabyte is not read.
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) endless += 65_536;
      };
      response.on('drain', write);
      write();
    });
    const client = clientOf(await listen(server), soon);
    await becomes(client, 'serving');
    mood = 'ill';
    await becomes(client, 'out');
    mood = 'endless';
    await becomes(client, 'serving');
    expect(endless).toBeLessThan(50_000_000);
    await client.close();
  });

  it('TCP: nobody listens, then somebody does', async () => {
    const first = createTcp();
    const port = await listen(first);
    const client = clientOf(port, { ...soon, type: 'tcp' });
    await becomes(client, 'serving');
    first.close();
    await becomes(client, 'out');
    expect(client.snapshot().instances[0]!.reason).toMatch(/health checks failed: connect ECONNREFUSED/);
    const second = createTcp(socket => socket.on('error', () => undefined));
    servers.push(second);
    second.listen(port, '127.0.0.1');
    await becomes(client, 'serving');
    await client.close();
  });
});
