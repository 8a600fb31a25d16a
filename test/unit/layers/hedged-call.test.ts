import { describe, expect, it } from 'vitest';
import { testRuntime } from 'fairlead/testing';
import { callPlan } from '../../../src/client/call-plan.js';
import { LogicalCall } from '../../../src/client/logical-call.js';
import { resolveOptions } from '../../../src/client/resolve-options.js';
import { SUCCESS } from '../../../src/core/outcome.js';
import { HedgedCall } from '../../../src/layers/hedged-call.js';
import { memoryRegistry } from 'fairlead';

const wholeCall = (): LogicalCall => {
  const seed = {
    request: undefined,
    protocol: undefined,
    idempotent: true,
    replayable: true,
    signal: undefined,
    work: undefined,
  };
  const given = { service: 'users', registry: memoryRegistry(), runtime: testRuntime(), deadlineMs: 100 };
  const options = resolveOptions(given);
  return new LogicalCall(options, seed, callPlan(options));
};

describe('HedgedCall', () => {
  it('that lost has no deadline: its end says nothing of its instance, however late it is', () => {
    const leg = new HedgedCall(wholeCall());
    expect(leg.deadlineAt).toBe(100);
    leg.lose();
    expect([leg.deadlineAt, leg.cancellation.cancelled]).toEqual([Infinity, true]);
    expect(leg.cancellation.reason).toMatchObject({ name: 'AbortError' });
  });

  it('is cancelled with the call, and the call not with it', () => {
    const whole = wholeCall();
    const [one, other] = [new HedgedCall(whole), new HedgedCall(whole)];
    one.lose();
    expect([other.cancellation.cancelled, whole.cancellation.cancelled]).toEqual([false, false]);
    whole.cancellation.cancel('enough');
    expect(other.cancellation.reason).toBe('enough');
  });

  it('keeps what it says of itself until it wins; attempts count at once', () => {
    const whole = wholeCall();
    const leg = new HedgedCall(whole);
    leg.record.attempts += 1;
    leg.record.status = 200;
    leg.record.instance = 'a';
    leg.verdict = SUCCESS;
    leg.now = 7;
    expect([whole.record.attempts, whole.record.status, whole.verdict.outcome]).toEqual([1, undefined, 'ignored']);
    leg.win();
    expect(whole).toMatchObject({ now: 7, verdict: SUCCESS, record: { attempts: 1, status: 200, instance: 'a' } });
  });

  it('says why its instance was taken last, though another one was tried after it', () => {
    const whole = wholeCall();
    const [one, other] = [new HedgedCall(whole), new HedgedCall(whole)];
    const [a, b] = [{}, {}] as never[];
    one.tried = [...one.tried, a!];
    other.tried = [...other.tried, b!];
    expect(whole.tried).toEqual([a, b]);
    one.win();
    expect(whole.tried[1]).toBe(a);
  });

  it('releases with the call', () => {
    const whole = wholeCall();
    const released: string[] = [];
    new HedgedCall(whole).atEnd(held => released.push(held), 'held');
    expect(released).toEqual([]);
    whole.end();
    expect(released).toEqual(['held']);
  });
});
