import type { BodyObserver } from '../core/watched-body.js';
import { alive, observerOf, Once, setObserver, tracked } from './observed-body.js';
import { observeStream } from './observed-stream.js';

/**
 * Watches the body of a response without touching it: the response stays the one that fetch gave, with its streams, its
 * url and its cost. Its prototype is exchanged for one whose readers tell how they ended. A response that is not this
 * platform's is left alone, and ends when it is collected.
 *
 * @param keptAlive lives as long as the body can be read
 */
export const observeBody = (response: Response, observer: BodyObserver, keptAlive: object | undefined): void => {
  const isPlatforms = Object.getPrototypeOf(response) === Response.prototype;
  if (isPlatforms) {
    // First, since to exchange the prototype of what has all its properties costs less.
    setObserver(response, observer);
    Object.setPrototypeOf(response, ObservedResponse.prototype);
  }
  // Most calls bring no signal: nobody waits for the end of their bodies, and most are read without their stream.
  if (keptAlive !== undefined) keepUntilEnd(response, { observer, keptAlive, isPlatforms });
};

interface Kept {
  readonly observer: BodyObserver;
  readonly keptAlive: object;
  readonly isPlatforms: boolean;
}

const keepUntilEnd = (response: Response, { observer, keptAlive, isPlatforms }: Kept): void => {
  // Of a platform's response, reading it makes the stream an observed one.
  const { body } = response;
  if (body === null) return observer.ended();
  const told = isPlatforms ? onceOf(response) : undefined;
  const lasting = told === undefined ? response : body;
  alive.set(lasting, keptAlive);
  (told ?? new Once(observer)).until(lasting);
};

class ObservedResponse extends Response {}

/** Several may tell of a stream: each of its readers, and who reads the response. */
const onceOf = (response: Response): Once | undefined => {
  const observer = observerOf(response);
  if (observer === undefined || observer instanceof Once) return observer;
  const once = new Once(observer);
  setObserver(response, once);
  return once;
};

/** A stream that nobody takes needs no watching: reading the response tells how that went. */
const observedStreamOf = (response: Response): Response['body'] => {
  const body = streamOf(response);
  const observer = body === null ? undefined : onceOf(response);
  if (observer !== undefined) observeStream(body!, observer);
  return body;
};

const streamOf = (response: Response): Response['body'] =>
  Reflect.get<Response, 'body'>(Response.prototype, 'body', response);

/** Who is told of a read that begins. Of one that rejects at once, nobody: it says nothing about the connection. */
const takeObserver = (response: Response): BodyObserver | undefined => {
  const observer = observerOf(response);
  if (observer === undefined || response.bodyUsed) return undefined;
  if (observer instanceof Once && streamOf(response)?.locked) return undefined;
  // Nobody else has a say from here on.
  setObserver(response, undefined);
  return observer;
};

Object.defineProperties(ObservedResponse.prototype, {
  body: {
    get(this: Response) {
      return observedStreamOf(this);
    },
    enumerable: true,
    configurable: true,
  },
  clone: {
    // It takes the stream itself, in two.
    value(this: Response) {
      observedStreamOf(this);
      return Response.prototype.clone.call(this);
    },
    writable: true,
    configurable: true,
  },
});

for (const name of ['text', 'json', 'arrayBuffer', 'blob', 'formData', 'bytes']) {
  const read = (Response.prototype as unknown as Record<string, (this: Response) => Promise<unknown>>)[name];
  // Node 20 has no bytes().
  if (read === undefined) continue;
  const observed = function (this: Response): Promise<unknown> {
    return tracked(takeObserver(this), read.call(this));
  };
  Object.defineProperty(ObservedResponse.prototype, name, { value: observed, writable: true, configurable: true });
}
