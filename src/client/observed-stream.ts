import type { BodyObserver } from '../core/watched-body.js';
import { alive, observerOf, setObserver, tracked } from './observed-body.js';

type PipeOptions = Parameters<ReadableStream['pipeTo']>[1];

/** Exchanges the prototype of a stream of the platform for one whose readers tell how they ended. */
export const observeStream = (body: ReadableStream<Uint8Array>, observer: BodyObserver): void => {
  if (Object.getPrototypeOf(body) !== ReadableStream.prototype) return;
  setObserver(body, observer);
  Object.setPrototypeOf(body, ObservedStream.prototype);
};

class ObservedStream extends ReadableStream<Uint8Array> {
  // The overloads of getReader differ in what they return, not in how it is observed.
  override getReader(options?: unknown): never {
    const reader = super.getReader(options as undefined);
    const observer = observerOf(this);
    if (observer !== undefined)
      reader.closed.then(
        () => observer.ended(),
        (error: unknown) => {
          // Letting go of the lock ends a reader, not the body.
          if (!isReleased(error)) observer.failed(error);
        },
      );
    return reader as never;
  }

  override cancel(reason?: unknown): Promise<void> {
    const work = super.cancel(reason);
    if (!this.locked) observerOf(this)?.ended();
    return work;
  }

  override pipeTo(destination: WritableStream<Uint8Array>, options?: PipeOptions): Promise<void> {
    return tracked(observerOf(this), super.pipeTo(destination, options));
  }

  override pipeThrough<T>(
    { readable, writable }: { readable: ReadableStream<T>; writable: WritableStream<Uint8Array> },
    options?: PipeOptions,
  ): ReadableStream<T> {
    // As specified: a failure shows at the readable side.
    this.pipeTo(writable, options).catch(() => undefined);
    return readable;
  }

  /** Two readers of one body: it is read as soon as one of them is through. */
  override tee(): [ReadableStream<Uint8Array>, ReadableStream<Uint8Array>] {
    const branches = super.tee();
    const observer = observerOf(this);
    for (const branch of observer ? branches : []) {
      observeStream(branch, observer!);
      const held = alive.get(this);
      if (held !== undefined) alive.set(branch, held);
    }
    return branches;
  }

  override values(options?: { preventCancel?: boolean }): ReturnType<ReadableStream<Uint8Array>['values']> {
    return iterate(this, options?.preventCancel === true) as never;
  }

  override [Symbol.asyncIterator](options?: {
    preventCancel?: boolean;
  }): ReturnType<ReadableStream<Uint8Array>['values']> {
    return this.values(options);
  }
}

/** The iteration of the platform's streams, over a reader that is observed. */
async function* iterate(stream: ReadableStream<Uint8Array>, preventCancel: boolean): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  let open = true;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) open = false;
      if (done) return;
      yield value;
    }
  } catch (error) {
    open = false;
    throw error;
  } finally {
    if (open && !preventCancel) await reader.cancel();
    reader.releaseLock();
  }
}

const isReleased = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'ERR_INVALID_STATE';
