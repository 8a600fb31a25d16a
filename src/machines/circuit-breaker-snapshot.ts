import type { CircuitSnapshot } from './circuit-breaker.js';
import { MOST_CALLS } from './exact-tally.js';

const STATES: readonly unknown[] = ['closed', 'open', 'half-open'];

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const RULES: Readonly<Record<string, readonly [expected: string, holds: (value: unknown) => boolean]>> = {
  state: ["'closed', 'open' or 'half-open'", value => STATES.includes(value)],
  at: ['milliseconds since the epoch', isTime],
  forMs: ['milliseconds >= 0', isTime],
  availableInMs: ['milliseconds >= 0, or null', value => value === null || isTime(value)],
  reason: ['a string, or null', value => value === null || typeof value === 'string'],
  failedTrials: ['a whole number >= 0', isCount],
  consecutiveFailures: ['a whole number >= 0', isCount],
};

/** What a store gave back: checked, since it may be older than this version, or somebody else's. */
export const checkCircuitSnapshot = (given: unknown): CircuitSnapshot => {
  if (typeof given !== 'object' || given === null) throw wrong('', 'what snapshot() gave', given);
  const values = given as Record<string, unknown>;
  for (const [key, [expected, holds]] of Object.entries(RULES))
    if (!holds(values[key])) throw wrong(`.${key}`, expected, values[key]);
  const { window } = values;
  if (typeof window !== 'object' || window === null) throw wrong('.window', 'an object', window);
  for (const key of ['started', 'ended']) checkRows(`.window.${key}`, (window as Record<string, unknown>)[key]);
  return given as CircuitSnapshot;
};

const checkRows = (path: string, rows: unknown): void => {
  if (!Array.isArray(rows)) throw wrong(path, 'an array', rows);
  let total = 0;
  let before = Infinity;
  for (const row of rows as unknown[]) {
    const [ageMs, count, failed, slow] = Array.isArray(row) ? (row as unknown[]) : [];
    const whole = [count, failed, slow].every(value => isCount(value) && (value as number) <= (count as number));
    if (!isTime(ageMs) || (ageMs as number) > before || !whole)
      throw wrong(path, 'rows of [age in ms, calls, of them failed, of them slow], oldest first', row);
    before = ageMs as number;
    total += count as number;
  }
  if (total > MOST_CALLS) throw wrong(path, `at most ${MOST_CALLS} calls`, total);
};

const wrong = (path: string, expected: string, value: unknown): TypeError => {
  const shown = typeof value === 'object' && value !== null ? 'an object' : String(value);
  return new TypeError(`CircuitBreaker.restore: snapshot${path}: expected ${expected}, got ${shown}`);
};
