import type { Call, Dispatch, Layer } from './call.js';

/** Is told how a call ended that was passed down: once, by one of the two. Neither throws. */
export interface Landing<R> {
  answered(result: R): void;
  failed(error: unknown): void;
}

/**
 * A Dispatch that makes no promise: it tells a landing. What the client's own stages are made of, since each promise between
 * the transport and the caller costs a call more than most stages do. Never throws.
 */
export type Flow<R> = (call: Call, landing: Landing<R>) => void;

/** A Layer of flows. */
export type Stage<R> = (next: Flow<R>) => Flow<R>;

/** For who wants a promise: layers, and stages that await. */
export const asDispatch =
  <R>(flow: Flow<R>): Dispatch<R> =>
  call =>
    new Promise((resolve, reject) => flow(call, { answered: resolve, failed: reject }));

/**
 * A layer among stages. It may throw before it returns a promise: the call has to end all the same.
 *
 * @param applies calls for which it does not are passed on, and pay for this check alone. @default all
 */
export const asStage =
  <R>(layer: Layer<R>, applies?: (call: Call) => boolean): Stage<R> =>
  next => {
    const dispatch = layer(asDispatch(next));
    const layered: Flow<R> = (call, landing) => {
      try {
        dispatch(call).then(
          result => landing.answered(result),
          (error: unknown) => landing.failed(error),
        );
      } catch (error) {
        landing.failed(error);
      }
    };
    if (applies === undefined) return layered;
    return function mayPass(call, landing) {
      if (applies(call)) layered(call, landing);
      else next(call, landing);
    };
  };

/** The first stage listed is the outermost. */
export const chain = <R>(stages: readonly Stage<R>[], innermost: Flow<R>): Flow<R> =>
  stages.reduceRight((next, stage) => stage(next), innermost);
