import { Readable } from 'node:stream';

/** Was it read from, or cancelled? */
export const isDisturbed = (stream: ReadableStream<unknown>): boolean =>
  // It takes streams of both kinds; its types know of one.
  Readable.isDisturbed(stream as unknown as Readable);
