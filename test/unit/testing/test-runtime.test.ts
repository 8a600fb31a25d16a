import { describe, expect, it } from 'vitest';
import { fakeFetch, testRuntime } from 'fairlead/testing';

describe('testRuntime', () => {
  it('runs timers in order, those that they start too, and lets promises settle between', async () => {
    const runtime = testRuntime();
    const told: string[] = [];
    runtime.after(20, () => told.push(`b at ${runtime.now()}`));
    runtime.after(10, () => {
      void Promise.resolve().then(() => told.push('settled'));
      runtime.after(5, () => told.push(`a2 at ${runtime.now()}`));
    });
    await runtime.advance(20);
    expect([told, runtime.now(), runtime.pendingTimers]).toEqual([['settled', 'a2 at 15', 'b at 20'], 20, 0]);
  });

  it('sleeps, and wakes at once when aborted', async () => {
    const runtime = testRuntime();
    const controller = new AbortController();
    const asleep = runtime.sleep(1_000, controller.signal).catch((reason: unknown) => reason);
    controller.abort('enough');
    expect([await asleep, runtime.pendingTimers]).toEqual(['enough', 0]);
  });

  it('has the same chance for the same seed', () => {
    const draw = (seed: number): number[] => Array.from({ length: 5 }, testRuntime({ seed }).random);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(3).every(drawn => drawn >= 0 && drawn < 1)).toBe(true);
  });
});

describe('fakeFetch', () => {
  it('hands over the request and its abort', async () => {
    const fetch = fakeFetch(async request => new Response(`${request.method} ${await request.text()}`));
    const response = await fetch('http://users/a', { method: 'POST', body: 'x' });
    expect([response.url, await response.text()]).toEqual(['http://users/a', 'POST x']);
    const hanging = fakeFetch(() => new Promise(() => undefined));
    const controller = new AbortController();
    const pending = hanging('http://users/', { signal: controller.signal });
    controller.abort('enough');
    await expect(pending).rejects.toBe('enough');
  });
});
