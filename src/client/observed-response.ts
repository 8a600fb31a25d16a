import type { BodyObserver } from '../core/watched-body.js';

const observers = new WeakMap<object, BodyObserver>();

/** A response that nobody reads ends when it is collected. */
const collected = new FinalizationRegistry<BodyObserver>(observer => observer.ended());

/**
 * Watches the body of a response without touching it: the response stays the one that fetch gave, with its streams, its
 * url and its cost. Its prototype is exchanged for one whose readers tell how they ended. A response that is not this
 * platform's is left alone, and ends when it is collected.
 *
 * @param keptAlive lives as long as the body can be read
 */
export const observeBody = (response: Response, observer: BodyObserver, keptAlive: object | undefined): void => {
  const { body } = response;
  if (body === null) return observer.ended();
  const isPlatforms = Object.getPrototypeOf(response) === Response.prototype;
  const told = once(observer);
  if (keptAlive !== undefined) {
    const lasting = isPlatforms ? body : response;
    alive.set(lasting, keptAlive);
    collected.register(lasting, told, told);
  }
  if (!isPlatforms) return;
  observers.set(response, told);
  observers.set(body, told);
  Object.setPrototypeOf(response, ObservedResponse.prototype);
  Object.setPrototypeOf(body, ObservedStream.prototype);
};

const alive = new WeakMap<object, object>();

const once = (observer: BodyObserver): BodyObserver => {
  let open = true;
  const tell = (then: () => void): void => {
    if (!open) return;
    open = false;
    collected.unregister(told);
    then();
  };
  const told: BodyObserver = {
    ended: () => tell(() => observer.ended()),
    failed: error => tell(() => observer.failed(error)),
  };
  return told;
};

/** Tells the observer how `work` ended, and hands it on. Content that does not parse was read all the same. */
const tracked = <T>(observer: BodyObserver | undefined, work: Promise<T>): Promise<T> => {
  if (observer !== undefined)
    work.then(
      () => observer.ended(),
      (error: unknown) => (error instanceof SyntaxError ? observer.ended() : observer.failed(error)),
    );
  return work;
};

type PipeOptions = Parameters<ReadableStream['pipeTo']>[1];

class ObservedResponse extends Response {}

for (const name of ['text', 'json', 'arrayBuffer', 'blob', 'formData', 'bytes']) {
  const read = (Response.prototype as unknown as Record<string, (this: Response) => Promise<unknown>>)[name];
  // Node 20 has no bytes().
  if (read === undefined) continue;
  const observed = function (this: Response): Promise<unknown> {
    // A second read rejects, and says nothing about the connection.
    const observer = this.bodyUsed ? undefined : observers.get(this);
    return tracked(observer, read.call(this));
  };
  Object.defineProperty(ObservedResponse.prototype, name, { value: observed, writable: true, configurable: true });
}

class ObservedStream extends ReadableStream<Uint8Array> {
  // The overloads of getReader differ in what they return, not in how it is observed.
  override getReader(options?: unknown): never {
    const reader = super.getReader(options as undefined);
    const observer = observers.get(this);
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
    if (!this.locked) observers.get(this)?.ended();
    return work;
  }

  override pipeTo(destination: WritableStream<Uint8Array>, options?: PipeOptions): Promise<void> {
    return tracked(observers.get(this), super.pipeTo(destination, options));
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
    const observer = observers.get(this);
    for (const branch of observer ? branches : []) {
      observers.set(branch, observer!);
      const held = alive.get(this);
      if (held !== undefined) alive.set(branch, held);
      Object.setPrototypeOf(branch, ObservedStream.prototype);
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
