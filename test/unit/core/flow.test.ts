import { describe, expect, it } from 'vitest';
import type { Call, Layer } from 'fairlead';
import { asDispatch, asStage, chain, type Flow, type Stage } from '../../../src/core/flow.js';

const call = { attempt: 1 } as Call;
const answers: Flow<string> = (_call, landing) => landing.answered('answer');
const wraps =
  (name: string): Layer<string> =>
  next =>
  async given =>
    `${name}(${await next(given)})`;

describe('flows', () => {
  it('stages and layers stand in the order in which they are listed, the first outermost', async () => {
    const shouts: Stage<string> = next => (given, landing) =>
      next(given, {
        answered: result => landing.answered(result.toUpperCase()),
        failed: error => landing.failed(error),
      });
    const flow = chain([asStage(wraps('a')), shouts, asStage(wraps('b'))], answers);
    await expect(asDispatch(flow)(call)).resolves.toBe('a(B(ANSWER))');
  });

  it('without a layer that waits, the landing is told in the same turn', () => {
    const told: string[] = [];
    const passes: Stage<string> = next => (given, landing) => next(given, landing);
    const flow = chain([passes, asStage(wraps('never'), () => false)], answers);
    flow(call, { answered: result => told.push(result), failed: () => told.push('failed') });
    expect(told).toEqual(['answer']);
  });

  it('a layer applies to the calls that it is for', async () => {
    const flow = chain([asStage(wraps('first'), ({ attempt }) => attempt === 1)], answers);
    await expect(asDispatch(flow)(call)).resolves.toBe('first(answer)');
    await expect(asDispatch(flow)({ attempt: 2 } as Call)).resolves.toBe('answer');
  });

  it.each<[string, Layer<string>]>([
    [
      'throws before it returns a promise',
      () => () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => () => Promise.reject(new Error('broken'))],
    ['passes on what fails', next => given => next(given)],
  ])('a layer that %s fails the call', async (_what, layer) => {
    const fails: Flow<string> = (_call, landing) => landing.failed(new Error('broken'));
    await expect(asDispatch(chain([asStage(layer)], fails))(call)).rejects.toThrow('broken');
  });

  it('a layer may send a call twice at the same time: each has an end of its own', async () => {
    const ends: ((result: string) => void)[] = [];
    const twice: Layer<string> = next => async given => (await Promise.all([next(given), next(given)])).join(' ');
    const slow: Flow<string> = (_call, landing) => void ends.push(result => landing.answered(result));
    const both = asDispatch(chain([asStage(twice)], slow))(call);
    ends[1]!('two');
    ends[0]!('one');
    await expect(both).resolves.toBe('one two');
  });
});
