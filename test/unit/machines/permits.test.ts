import { describe, expect, it } from 'vitest';
import { Permits } from '../../../src/machines/permits.js';

describe('Permits', () => {
  it('hands places on in order of arrival', () => {
    const permits = new Permits(1, 10);
    const order: string[] = [];
    expect(permits.tryEnter()).toBe(true);
    expect(permits.tryEnter()).toBe(false);
    permits.enqueue(() => order.push('a'));
    permits.enqueue(() => order.push('b'));
    permits.leave();
    permits.leave();
    expect([order, permits.inFlight, permits.queued]).toEqual([['a', 'b'], 1, 0]);
    permits.leave();
    expect(permits.inFlight).toBe(0);
  });

  it('refuses a full queue, and forgets who gave up', () => {
    const permits = new Permits(1, 1);
    const first = (): void => expect.fail('it gave up');
    permits.tryEnter();
    expect(permits.enqueue(first)).toBe(true);
    expect(permits.enqueue(() => undefined)).toBe(false);
    expect(permits.giveUp(first)).toBe(true);
    expect(permits.giveUp(first)).toBe(false);
    permits.leave();
    expect(permits.inFlight).toBe(0);
  });
});
