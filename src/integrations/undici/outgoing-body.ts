import { isDisturbed } from './disturbed.js';
import { toMultipart } from './multipart.js';

export type EncodedBody = string | Uint8Array | Blob | AsyncIterable<Uint8Array> | null;

export interface Encoded {
  readonly body: EncodedBody;
  /** Where the caller names none. */
  readonly contentType: string | undefined;
  /** Lets go of the source: nothing more of it will be sent. */
  readonly cancel?: ((reason: unknown) => void) | undefined;
}

const NONE: Encoded = { body: null, contentType: undefined };

/** Every kind of body that Node's fetch takes, with the type that it gives it. */
export const encodeBody = (body: unknown, random: () => number): Encoded => {
  if (body == null) return NONE;
  if (typeof body === 'string') return { body, contentType: 'text/plain;charset=UTF-8' };
  // Copies, as fetch makes: the caller may write to them again while the request waits.
  if (ArrayBuffer.isView(body)) return { body: Uint8Array.prototype.slice.call(viewOf(body)), contentType: undefined };
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body.slice(0)), contentType: undefined };
  if (body instanceof URLSearchParams)
    return { body: body.toString(), contentType: 'application/x-www-form-urlencoded;charset=UTF-8' };
  if (body instanceof Blob) return { body, contentType: body.type || undefined };
  if (body instanceof FormData) return toMultipart(body, random);
  if (body instanceof ReadableStream) return streamed(body);
  return other(body);
};

const other = (body: unknown): Encoded =>
  Symbol.asyncIterator in Object(body)
    ? iterated(body as AsyncIterable<unknown>)
    : // As with fetch: whatever else it is, its text.
      { body: String(body), contentType: 'text/plain;charset=UTF-8' };

const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Ends while it waits for a chunk, too: a `for await` over the stream could not be ended then. */
const streamed = (stream: ReadableStream<unknown>): Encoded => {
  if (stream.locked || isDisturbed(stream))
    throw new TypeError('Response body object should not be disturbed or locked');
  const reader = stream.getReader();
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (!(value instanceof Uint8Array)) throw new TypeError('Received non-Uint8Array chunk');
      yield value;
    }
  }
  return {
    body: chunks(),
    contentType: undefined,
    cancel: reason => void reader.cancel(reason).catch(() => undefined),
  };
};

/** Iterables of Node may give text, too. */
const iterated = (iterable: AsyncIterable<unknown>): Encoded => {
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of iterable) yield chunk instanceof Uint8Array ? chunk : Buffer.from(chunk as string);
  }
  const body = chunks();
  return { body, contentType: undefined, cancel: () => void body.return().catch(() => undefined) };
};
