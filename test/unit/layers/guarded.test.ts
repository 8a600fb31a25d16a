import { describe, expect, it } from 'vitest';
import { FairleadError, REFUSED, type Call, type Layer, type Verdict } from 'fairlead';
import { FAILURE, IGNORED, OVERLOAD, SUCCESS } from '../../../src/core/outcome.js';
import { asDispatch, asStage } from '../../../src/core/flow.js';
import * as guards from '../../../src/layers/guarded.js';
import type { Guard } from '../../../src/layers/guarded.js';

/** A guard that writes down what it is told. */
const spy = (name: string, log: string[], admits = true): Guard => {
  let tickets = 0;
  return {
    enter: now => {
      log.push(`${name} enter ${now}`);
      return admits ? (tickets += 1) : REFUSED;
    },
    failed: error => void log.push(`${name} failed ${String(error)}`),
    leave: (ticket, { outcome }, now) => void log.push(`${name} leave ${ticket} ${outcome} ${now}`),
    refusal: ({ service }) => new FairleadError('THROTTLED', `${service}: ${name}`, { service }),
  };
};

/** Seen as a layer. */
const guarded =
  <R>(...given: Parameters<typeof guards.guarded>): Layer<R> =>
  next =>
    asDispatch(guards.guarded<R>(...given)(asStage<R>(() => next)(() => undefined)));

const newCall = (): Call =>
  ({ service: 'users', now: 10, verdict: SUCCESS, record: { endedBy: 'running' } }) as unknown as Call;

const ends = (call: Call, verdict: Verdict, now: number): void => {
  call.verdict = verdict;
  call.now = now;
};

describe('guarded', () => {
  it('enters in order, and leaves each once, in the reverse order, with the attempt’s verdict and time', async () => {
    const log: string[] = [];
    const dispatch = guarded<string>([spy('a', log), spy('b', log)])(async call => {
      ends(call, OVERLOAD, 25);
      return 'answer';
    });
    await expect(dispatch(newCall())).resolves.toBe('answer');
    expect(log).toEqual(['a enter 10', 'b enter 10', 'b leave 1 overload 25', 'a leave 1 overload 25']);
  });

  it('refuses without an attempt: who was entered is left with ignored, and the refusal is not to be repeated', async () => {
    const log: string[] = [];
    let attempts = 0;
    const dispatch = guarded<void>([spy('a', log), spy('b', log, false), spy('c', log)])(async () => {
      attempts += 1;
    });
    const call = newCall();
    await expect(dispatch(call)).rejects.toMatchObject({ code: 'THROTTLED', message: 'users: b' });
    expect(log).toEqual(['a enter 10', 'b enter 10', 'a leave 1 ignored 10']);
    expect([attempts, call.verdict, call.record.endedBy]).toEqual([0, IGNORED, 'refused']);
  });

  it('a rejected attempt leaves them too, and its error is told and passed on', async () => {
    const log: string[] = [];
    const dispatch = guarded<void>([spy('a', log)])(async call => {
      ends(call, FAILURE, 30);
      throw 'reset';
    });
    await expect(dispatch(newCall())).rejects.toBe('reset');
    expect(log).toEqual(['a enter 10', 'a failed reset', 'a leave 1 failure 30']);
  });

  it('so does a layer below that throws instead of rejecting, and the verdict of an earlier attempt does not count', async () => {
    const log: string[] = [];
    const dispatch = guarded<void>([spy('a', log)])(() => {
      throw new Error('sync');
    });
    await expect(dispatch(newCall())).rejects.toThrow('sync');
    expect(log.at(-1)).toBe('a leave 1 ignored 10');
  });

  it('attempts that overlap keep their own tickets', async () => {
    const log: string[] = [];
    const finish: (() => void)[] = [];
    const dispatch = guarded<void>([spy('a', log)])(
      call =>
        new Promise(resolve =>
          finish.push(() => {
            ends(call, SUCCESS, 50);
            resolve();
          }),
        ),
    );
    const first = dispatch(newCall());
    const second = dispatch(newCall());
    finish[1]!();
    await second;
    const third = dispatch(newCall());
    finish[0]!();
    finish[2]!();
    await Promise.all([first, third]);
    expect(log.filter(line => line.includes('leave'))).toEqual([
      'a leave 2 success 50',
      'a leave 1 success 50',
      'a leave 3 success 50',
    ]);
  });

  it('reads the clock where layers above may have taken time', async () => {
    const log: string[] = [];
    const dispatch = guarded<void>([spy('a', log)], { now: () => 400 })(async () => undefined);
    await dispatch(newCall());
    expect(log[0]).toBe('a enter 400');
  });
});
