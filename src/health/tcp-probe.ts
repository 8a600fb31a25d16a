import { connect as netConnect, type Socket } from 'node:net';
import type { Probe } from './probe.js';

export type Connect = (port: number, host: string) => Socket;

/** Opens a connection and closes it. */
export const tcpProbe =
  (connect: Connect = netConnect): Probe =>
  ({ instance: { address, port } }, signal) =>
    new Promise((resolve, reject) => {
      const socket = connect(port, address);
      const end = (settle: () => void): void => {
        signal.removeEventListener('abort', abort);
        socket.destroy();
        settle();
      };
      const abort = (): void => end(() => reject(signal.reason));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('connect', () => end(resolve));
      // Kept on: an error after the end must not be without a listener.
      socket.on('error', error => end(() => reject(error)));
    });
