import type { CallExplanation } from '../core/explain-call.js';
import type { AttemptExplanation } from '../core/explanation.js';
import { choiceOf, cameBecause, ms, oneLine, resultOf, setOf } from './explanation-words.js';

/** Five attempts of three lines each, five lines above and two below them: 22 lines. Of more, four and one that counts. */
const MOST_TOLD = 5;
const FIRST_TOLD = 2;
const LAST_TOLD = 2;

/**
 * What `client.explain` and `error.explain` give, for people: at most 25 lines, whatever the number of attempts and
 * instances. Each line is one line, whatever instances and servers are called or say.
 *
 * ```ts
 * console.log(formatExplanation(users.explain(response)));
 * ```
 */
export const formatExplanation = (explanation: CallExplanation | undefined): string => {
  if (explanation === undefined) return 'no explanation: not a response or an error of a fairlead client';
  return [...headOf(explanation), ...attemptsOf(explanation), ...endOf(explanation)].map(oneLine).join('\n');
};

const headOf = (call: CallExplanation): string[] => {
  const { method, service, status, error, durationMs, attempts, hedges } = call;
  const got = error === null ? (status ?? 'an answer') : (error.code ?? error.name);
  const hedged = hedges === 0 ? '' : `, ${count(hedges, 'hedge')} among them`;
  const took = durationMs === null ? 'still running' : ms(durationMs);
  return [
    `${method} ${service}: ${got}${whoseAnswer(call)} in ${took}, ${count(attempts, 'attempt')}${hedged}`,
    `  deadline  ${deadlineOf(call)}`,
    ...(call.limiter === null ? [] : [`  limiter   ${limiterOf(call.limiter)}`]),
    ...(call.queuedMs > 0 ? [`  queued    ${ms(call.queuedMs)}`] : []),
    ...(call.budget === null ? [] : [`  budget    ${Math.floor(call.budget.balance)} more retries could be paid`]),
  ];
};

const PLACES = { cache: ' from the cache', stale: ' from the cache, stale', fallback: ' from the fallback' };

const whoseAnswer = ({ servedFrom, instance }: CallExplanation): string => {
  if (servedFrom !== 'instance' && servedFrom !== 'coalesced') return PLACES[servedFrom];
  const shared = servedFrom === 'coalesced' ? ', shared with another call' : '';
  return instance === null ? shared : ` from ${instance}${shared}`;
};

const SOURCES = {
  call: "the call's own",
  client: "the client's",
  inherited: 'inherited from the request being served',
};

const deadlineOf = ({ deadline: { ms: allMs, from, leftMs } }: CallExplanation): string => {
  if (allMs === null || from === 'none') return 'none';
  return `${ms(allMs)}, ${SOURCES[from]}${leftMs === null ? '' : `; ${ms(leftMs)} left at the end`}`;
};

const limiterOf = ({ rule, result, waitedMs, available }: NonNullable<CallExplanation['limiter']>): string => {
  const waited = result === 'waited' ? ` for ${ms(waitedMs)}` : '';
  return `${rule}: ${result}${waited}${available === null ? '' : `, ${count(Math.floor(available), 'permit')} left`}`;
};

const attemptsOf = ({ tries }: CallExplanation): string[] => {
  if (tries.length <= MOST_TOLD) return tries.flatMap(attemptOf);
  const between = tries.slice(FIRST_TOLD, -LAST_TOLD);
  const failed = between.filter(({ outcome }) => outcome === 'failure').length;
  return [
    ...tries.slice(0, FIRST_TOLD).flatMap(attemptOf),
    `  … ${between.length} more attempts, ${failed} of them failures`,
    ...tries.slice(-LAST_TOLD).flatMap(attemptOf),
  ];
};

const attemptOf = (told: AttemptExplanation): string[] => [
  `  ${told.attempt}. ${told.chosen?.id ?? 'nobody'}: ${resultOf(told)}; ${cameBecause(told)}`,
  `     ${setOf(told)}`,
  `     ${choiceOf(told)}`,
];

const endOf = ({ endedBy, why, error, errors, tries }: CallExplanation): string[] => {
  // What an attempt rejected with is told with the attempt.
  const told = error !== null && tries.some(attempt => attempt.error === error.message);
  const hidden = errors.at(-1);
  const said = error === null ? (tries.length === 0 ? hidden : undefined) : told ? undefined : error;
  return [...(said === undefined ? [] : [`  error     ${said.message}`]), `  ended by  ${endedBy}: ${why}`];
};

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
