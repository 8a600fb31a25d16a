import { isDisturbed } from './disturbed.js';
import { WATCH_BODY, type BodyObserver, type WatchedResponse } from '../../core/watched-body.js';
import { readerOf, type BodyReader } from './body-reader.js';
import { toStream } from './body-stream.js';
import type { IncomingBody } from './incoming-body.js';
import { rawHeader, toHeaders, type RawHeaders } from './received-headers.js';

/** What came before the body. */
export interface Head {
  readonly status: number;
  readonly statusText: string;
  readonly raw: RawHeaders;
  readonly origin: string;
  readonly path: string;
}

/** Who holds neither the response nor its stream any more will not read it: its connection is let go. */
const forgotten = new FinalizationRegistry<IncomingBody>(body =>
  body.cancel(new Error('the response was dropped before its body was read')),
);

/** Its types declare properties where the platform has getters, which a class cannot override. */
const PlatformResponse = Response as unknown as new (body: null, init: ResponseInit | null) => object;

/**
 * The Response of this transport. It is a true one, and its parts are made when somebody asks for them: a platform's
 * Response with its Headers and its stream would cost more than the whole way to the server and back.
 */
export class ReceivedResponse extends PlatformResponse implements Response, WatchedResponse {
  readonly #head: Head;
  #incoming: IncomingBody | undefined;
  #reader: BodyReader | undefined = undefined;
  #headers: Headers | undefined = undefined;
  #stream: ReadableStream<Uint8Array> | undefined = undefined;
  #used = false;
  #guarded = false;

  constructor(head: Head, body: IncomingBody | undefined) {
    super(null, initOf(head));
    this.#head = head;
    this.#incoming = body;
  }

  get status(): number {
    return this.#head.status;
  }

  get ok(): boolean {
    return this.#head.status >= 200 && this.#head.status < 300;
  }

  get statusText(): string {
    return this.#head.statusText;
  }

  get type(): Response['type'] {
    return 'basic';
  }

  /** A property of the response itself where it is true. */
  get redirected(): boolean {
    return false;
  }

  get url(): string {
    return this.#head.origin + this.#head.path;
  }

  get headers(): Headers {
    return (this.#headers ??= toHeaders(this.#head.raw));
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== undefined && isDisturbed(this.#stream));
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#stream === undefined && this.#incoming !== undefined) this.#makeStream(this.#incoming);
    return this.#stream ?? null;
  }

  text(): Promise<string> {
    const whole = this.#takeWhole();
    return whole === undefined ? this.#bytes().then(utf8) : Promise.resolve(utf8(whole));
  }

  json(): Promise<unknown> {
    const whole = this.#takeWhole();
    if (whole === undefined) return this.#bytes().then(parsed);
    try {
      return Promise.resolve(parsed(whole));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  // Node has it from 22 on.
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    // A copy: the bytes share their buffer with what the connection received besides.
    return new Uint8Array(await this.#bytes());
  }

  async blob(): Promise<Blob> {
    return (await this.#platforms()).blob();
  }

  async formData(): Promise<FormData> {
    return (await this.#platforms()).formData();
  }

  clone(): Response {
    if (this.bodyUsed || this.#stream?.locked === true)
      throw new TypeError('Response.clone: Body has already been consumed.');
    const copy = new ReceivedResponse(this.#head, undefined);
    if (this.redirected) Object.defineProperty(copy, 'redirected', { value: true, configurable: true });
    const { body } = this;
    if (body !== null) [this.#stream, copy.#stream] = body.tee();
    return copy;
  }

  [WATCH_BODY](observer: () => BodyObserver): boolean {
    const incoming = this.#incoming;
    if (incoming === undefined || incoming.state !== 'open') return false;
    incoming.observe(observer());
    if (!this.#guarded && !this.#used && this.#stream === undefined) this.#guard(this, incoming);
    return true;
  }

  /** The usual case, without a promise: the body came with its head, plain, and is read once. */
  #takeWhole(): Buffer | undefined {
    const incoming = this.#incoming;
    if (this.#used || this.#stream !== undefined || incoming?.state !== 'complete') return undefined;
    if (rawHeader(this.#head.raw, 'content-encoding') !== undefined) return undefined;
    this.#use();
    return incoming.takeWhole();
  }

  async #bytes(): Promise<Uint8Array> {
    if (this.bodyUsed || this.#stream?.locked === true)
      throw new TypeError('Body is unusable: Body has already been read');
    if (this.#stream !== undefined) return new Uint8Array(await new Response(this.#stream).arrayBuffer());
    if (this.#incoming === undefined) return new Uint8Array();
    this.#use();
    return this.#readerOf(this.#incoming).collect();
  }

  /** What only the platform can make of the bytes. */
  async #platforms(): Promise<Response> {
    const type = this.headers.get('content-type');
    const bytes = new Uint8Array(await this.#bytes());
    return new Response(bytes, type === null ? undefined : { headers: { 'content-type': type } });
  }

  #readerOf(incoming: IncomingBody): BodyReader {
    return (this.#reader ??= readerOf(incoming, this.#head.raw));
  }

  /** From here on the reading itself comes to an end, whoever holds the response. */
  #use(): void {
    this.#used = true;
    if (this.#guarded) forgotten.unregister(this.#incoming!);
  }

  #guard(holder: object, incoming: IncomingBody): void {
    if (this.#guarded) forgotten.unregister(incoming);
    forgotten.register(holder, incoming, incoming);
    this.#guarded = true;
  }

  #makeStream(incoming: IncomingBody): void {
    this.#stream = toStream(this.#readerOf(incoming), broke => incoming.onBreak(broke));
    // One that was read already is locked for good.
    if (this.#used) this.#stream.getReader();
    // Who took the stream may let go of the response.
    else if (this.#guarded) this.#guard(this.#stream, incoming);
  }
}

/**
 * The status that the platform's own methods see, where it takes it. With `null` the platform reads no init at all, which
 * is most of what a Response costs.
 */
const initOf = ({ status }: Head): ResponseInit | null => (status <= 200 || status > 599 ? null : { status });

/** As the Encoding standard decodes: without a byte order mark. */
const utf8 = (bytes: Uint8Array): string => {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marked = buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf;
  return marked ? buffer.toString('utf8', 3) : buffer.toString();
};

const parsed = (bytes: Uint8Array): unknown => JSON.parse(utf8(bytes));
