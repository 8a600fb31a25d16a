import type { BodyReader } from './body-reader.js';

/**
 * A byte stream like fetch's: it reads when it is asked. Between readings nothing but its user holds it, so that one that was
 * forgotten can be collected.
 *
 * @param onBreak tells of an error that comes while nobody reads
 */
export const toStream = (
  reader: BodyReader,
  onBreak: (broke: (error: unknown) => void) => void,
): ReadableStream<Uint8Array> =>
  new ReadableStream(
    {
      type: 'bytes',
      start: (controller: ReadableByteStreamController) => {
        const weak = new WeakRef(controller);
        onBreak(error => weak.deref()?.error(error));
      },
      pull: async (controller: ReadableByteStreamController) => {
        const chunk = await reader.read();
        if (chunk === undefined) return finished(controller);
        // A copy: its buffer goes over to who reads, and the parser's are shared.
        controller.enqueue(new Uint8Array(chunk));
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );

const finished = (controller: ReadableByteStreamController): void => {
  controller.close();
  // Somebody waits with a buffer of its own.
  controller.byobRequest?.respond(0);
};
