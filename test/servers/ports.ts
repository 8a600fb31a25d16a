/**
 * Free TCP ports on 127.0.0.1 for servers that must come back on the same port after a kill.
 *
 * `listen(0)` would give ports of the ephemeral range, where any outgoing connection may take the port of a server
 * that is down for a moment; a client that keeps dialling it can even connect to itself and block the restart.
 * Therefore random ports below that range (Linux 32768, macOS and Windows 49152) are tried with the kernel instead.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;

/** Never given twice by one process, not even when a server that had the port is down. */
const givenOut = new Set<number>();

/** Holds all listeners open together, so that the batch has no doubles, then frees them at once. */
export async function reservePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > 50 * count) throw new Error(`no ${count} free ports between ${FIRST_PORT} and ${LAST_PORT}`);
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (givenOut.has(port)) continue;
    const server = await tryListen(port);
    if (server === undefined) continue;
    givenOut.add(port);
    held.push(server);
    ports.push(port);
  }
  await Promise.all(held.map(close));
  return ports;
}

async function tryListen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port, exclusive: true });
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
