import { codingsOf, decoded } from './content-coding.js';
import type { IncomingBody } from './incoming-body.js';
import { rawHeader, type RawHeaders } from './received-headers.js';

/** The bytes that a reader gets: decoded, where the server coded them. */
export interface BodyReader {
  collect(): Promise<Buffer>;
  /** `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  cancel(reason: unknown): void;
}

/** Of a body that just came: the usual one is read as it is. */
export const readerOf = (body: IncomingBody, raw: RawHeaders): BodyReader => {
  const contentEncoding = rawHeader(raw, 'content-encoding');
  return contentEncoding === undefined ? new PlainReader(body) : new DecodingReader(body, contentEncoding);
};

class PlainReader implements BodyReader {
  readonly #body: IncomingBody;

  constructor(body: IncomingBody) {
    this.#body = body;
  }

  collect(): Promise<Buffer> {
    return this.#body.collect();
  }

  read(): Promise<Buffer | undefined> {
    return this.#body.read();
  }

  cancel(reason: unknown): void {
    this.#body.cancel(reason);
  }
}

class DecodingReader implements BodyReader {
  readonly #body: IncomingBody;
  readonly #contentEncoding: string;
  #decoded: AsyncIterator<Buffer> | undefined = undefined;

  constructor(body: IncomingBody, contentEncoding: string) {
    this.#body = body;
    this.#contentEncoding = contentEncoding;
  }

  async collect(): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      this.#decoded ??= decoded(chunksOf(this.#body), codingsOf(this.#contentEncoding));
      const next = await this.#decoded.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      // What broke on the way says so itself; else the bytes are not what they were said to be.
      if (this.#body.state === 'failed') throw error;
      const cause = error;
      this.#body.cancel(cause);
      throw new TypeError('terminated', { cause });
    }
  }

  cancel(reason: unknown): void {
    this.#body.cancel(reason);
    void this.#decoded?.return?.().catch(() => undefined);
  }
}

async function* chunksOf(body: IncomingBody): AsyncGenerator<Buffer, void> {
  for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) yield chunk;
}
