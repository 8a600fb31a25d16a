import type { Call } from '../core/call.js';
import type { CandidateSet } from '../pool/candidates.js';
import type { Selection, SetSource } from '../pool/selection.js';

/** Enough of it is healthy. Panic counts as unfit: a set of few must not stand by its sick while others are well. */
export const isFit = (set: CandidateSet): boolean => set.eligible.length > 0 && !set.panic;

/**
 * The first rung that is fit and has somebody whom the call has not tried; else the first that is fit; else the lowest that
 * may serve at all, where the panic rule lets everybody do so.
 */
export const rungFor = (rungs: readonly Selection[], call: Call, sets: SetSource): number => {
  let fit = -1;
  let lowest = rungs.length - 1;
  for (let at = 0; at < rungs.length; at += 1) {
    const set = sets.of(rungs[at]!, call);
    if (isFit(set)) {
      if (call.tried.length === 0 || set.offersMore(call.tried)) return at;
      if (fit < 0) fit = at;
    } else if (fit < 0 && set.eligible.length > 0) lowest = at;
  }
  return fit < 0 ? lowest : fit;
};
