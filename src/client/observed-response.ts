import type { BodyObserver } from '../core/watched-body.js';
import { alive, observers, Once, tracked } from './observed-body.js';
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
    observers.set(response, new Once(observer));
    Object.setPrototypeOf(response, ObservedResponse.prototype);
  }
  // Most calls bring no signal: nobody waits for the end of their bodies, and most are read without their stream.
  if (keptAlive !== undefined) keepUntilEnd(response, observer, keptAlive);
};

const keepUntilEnd = (response: Response, observer: BodyObserver, keptAlive: object): void => {
  // Of a platform's response, reading it makes the stream an observed one.
  const { body } = response;
  if (body === null) return observer.ended();
  const told = observers.get(response);
  const lasting = told === undefined ? response : body;
  alive.set(lasting, keptAlive);
  (told ?? new Once(observer)).until(lasting);
};

class ObservedResponse extends Response {}

/** A stream that nobody takes needs no watching: reading the response tells how that went. */
const observedStreamOf = (response: Response): Response['body'] => {
  const body = Reflect.get<Response, 'body'>(Response.prototype, 'body', response);
  const observer = observers.get(response);
  if (body !== null && observer !== undefined) observeStream(body, observer);
  return body;
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
    // A second read rejects, and says nothing about the connection.
    const observer = this.bodyUsed ? undefined : observers.get(this);
    return tracked(observer, read.call(this));
  };
  Object.defineProperty(ObservedResponse.prototype, name, { value: observed, writable: true, configurable: true });
}
