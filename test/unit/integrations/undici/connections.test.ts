import { EventEmitter } from 'node:events';
import type { Client } from 'undici';
import { describe, expect, it } from 'vitest';
import { Cancellation } from '../../../../src/core/cancellation.js';
import { Connections, type Traveller } from '../../../../src/integrations/undici/connections.js';
import { Exchange, type Sent } from '../../../../src/integrations/undici/exchange.js';

interface Handler {
  onConnect(abort: () => void): void;
  onError(error: unknown): void;
}

class FakeClient extends EventEmitter {
  destroyed = false;
  handler: Handler | undefined;
  aborts = 0;
  dispatch(_options: object, handler: Handler): boolean {
    this.handler = handler;
    return true;
  }
  /** As undici does it: the handler hears of its own abort. */
  connect(): void {
    this.handler!.onConnect(() => {
      this.aborts += 1;
      this.handler!.onError(new Error('aborted'));
    });
  }
  destroy(): Promise<void> {
    this.destroyed = true;
    return Promise.resolve();
  }
}

const place = (most: number) => {
  const clients: FakeClient[] = [];
  const log: string[] = [];
  const connections = new Connections({
    origin: 'http://a',
    most,
    open: () => {
      clients.push(new FakeClient());
      return clients.at(-1) as unknown as Client;
    },
    gone: () => log.push('gone'),
  });
  const traveller = (name: string): Traveller => ({
    next: undefined,
    previous: undefined,
    waits: false,
    go: client => log.push(`${name} by ${clients.indexOf(client as unknown as FakeClient)}`),
    fail: error => log.push(`${name} fails: ${(error as Error).message}`),
  });
  const client = (nth: number): Client => clients[nth] as unknown as Client;
  return { connections, clients, client, log, traveller };
};

describe('the connections to an instance', () => {
  it('take the one used last, and queue what there is none for', () => {
    const { connections, client, log, traveller } = place(2);
    const waiting = ['c', 'd', 'e'].map(traveller);
    connections.carry(traveller('a'));
    connections.carry(traveller('b'));
    waiting.forEach(each => connections.carry(each));
    connections.withdraw(waiting[1]!);
    connections.withdraw(waiting[1]!);
    connections.free(client(1));
    connections.free(client(0));
    connections.free(client(1));
    connections.free(client(0));
    connections.carry(traveller('f'));
    expect(log).toEqual(['a by 0', 'b by 1', 'c by 1', 'e by 0', 'f by 0']);
  });

  it('replace one that broke, for who waits too', async () => {
    const { connections, clients, client, log, traveller } = place(1);
    connections.carry(traveller('a'));
    connections.carry(traveller('b'));
    connections.broken(client(0));
    await Promise.resolve();
    expect(log).toEqual(['a by 0', 'b by 1']);
    expect([clients[0]!.destroyed, clients[1]!.destroyed, connections.size]).toEqual([true, false, 1]);
  });

  it('forget an idle one that the other side closed', () => {
    const { connections, client, clients, log, traveller } = place(2);
    connections.carry(traveller('a'));
    connections.free(client(0));
    clients[0]!.emit('disconnect', undefined, [clients[0]]);
    expect(connections.size).toBe(0);
    connections.carry(traveller('b'));
    expect(log).toEqual(['a by 0', 'b by 1']);
  });

  it('of one that left: idle ones end at once, others with what they carry', async () => {
    const { connections, client, clients, log, traveller } = place(2);
    connections.carry(traveller('a'));
    connections.carry(traveller('b'));
    connections.free(client(0));
    connections.retire();
    await Promise.resolve();
    expect([clients[0]!.destroyed, clients[1]!.destroyed]).toEqual([true, false]);
    expect(log).not.toContain('gone');
    connections.free(client(1));
    await Promise.resolve();
    expect([clients[1]!.destroyed, log.at(-1)]).toEqual([true, 'gone']);
    connections.carry(traveller('late'));
    expect(log.at(-1)).toBe('late by 2');
  });

  it('fail who waits, and who comes later, once they are closed', async () => {
    const { connections, clients, log, traveller } = place(1);
    connections.carry(traveller('a'));
    connections.carry(traveller('b'));
    await connections.destroy(new Error('closed'));
    connections.carry(traveller('c'));
    expect(log).toEqual(['a by 0', 'b fails: closed', 'c fails: closed']);
    expect(clients.map(({ destroyed }) => destroyed)).toEqual([true]);
  });
});

describe('an exchange that is cancelled', () => {
  const begun = (most = 1) => {
    const { connections, clients } = place(most);
    const cancellation = new Cancellation();
    const outgoing = { method: 'GET', path: '/', headers: [], body: null, cancel: undefined };
    const sent = { outgoing, connections, cancellation } as unknown as Sent;
    const answered = new Exchange(sent).start();
    return { answered, cancellation, clients, connections };
  };

  it('while it connects: its caller is told at once, its connection gone when it is there', async () => {
    const { answered, cancellation, clients, connections } = begun();
    cancellation.cancel('enough');
    await expect(answered).rejects.toBe('enough');
    expect(clients[0]!.aborts).toBe(0);
    clients[0]!.connect();
    await Promise.resolve();
    expect([clients[0]!.aborts, clients[0]!.destroyed, connections.size]).toEqual([1, true, 0]);
  });

  it('while it waits for its answer: the connection ends', async () => {
    const { answered, cancellation, clients } = begun();
    clients[0]!.connect();
    cancellation.cancel('enough');
    await expect(answered).rejects.toBe('enough');
    expect([clients[0]!.aborts, clients[0]!.destroyed]).toEqual([1, true]);
  });

  it('before it began: nothing is sent', async () => {
    const { connections, clients } = place(1);
    const cancellation = new Cancellation();
    cancellation.cancel('enough');
    const sent = { outgoing: {}, connections, cancellation } as unknown as Sent;
    await expect(new Exchange(sent).start()).rejects.toBe('enough');
    expect(clients).toHaveLength(0);
  });
});
