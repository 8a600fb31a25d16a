import { expect } from 'vitest';
import { CircuitBreaker, REFUSED, type CircuitBreakerOptions, type Verdict } from 'fairlead';
import { testRuntime } from 'fairlead/testing';
import { ServiceBreaker } from '../../../src/client/service-breaker.js';
import { resolveCircuitBreaker } from '../../../src/client/options/circuit-breaker.js';
import { FAILURE, IGNORED, OVERLOAD, SERVER_ERROR, SUCCESS } from '../../../src/core/outcome.js';

/**
 * At a time, what is done, and what is seen after it: `in` or `refused` after `enter`, else the state. `ok`, `fail`, … alone
 * are a call that takes no time; with a name they end the call that `enter` began; with a number they are so many calls.
 */
export type Row = readonly [at: number, action: string, seen: string];

export interface Subject {
  enter(now: number): number;
  leave(ticket: number, verdict: Verdict, now: number): void;
  state(): string;
  open(): void;
  close(): void;
}

const VERDICTS: Record<string, Verdict> = {
  ok: SUCCESS,
  fail: FAILURE,
  bug: SERVER_ERROR,
  overload: OVERLOAD,
  ignore: IGNORED,
};

/** The breaker alone and the one on opossum, both with the client's option names. */
export const SUBJECTS: Record<string, (options: CircuitBreakerOptions, now: () => number) => Subject> = {
  'CircuitBreaker alone': (options, now) => {
    const policy = resolveCircuitBreaker(options);
    const breaker = new CircuitBreaker({ ...(policy as CircuitBreakerOptions), runtime: { now, wallNow: now } });
    return {
      enter: at => breaker.enter(at),
      leave: (ticket, { outcome }, at) => breaker.leave(ticket, outcome, at),
      state: () => breaker.state,
      open: () => breaker.open(),
      close: () => breaker.close(),
    };
  },
  'the breaker on opossum': (options, now) => {
    const runtime = Object.assign(testRuntime(), { now });
    const policy = resolveCircuitBreaker(options);
    if (policy === false) throw new Error('off');
    const parts = { service: 'orders', policy, runtime, events: { emit: undefined }, works: () => false };
    const breaker = new ServiceBreaker(parts);
    const { handle } = breaker;
    return {
      enter: at => breaker.enter(at),
      leave: (ticket, verdict, at) => breaker.leave(ticket, verdict, at),
      state: () => {
        const { state } = breaker.snapshot(now());
        // The two must tell the same, always.
        expect(handle).toMatchObject({
          closed: state === 'closed',
          opened: state === 'open',
          halfOpen: state === 'half-open',
        });
        return state;
      },
      open: () => handle.open(),
      close: () => handle.close(),
    };
  },
};

/** Plays the rows and compares what is seen. */
export const play = (make: (typeof SUBJECTS)[string], options: CircuitBreakerOptions, rows: readonly Row[]): void => {
  let time = rows[0]?.[0] ?? 0;
  const subject = make(options, () => time);
  const tickets = new Map<string, number>();
  const seen = rows.map(([at, action]): Row => {
    time = at;
    const [verb, name = ''] = action.split(' ') as [string, string?];
    const leave = (ticket: number): void => subject.leave(ticket, VERDICTS[verb]!, at);
    if (verb === 'enter') {
      const ticket = subject.enter(at);
      tickets.set(name, ticket);
      return [at, action, ticket === REFUSED ? 'refused' : 'in'];
    }
    if (verb === 'open') subject.open();
    else if (verb === 'close') subject.close();
    else if (tickets.has(name)) leave(tickets.get(name)!);
    else if (verb in VERDICTS) {
      for (let nth = 0; nth < Number(name || 1); nth += 1) {
        const ticket = subject.enter(at);
        if (ticket !== REFUSED) leave(ticket);
      }
    }
    return [at, action, subject.state()];
  });
  expect(seen).toEqual(rows);
};
