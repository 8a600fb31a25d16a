import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { follow, isAborted } from '../../../src/client/caller-signal.js';
import { Cancellation } from '../../../src/core/cancellation.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

const followers = (signal: AbortSignal, count: number) =>
  Array.from({ length: count }, () => {
    const cancellation = new Cancellation();
    return { cancellation, link: follow(signal, cancellation) };
  });

describe('calls that follow one signal', () => {
  it('are told its reason, once each, in the order in which they were made', () => {
    const controller = new AbortController();
    const told: string[] = [];
    followers(controller.signal, 3).forEach(({ cancellation }, nth) =>
      cancellation.onCancel(reason => told.push(`${nth} ${String(reason)}`)),
    );
    controller.abort('enough');
    expect(told).toEqual(['0 enough', '1 enough', '2 enough']);
    expect(listeners(controller.signal)).toBe(0);
  });

  it.each([
    ['first come', [0, 1, 2, 3]],
    ['last come', [3, 2, 1, 0]],
    ['from the middle', [1, 2, 0, 3]],
  ])('share one listener, which goes with the last of them: %s', (_name, order) => {
    const { signal } = new AbortController();
    const calls = followers(signal, 4);
    for (const nth of order) {
      expect(listeners(signal)).toBe(1);
      calls[nth]!.link.release();
      calls[nth]!.link.release();
    }
    expect(listeners(signal)).toBe(0);
  });

  it('are not told once they are over', () => {
    const controller = new AbortController();
    const calls = followers(controller.signal, 4);
    for (const nth of [0, 2]) calls[nth]!.link.release();
    controller.abort();
    expect(calls.map(({ cancellation }) => cancellation.cancelled)).toEqual([false, true, false, true]);
  });

  it('may be over, or be made anew, while others are told', () => {
    const controller = new AbortController();
    const [first, second, third] = followers(controller.signal, 3);
    first!.cancellation.onCancel(() => {
      first!.link.release();
      third!.link.release();
    });
    controller.abort('enough');
    expect([second!, third!].map(({ cancellation }) => cancellation.reason)).toEqual(['enough', 'enough']);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('go on while their body is read, and end with it', () => {
    const controller = new AbortController();
    const [read, broken] = followers(controller.signal, 2);
    const end = read!.link.hold();
    broken!.link.hold();
    end();
    expect(listeners(controller.signal)).toBe(1);
    controller.abort('enough');
    expect([read!, broken!].map(({ cancellation }) => cancellation.cancelled)).toEqual([false, true]);
  });

  it('follow it again when all were over', () => {
    const controller = new AbortController();
    followers(controller.signal, 2).forEach(({ link }) => link.release());
    const [later] = followers(controller.signal, 1);
    controller.abort('enough');
    expect(later!.cancellation.reason).toBe('enough');
  });

  it('of a thousand signals are told by their own', () => {
    const controllers = Array.from({ length: 1_000 }, () => new AbortController());
    const calls = controllers.map(({ signal }) => followers(signal, 2));
    controllers.forEach((controller, nth) => nth % 2 === 0 && controller.abort(nth));
    calls.forEach((both, nth) =>
      both.forEach(({ cancellation }) => expect(cancellation.reason).toBe(nth % 2 === 0 ? nth : undefined)),
    );
  });
});

describe('a signal that is not this platform’s', () => {
  /** As polyfills are: an EventTarget of another make. */
  const foreign = () => {
    const target = new EventTarget();
    const state = { aborted: false, reason: undefined as unknown };
    const add = vi.fn(target.addEventListener.bind(target));
    const remove = vi.fn(target.removeEventListener.bind(target));
    const signal = Object.assign(state, {
      addEventListener: (type: string, listener: (this: unknown) => void) => add(type, listener.bind(signal)),
      removeEventListener: remove,
    }) as unknown as AbortSignal;
    const abort = (reason: unknown): void => {
      Object.assign(state, { aborted: true, reason });
      target.dispatchEvent(new Event('abort'));
    };
    return { signal, abort, add, remove };
  };

  it('is followed by its own methods', () => {
    const { signal, abort, add, remove } = foreign();
    const calls = followers(signal, 2);
    expect([add.mock.calls.length, isAborted(signal)]).toEqual([1, false]);
    abort('enough');
    expect(calls.map(({ cancellation }) => cancellation.reason)).toEqual(['enough', 'enough']);
    expect([remove.mock.calls.length, isAborted(signal)]).toEqual([1, true]);
  });
});

it('knows what was aborted before', () => {
  expect([isAborted(AbortSignal.abort()), isAborted(new AbortController().signal)]).toEqual([true, false]);
});
