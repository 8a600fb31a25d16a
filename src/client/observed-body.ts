import type { BodyObserver } from '../core/watched-body.js';

/**
 * Where a response, or a stream, whose readers tell how they ended keeps who is told. A property: to find an object in a
 * WeakMap it must be given a hash first, which costs more than all else that is done to watch a body.
 */
const OBSERVER = Symbol('fairlead.bodyObserver');

interface Observed {
  [OBSERVER]?: BodyObserver | undefined;
}

export const observerOf = (target: object): BodyObserver | undefined => (target as Observed)[OBSERVER];

export const setObserver = (target: object, observer: BodyObserver | undefined): void => {
  (target as Observed)[OBSERVER] = observer;
};

/** A response that nobody reads ends when it is collected. */
const collected = new FinalizationRegistry<BodyObserver>(observer => observer.ended());

/** What lives as long as a body can be read. */
export const alive = new WeakMap<object, object>();

/** Tells how a body ended, once: for who may hear of it several times. */
export class Once implements BodyObserver {
  #observer: BodyObserver | undefined;
  #registered = false;

  constructor(observer: BodyObserver) {
    this.#observer = observer;
  }

  /** A body that is collected has ended. */
  until(lasting: object): void {
    this.#registered = true;
    collected.register(lasting, this, this);
  }

  ended(): void {
    this.#take()?.ended();
  }

  failed(error: unknown): void {
    this.#take()?.failed(error);
  }

  #take(): BodyObserver | undefined {
    const observer = this.#observer;
    this.#observer = undefined;
    if (this.#registered) collected.unregister(this);
    return observer;
  }
}

/** Tells the observer how `work` ended, and hands it on. Content that does not parse was read all the same. */
export const tracked = <T>(observer: BodyObserver | undefined, work: Promise<T>): Promise<T> => {
  if (observer !== undefined)
    work.then(
      () => observer.ended(),
      (error: unknown) => (error instanceof SyntaxError ? observer.ended() : observer.failed(error)),
    );
  return work;
};
