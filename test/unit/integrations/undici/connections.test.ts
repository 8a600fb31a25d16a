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
  const looks: (() => void)[] = [];
  const connections = new Connections({
    most,
    afterReading: look => looks.push(look),
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
  /** The turn of the event loop is over. */
  const endTurn = (): void => looks.splice(0).forEach(look => look());
  return { connections, clients, client, log, looks, endTurn, traveller };
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

describe('a request while several are under way', () => {
  const busy = (most = 10) => {
    const all = place(most);
    for (const name of ['a', 'b', 'c', 'd']) all.connections.carry(all.traveller(name));
    all.log.length = 0;
    return all;
  };

  it('takes the connection of one that ends in this turn, before one that is idle', () => {
    const { connections, client, clients, log, endTurn, traveller } = busy();
    connections.carry(traveller('e'));
    connections.carry(traveller('f'));
    connections.free(client(2));
    connections.free(client(0));
    connections.free(client(1));
    endTurn();
    expect(log).toEqual(['e by 2', 'f by 0']);
    expect(clients).toHaveLength(4);
  });

  it('takes an idle one, or another, where none ended', () => {
    const { connections, client, log, looks, endTurn, traveller } = busy();
    connections.carry(traveller('e'));
    endTurn();
    connections.free(client(1));
    ['f', 'g'].forEach(name => connections.carry(traveller(name)));
    expect(looks).toHaveLength(1);
    endTurn();
    expect(log).toEqual(['e by 4', 'f by 1', 'g by 5']);
  });

  it('waits on where all are busy, and looks for nothing in vain', () => {
    const { connections, client, log, looks, traveller } = busy(4);
    connections.carry(traveller('e'));
    expect(looks).toHaveLength(0);
    connections.free(client(3));
    expect(log).toEqual(['e by 3']);
  });

  it('is not sent when it was withdrawn meanwhile, and fails when all was closed', async () => {
    const { connections, clients, log, endTurn, traveller } = busy();
    const [e, f] = ['e', 'f'].map(traveller);
    connections.carry(e!);
    connections.carry(f!);
    connections.withdraw(e!);
    await connections.destroy(new Error('closed'));
    endTurn();
    expect(log).toEqual(['f fails: closed']);
    expect(clients).toHaveLength(4);
  });

  it('is sent by a connection that is there when its instance leaves', async () => {
    const { connections, client, clients, log, endTurn, traveller } = busy();
    connections.carry(traveller('e'));
    endTurn();
    connections.carry(traveller('f'));
    connections.free(client(4));
    connections.free(client(3));
    connections.carry(traveller('g'));
    connections.retire();
    expect(log).toEqual(['e by 4', 'f by 4', 'g by 3']);
    [0, 1, 2, 3, 4].forEach(nth => connections.free(client(nth)));
    await Promise.resolve();
    expect(clients.map(({ destroyed }) => destroyed)).toEqual([true, true, true, true, true]);
    expect(log.at(-1)).toBe('gone');
  });

  it('outlives the connections that break, of an instance that left too', async () => {
    const { connections, client, clients, log, traveller } = busy(4);
    connections.retire();
    connections.carry(traveller('e'));
    [0, 1, 2].forEach(nth => connections.free(client(nth)));
    connections.broken(client(3));
    expect(log).toEqual(['e by 0']);
    connections.broken(client(0));
    await Promise.resolve();
    expect(log).toEqual(['e by 0', 'gone']);
    expect(clients).toHaveLength(4);
  });
});

describe('an exchange that is cancelled', () => {
  const begun = (most = 1) => {
    const { connections, clients } = place(most);
    const cancellation = new Cancellation();
    const outgoing = { method: 'GET', path: '/', headers: [], body: null, cancel: undefined };
    const sent = { outgoing, line: { connections }, cancellation } as unknown as Sent;
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
    const sent = { outgoing: {}, line: { connections }, cancellation } as unknown as Sent;
    await expect(new Exchange(sent).start()).rejects.toBe('enough');
    expect(clients).toHaveLength(0);
  });
});
