import type { AttemptExplanation, Numbers } from '../core/explanation.js';

/** A line of an explanation is no longer: instances and errors have names of any length. */
const LONGEST_LINE = 220;
const MOST_OUT = 3;

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const BREAKS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Whatever others wrote into it. */
export const oneLine = (text: string): string => {
  const line = text.replace(BREAKS, ' ');
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line;
};

/** Whole ms, with tenths below ten. */
export const ms = (time: number): string => `${time < 10 ? Math.round(time * 10) / 10 : Math.round(time)} ms`;

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

/** `503 in 50 ms, failure`. */
export const resultOf = ({ status, error, durationMs, outcome, retryAfterMs }: AttemptExplanation): string => {
  const asked = retryAfterMs === null ? '' : `, asked for ${ms(retryAfterMs)} without calls`;
  return `${status ?? error ?? 'answered'} in ${ms(durationMs)}, ${outcome}${asked}`;
};

/** Why the attempt came when it came. */
export const cameBecause = ({ startedAfterMs, pause: { cause, ms: waitedMs, reason } }: AttemptExplanation): string => {
  const after = reason === null ? '' : ` after ${JSON.stringify(reason)}`;
  if (cause === 'first') return `the first, ${ms(startedAfterMs)} after the call began`;
  if (cause === 'hedge') return `a hedge, beside one that had taken ${ms(waitedMs)}`;
  if (cause === 'redirect') return 'a redirect that named the service';
  return `a retry${after}, ${ms(waitedMs)} later${cause === 'retry-after' ? ', as Retry-After asks' : ''}`;
};

/** By what numbers it was chosen. */
export const choiceOf = ({ chosen, others, probe }: AttemptExplanation): string => {
  if (chosen === null) return 'nobody was chosen';
  if (probe) return `a probe: it is on trial; ${numbersOf(chosen)}`;
  const [best, ...rest] = others;
  if (best === undefined) return `the only choice: ${numbersOf(chosen)}`;
  const more = rest.length === 0 ? '' : `, nor ${rest.length} more`;
  return `chosen at ${numbersOf(chosen)}; not ${best.id} at ${numbersOf(best)}${more}`;
};

const numbersOf = ({ weight, inFlight, latencyMs, successRatio }: Numbers): string => {
  const latency = latencyMs === 0 ? 'not measured' : ms(latencyMs);
  return `weight ${Math.round(weight * 100) / 100}, ${inFlight} in flight, ${latency}, ${percent(successRatio)} success`;
};

/** Who there was, and who was out and why. */
export const setOf = ({ known, members, eligible, panic, out, route }: AttemptExplanation): string => {
  const named = out.slice(0, MOST_OUT).map(({ id, reason, availableInMs }) => {
    const back = availableInMs === null || availableInMs === 0 ? '' : `, back in ${ms(availableInMs)}`;
    return `${id} (${reason}${back})`;
  });
  const rest = out.length > MOST_OUT ? ` and ${out.length - MOST_OUT} more` : '';
  const outs = named.length === 0 ? '' : `; out: ${named.join(', ')}${rest}`;
  const by = route === null ? '' : `, by rule ${route.rule} (${route.served})`;
  const number = panic ? `panic: all ${members} serve` : `${eligible} of ${members} could serve`;
  return `${number}, ${known} known${by}${outs}`;
};
