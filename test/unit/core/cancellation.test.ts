import { describe, expect, it } from 'vitest';
import { Cancellation } from 'fairlead';

describe('Cancellation', () => {
  it('tells all listeners once, with the first reason', () => {
    const told: unknown[] = [];
    const cancellation = new Cancellation();
    for (const name of ['a', 'b', 'c']) cancellation.onCancel(reason => told.push([name, reason]));
    cancellation.cancel('first');
    cancellation.cancel('second');
    expect(told).toEqual([
      ['a', 'first'],
      ['b', 'first'],
      ['c', 'first'],
    ]);
    expect([cancellation.cancelled, cancellation.reason]).toEqual([true, 'first']);
  });

  it('does not tell who left', () => {
    const cancellation = new Cancellation();
    const fail = (): void => expect.fail('it left');
    cancellation.onCancel(fail)();
    cancellation.onCancel(() => undefined);
    const leave = cancellation.onCancel(fail);
    leave();
    cancellation.cancel('now');
  });

  it('tells an object by its method, and knows it again', () => {
    const told: string[] = [];
    const listen = (name: string) => ({ cancelled: (reason: unknown) => void told.push(`${name} ${String(reason)}`) });
    const [stays, leaves] = [listen('stays'), listen('leaves')];
    const cancellation = new Cancellation();
    cancellation.tellOnCancel(leaves);
    cancellation.tellOnCancel(stays);
    cancellation.offCancel(leaves);
    cancellation.cancel('now');
    cancellation.tellOnCancel(listen('late'));
    expect(told).toEqual(['stays now', 'late now']);
  });

  it('tells who comes late at once', () => {
    const cancellation = new Cancellation();
    cancellation.cancel('before');
    let told: unknown;
    cancellation.onCancel(reason => (told = reason));
    expect(told).toBe('before');
  });

  it.each([true, false])('its signal aborts with the reason (read before: %s)', before => {
    const cancellation = new Cancellation();
    const early = before ? cancellation.signal : undefined;
    cancellation.cancel('why');
    expect(cancellation.signal).toMatchObject({ aborted: true, reason: 'why' });
    if (early) expect(cancellation.signal).toBe(early);
  });
});
