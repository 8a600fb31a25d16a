import type { Call, Dispatch } from '../core/call.js';

/** How an attempt ended, as a value: for layers that look at it before they pass it on. */
export type Ended<R> =
  { readonly thrown: false; readonly result: R } | { readonly thrown: true; readonly error: unknown };

/** Never rejects, and never throws: a user's layer may do both. */
export const settled = async <R>(next: Dispatch<R>, call: Call): Promise<Ended<R>> => {
  try {
    return { thrown: false, result: await next(call) };
  } catch (error) {
    return { thrown: true, error };
  }
};
