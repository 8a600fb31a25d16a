import type { Call, Layer } from '../core/call.js';
import type { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { asStage, type Stage } from '../core/flow.js';
import type { ServiceClient } from './service-client.js';

/** Carries one attempt to the instance that was picked: the transport, or the function given to `call()`. */
export type Send<R> = (call: Call, endpoint: Endpoint, cancellation: Cancellation) => Promise<R>;

/**
 * Watches what a client does, and changes none of it: what `tracing()` and `metrics()` give. Each part is optional. It
 * adds no wait of its own; what does, such as a signature that is fetched, is a layer.
 */
export interface Instrument {
  /** Around each call, outside all layers: it sees one result, whatever the number of attempts. */
  readonly call?: Layer<unknown> | undefined;
  /** Instead of `call`, the same without a promise: it hands on the landing, or one of its own that tells it. */
  readonly stage?: Stage<unknown> | undefined;
  /**
   * Around each attempt, once its instance is known. To add a header, it sets `call.request` to a copy while it runs `next`,
   * and back right after.
   */
  readonly send?: ((next: Send<unknown>) => Send<unknown>) | undefined;
  /** Is told the client when it is built; what it returns runs when the client closes. */
  attach?(client: ServiceClient): () => void;
}

/** The first listed is the outermost. */
export const instrumentStages = (instruments: readonly Instrument[]): Stage<unknown>[] =>
  instruments.flatMap(({ stage, call }) => stage ?? (call === undefined ? [] : asStage(call)));

/** The first listed is the outermost. */
export const instrumentedSend = <R>(instruments: readonly Instrument[], innermost: Send<R>): Send<R> =>
  instruments.reduceRight(
    (next, { send }) => (send?.(next as Send<unknown>) as Send<R> | undefined) ?? next,
    innermost,
  );

/** Returns what lets go of the client again. */
export const attachAll = (instruments: readonly Instrument[], client: ServiceClient): (() => void) => {
  const detach = instruments.map(instrument => instrument.attach?.(client));
  return () => {
    for (const letGo of detach) letGo?.();
  };
};
