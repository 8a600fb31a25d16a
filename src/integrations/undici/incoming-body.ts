import type { BodyObserver } from '../../core/watched-body.js';

/** Where the bytes come from. */
export interface BodySource {
  /** Goes on after a pause. */
  resume(): void;
  /** Nobody wants the rest. */
  abandon(reason: unknown): void;
}

/** What nobody has read yet, before the connection is told to wait: the body then stays where it is, in the kernel and the server. */
const HIGH_WATER_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * The body of one answer, between the connection that fills it and the one reader that empties it. It knows nothing of the
 * response, so that a response nobody holds any more can be collected, and its connection be let go.
 */
export class IncomingBody {
  /** Mostly one chunk, and it came with the head. */
  #first: Buffer | undefined = undefined;
  #rest: Buffer[] | undefined = undefined;
  #unread = 0;
  #state: 'open' | 'complete' | 'failed' = 'open';
  #error: unknown = undefined;
  #greedy = false;
  #source: BodySource | undefined;
  #wake: (() => void) | undefined = undefined;
  #observers: BodyObserver[] | undefined = undefined;
  #broke: ((error: unknown) => void) | undefined = undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get state(): 'open' | 'complete' | 'failed' {
    return this.#state;
  }

  /** Bytes came. False: wait until `resume`. */
  push(chunk: Buffer): boolean {
    if (chunk.length > 0) {
      if (this.#first === undefined) this.#first = chunk;
      else (this.#rest ??= []).push(chunk);
      this.#unread += chunk.length;
      this.#awake();
    }
    return this.#greedy || this.#unread < HIGH_WATER_BYTES;
  }

  /** All of it came. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'complete';
    this.#over();
    this.#told()?.forEach(observer => observer.ended());
  }

  /** It broke, by no will of the reader's or the caller's. */
  fail(error: unknown): void {
    if (!this.#break(error)) return;
    this.#told()?.forEach(observer => observer.failed(error));
  }

  /** The caller aborted, or the client was closed: who reads is told why. */
  abort(reason: unknown): void {
    if (!this.#break(reason)) return;
    this.#told()?.forEach(observer => observer.ended());
  }

  /** The reader wants no more. */
  cancel(reason: unknown): void {
    const source = this.#source;
    this.#first = this.#rest = undefined;
    this.#broke = undefined;
    this.abort(reason);
    source?.abandon(reason);
  }

  /** Of a body that is open: tells once it is over. */
  observe(observer: BodyObserver): void {
    (this.#observers ??= []).push(observer);
  }

  /** Is told at once when it breaks, even while nobody reads. */
  onBreak(broke: (error: unknown) => void): void {
    if (this.#state === 'failed') broke(this.#error);
    else this.#broke = broke;
  }

  /** Takes all of a body that is here to its end; `undefined` if it is not. */
  takeWhole(): Buffer | undefined {
    return this.#state === 'complete' ? this.#take() : undefined;
  }

  /** The rest, as one piece. */
  async collect(): Promise<Buffer> {
    this.#greedy = true;
    while (this.#state === 'open') await this.#more();
    if (this.#state === 'failed') throw this.#error;
    return this.#take();
  }

  /** What came since the last reading; `undefined` at the end. */
  async read(): Promise<Buffer | undefined> {
    while (this.#unread === 0 && this.#state === 'open') await this.#more();
    if (this.#state === 'failed') throw this.#error;
    if (this.#unread === 0) return undefined;
    const chunk = this.#take();
    this.#source?.resume();
    return chunk;
  }

  #more(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
      this.#source?.resume();
    });
  }

  #take(): Buffer {
    const first = this.#first ?? NOTHING;
    const all = this.#rest === undefined ? first : Buffer.concat([first, ...this.#rest]);
    this.#first = this.#rest = undefined;
    this.#unread = 0;
    return all;
  }

  #break(error: unknown): boolean {
    if (this.#state !== 'open') return false;
    this.#state = 'failed';
    this.#error = error;
    this.#first = this.#rest = undefined;
    this.#unread = 0;
    this.#over();
    this.#broke?.(error);
    this.#broke = undefined;
    return true;
  }

  #over(): void {
    this.#source = undefined;
    this.#awake();
  }

  #told(): readonly BodyObserver[] | undefined {
    const observers = this.#observers;
    this.#observers = undefined;
    return observers;
  }

  #awake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
