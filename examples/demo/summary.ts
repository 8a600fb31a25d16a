/** What the run came to, in words and as an exit code. */
import type { Result } from './run.js';

export interface Summary {
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
}

/** Of the calls: with fewer left out, the rate was what was said. */
const WORTH_TELLING = 0.02;

export const summarise = ({ totals, witness, plan }: Result): Summary => {
  const { gets, posts, retries, p50Ms, p99Ms, processedTwice, skipped } = totals;
  const times = `p50 ${Math.round(p50Ms ?? NaN)} ms, p99 ${Math.round(p99Ms ?? NaN)} ms`;
  const complaints = complaintsOf({ totals, witness, plan });
  return {
    lines: [
      `calls ${gets.ok + gets.failed}, failed ${gets.failed}, retries ${retries}, ${times} (all GETs)`,
      `POSTs ${posts.ok + posts.failed} besides, failed ${posts.failed}, processed twice ${processedTwice} (not idempotent: not sent again)`,
      ...witness.report(),
      ...(plan.length === 0 ? ['no faults: the run was too short for one'] : []),
      ...(skipped > WORTH_TELLING * gets.ok ? [`${skipped} calls were not made: this machine held the caller up`] : []),
      ...complaints.map(complaint => `NOT AS PROMISED: ${complaint}`),
    ],
    exitCode: complaints.length === 0 ? 0 : 1,
  };
};

const complaintsOf = ({ totals, witness }: Result): string[] => {
  const { gets, processedTwice, complaints } = totals;
  return [
    ...(gets.ok === 0 ? ['no call succeeded'] : []),
    ...(gets.failed > 0 ? [`${gets.failed} GETs failed: ${complaints.slice(0, 3).join('; ')}`] : []),
    ...(processedTwice > 0 ? [`${processedTwice} POSTs were processed more than once`] : []),
    ...witness.complaints(),
  ];
};
