/** One request of the package as a promise with our own deadline: the package has none. */
import type { FairleadError } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import { codeOf, CONNECTION_LOSS, failureOf, unavailable } from './failure.js';

export interface Ask {
  /** For messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** @default the registry's requestTimeoutMs */
  readonly timeoutMs?: number | undefined;
}

export type Answered<T> = (error: unknown, result?: T) => void;

export interface Asking<T> {
  readonly ask: Ask;
  readonly name: string;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  readonly start: (answered: Answered<T>) => void;
  readonly onDown: (listener: (reason: FairleadError) => void) => () => void;
  /** There was an answer, of whatever kind. */
  readonly heard: () => void;
}

/** Rejects when the connection breaks, late, for an answer that is an error, and with the reason of an abort. */
export const asked = <T>(asking: Asking<T>): Promise<T> => {
  const { ask, name, runtime, timeoutMs, start, onDown, heard } = asking;
  const { what, signal } = ask;
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      finish();
      reject(reason);
    };
    const abort = (): void => fail(signal?.reason);
    const late = (): void => fail(unavailable(`${name}: ${what} had no answer within ${Math.round(timeoutMs)} ms`));
    const stopTimer = runtime.after(timeoutMs, late);
    const stopDown = onDown(reason => fail(unavailable(`${name}: ${what} failed: ${reason.message}`, reason)));
    const finish = (): void => {
      stopTimer();
      stopDown();
      signal?.removeEventListener('abort', abort);
    };
    const answered: Answered<T> = (error, result) => {
      // This one is the package's own.
      if (codeOf(error) !== CONNECTION_LOSS) heard();
      if (error !== null && error !== undefined) return fail(failureOf(`${name}: ${what}`, error));
      finish();
      resolve(result as T);
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      start(answered);
    } catch (error) {
      fail(failureOf(`${name}: ${what}`, error));
    }
  });
};
