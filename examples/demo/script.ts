/** What is done to the instances, and when. */
import { ROUND_SECONDS } from './options.js';

export type FaultKind = 'killed' | 'slow' | 'failing';

export interface Fault {
  readonly kind: FaultKind;
  readonly instance: string;
  /** Milliseconds since the calls began. */
  readonly strikesAtMs: number;
  readonly healsAtMs: number;
}

export const NAMES = ['a', 'b', 'c'] as const;

/** How a fault is told, after "b is …". */
export const STRUCK: Record<FaultKind, string> = {
  killed: 'SIGKILLed',
  slow: '20x slower',
  failing: 'answering 503',
};

interface Part {
  readonly kind: FaultKind;
  /** Which of the three, in the first round. */
  readonly who: number;
  readonly strikesAtMs: number;
  readonly healsAtMs: number;
}

/**
 * The dead one is first and stays away longest: it is tried after 5 s, in vain, and again up to 10 s after that. Meanwhile
 * the slow one is: after 10 s without a call it is measured again. Two of three are never failing at the same time.
 */
const ROUND: readonly Part[] = [
  { kind: 'killed', who: 1, strikesAtMs: 1_500, healsAtMs: 8_000 },
  { kind: 'slow', who: 2, strikesAtMs: 9_000, healsAtMs: 11_500 },
  { kind: 'failing', who: 0, strikesAtMs: 16_800, healsAtMs: 18_300 },
];
const SHORT_ROUND: readonly Part[] = [{ kind: 'failing', who: 0, strikesAtMs: 1_000, healsAtMs: 2_500 }];
const SHORT_SECONDS = 8;

/** fairlead's own times do not shrink with the run: a short one has fewer faults, a long one several rounds. */
export const planOf = (seconds: number): readonly Fault[] => {
  if (seconds < SHORT_SECONDS) return [];
  if (seconds < ROUND_SECONDS) return SHORT_ROUND.map(part => faultOf(part, 0));
  const rounds = Math.floor(seconds / ROUND_SECONDS);
  return Array.from({ length: rounds }, (_, round) => ROUND.map(part => faultOf(part, round))).flat();
};

const faultOf = ({ kind, who, strikesAtMs, healsAtMs }: Part, round: number): Fault => {
  const startsAtMs = round * ROUND_SECONDS * 1_000;
  return {
    kind,
    instance: NAMES[(who + round) % NAMES.length]!,
    strikesAtMs: startsAtMs + strikesAtMs,
    healsAtMs: startsAtMs + healsAtMs,
  };
};
