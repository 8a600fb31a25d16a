interface Bounds {
  readonly baseMs: number;
  readonly maxMs: number;
}

const ceiling = ({ baseMs, maxMs }: Bounds, nth: number): number => Math.min(maxMs, baseMs * 2 ** (nth - 1));

/**
 * Full jitter: a wait drawn from 0 up to `baseMs × 2^(n-1)`, capped. Callers that failed together do not return together.
 * Source: AWS Architecture Blog, "Exponential Backoff and Jitter".
 *
 * @param nth 1 for the first wait
 * @param chance a number in [0, 1)
 */
export const fullJitter = (bounds: Bounds, nth: number, chance: number): number => chance * ceiling(bounds, nth);

export interface BackoffState {
  /** 1 for the first wait. */
  readonly nth: number;
  /** The wait before this one; `baseMs` for the first. */
  readonly previousMs: number;
  /** A number in [0, 1). */
  readonly chance: number;
}

/**
 * A wait before trying again. Source of the three shapes: the same article.
 *
 * - `full`          0 … `baseMs × 2^(n-1)`: least work for the server. The usual choice.
 * - `equal`         half of that … all of it: never returns at once.
 * - `decorrelated`  `baseMs` … three times the wait before: spreads more with each failure. The cap cuts the draw, as there.
 */
export const backoff = (
  bounds: Bounds & { readonly jitter: 'full' | 'equal' | 'decorrelated' },
  { nth, previousMs, chance }: BackoffState,
): number => {
  if (bounds.jitter === 'full') return fullJitter(bounds, nth, chance);
  if (bounds.jitter === 'equal') return ((1 + chance) / 2) * ceiling(bounds, nth);
  const { baseMs, maxMs } = bounds;
  return Math.min(maxMs, baseMs + chance * Math.max(0, previousMs * 3 - baseMs));
};
