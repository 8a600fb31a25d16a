/**
 * Full jitter: a wait drawn from 0 up to `baseMs × 2^(n-1)`, capped. Callers that failed together do not return together.
 * Source: AWS Architecture Blog, "Exponential Backoff and Jitter".
 *
 * @param nth 1 for the first wait
 * @param chance a number in [0, 1)
 */
export const fullJitter = (
  { baseMs, maxMs }: { readonly baseMs: number; readonly maxMs: number },
  nth: number,
  chance: number,
): number => chance * Math.min(maxMs, baseMs * 2 ** (nth - 1));
