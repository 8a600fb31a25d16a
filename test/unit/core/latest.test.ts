import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { latest } from '../../../src/core/latest.js';

const setup = () => {
  const controller = new AbortController();
  const values = latest<number>(controller.signal);
  return { controller, values, reader: values.iterable[Symbol.asyncIterator]() };
};

describe('latest', () => {
  it('hands a value to a reader who waits', async () => {
    const { values, reader } = setup();
    const step = reader.next();
    values.push(1);
    expect(await step).toEqual({ done: false, value: 1 });
  });

  it('gives a late reader the newest value only', async () => {
    const { values, reader } = setup();
    for (const value of [1, 2, 3]) values.push(value);
    expect((await reader.next()).value).toBe(3);
    const step = reader.next();
    values.push(4);
    expect((await step).value).toBe(4);
  });

  it('ends with the first error, after the value that was still unread', async () => {
    const { values, reader } = setup();
    values.push(1);
    values.fail('lost');
    values.fail('later');
    values.push(2);
    expect((await reader.next()).value).toBe(1);
    await expect(reader.next()).rejects.toBe('lost');
    expect((await reader.next()).done).toBe(true);
  });

  it('ends quietly when aborted: before, while waiting, and with a value unread', async () => {
    const waiting = setup();
    const step = waiting.reader.next();
    waiting.controller.abort();
    expect((await step).done).toBe(true);

    const unread = setup();
    unread.values.push(1);
    unread.controller.abort();
    expect((await unread.reader.next()).done).toBe(true);
  });

  it('listens on the signal only while somebody waits', async () => {
    const { controller, values, reader } = setup();
    const listeners = () => getEventListeners(controller.signal, 'abort').length;
    for (let round = 0; round < 50; round += 1) {
      const step = reader.next();
      expect(listeners()).toBe(1);
      values.push(round);
      await step;
      expect(listeners()).toBe(0);
    }
    const last = reader.next();
    values.fail('lost');
    await expect(last).rejects.toBe('lost');
    expect(listeners()).toBe(0);
  });
});
