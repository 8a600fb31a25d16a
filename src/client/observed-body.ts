import type { BodyObserver } from '../core/watched-body.js';

/** Of responses and streams whose readers tell how they ended. */
export const observers = new WeakMap<object, Once>();

/** A response that nobody reads ends when it is collected. */
const collected = new FinalizationRegistry<BodyObserver>(observer => observer.ended());

/** What lives as long as a body can be read. */
export const alive = new WeakMap<object, object>();

/** Tells how a body ended, once. */
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
