import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { describe, expect, test } from 'vitest';
import type { Sender } from '../../../../src/integrations/jaeger/delivery.js';
import { SteadyExporter } from '../../../../src/integrations/jaeger/steady-exporter.js';
import { testRuntime } from '../../../../src/testing/index.js';

type Done = Parameters<SpanExporter['export']>[1];

/** Exporters that are answered for by the test. */
const stage = (maxWaiting = 10, retryAfterMs: Readonly<Record<string, number>> = {}, exportTimeoutMs = 1_000) => {
  const runtime = testRuntime();
  const told: string[] = [];
  const asked: Done[] = [];
  const opened: { cuts: number; shutdowns: number }[] = [];
  const open = (): Sender => {
    const state = { cuts: 0, shutdowns: 0 };
    opened.push(state);
    const exporter: SpanExporter = {
      export: (_spans, done) => void asked.push(done),
      shutdown: async () => void (state.shutdowns += 1),
    };
    return { exporter, retryAfterMs: error => retryAfterMs[error?.message ?? ''], cut: () => void (state.cuts += 1) };
  };
  const failed = (why: string, spans: number): void => void told.push(`${why}, ${spans}`);
  const exporter = new SteadyExporter({ open, where: 'there', exportTimeoutMs, maxWaiting, runtime, failed });
  const results: string[] = [];
  const send = (name: string, spans = 1): void =>
    exporter.export(
      Array.from({ length: spans }, () => ({}) as ReadableSpan),
      ({ code }) => void results.push(`${name} ${Number(code) === 0 ? 'sent' : 'failed'}`),
    );
  const answer = (turn: number, code = 0): void => asked[turn]!({ code });
  const failWith = (turn: number, message: string): void => asked[turn]!({ code: 1, error: new Error(message) });
  return { runtime, told, asked, opened, exporter, results, send, answer, failWith };
};

const settledOf = (promise: Promise<unknown>): (() => boolean) => {
  let settled = false;
  promise.finally(() => (settled = true)).catch(() => undefined);
  return () => settled;
};

describe('one batch at a time', () => {
  test('the next goes out when the one before has its answer', () => {
    const { asked, results, send, answer } = stage();
    send('a');
    send('b');
    expect(asked).toHaveLength(1);
    answer(0);
    expect(asked).toHaveLength(2);
    answer(1, 1);
    expect(results).toEqual(['a sent', 'b failed']);
  });

  test('an answer that comes twice counts once', () => {
    const { asked, results, send, answer } = stage();
    send('a');
    send('b');
    answer(0);
    answer(0, 1);
    expect([asked.length, results]).toEqual([2, ['a sent']]);
  });

  test('too many that wait are refused, and told', () => {
    const { results, send, told } = stage(3);
    for (const name of ['a', 'b', 'c']) send(name, 2);
    expect(results).toEqual([]);
    send('d', 2);
    expect(results).toEqual(['d failed']);
    expect(told).toEqual(['there: too many wait, 2']);
  });

  test('an exporter that throws has failed', () => {
    const runtime = testRuntime();
    const results: number[] = [];
    const thrower: SpanExporter = {
      export: () => {
        throw new Error('oh');
      },
      shutdown: () => Promise.resolve(),
    };
    const told: string[] = [];
    const exporter = new SteadyExporter({
      open: () => ({ exporter: thrower, retryAfterMs: () => undefined, cut: () => undefined }),
      ...{ where: 'there', exportTimeoutMs: 1_000, maxWaiting: 10, runtime },
      failed: why => void told.push(why),
    });
    for (const _ of [1, 2]) exporter.export([], ({ code }) => void results.push(code));
    expect([results, told]).toEqual([
      [1, 1],
      ['there: oh', 'there: oh'],
    ]);
  });
});

describe('a bound', () => {
  test('no answer in time: its connections are cut, and the next batch gets new ones', async () => {
    const { runtime, asked, opened, results, send, answer, told } = stage();
    send('a', 3);
    send('b');
    await runtime.advance(999);
    expect(results).toEqual([]);
    await runtime.advance(1);
    expect(results).toEqual(['a failed']);
    expect(told).toEqual(['there: no answer within 1000 ms, 3']);
    expect(opened).toEqual([
      { cuts: 1, shutdowns: 0 },
      { cuts: 0, shutdowns: 0 },
    ]);
    answer(1);
    answer(0);
    expect([asked.length, results]).toEqual([2, ['a failed', 'b sent']]);
  });

  test('an answer in time leaves no timer', async () => {
    const { runtime, opened, send, answer } = stage();
    send('a');
    answer(0);
    await runtime.advance(10_000);
    expect(opened).toEqual([{ cuts: 0, shutdowns: 0 }]);
  });
});

describe('another try', () => {
  const RETRY = { away: 0, busy: 3_000 };

  test('follows a failure that may pass, within the bound of the batch', async () => {
    const { runtime, asked, results, send, answer, failWith } = stage(10, RETRY, 20_000);
    send('a');
    failWith(0, 'away');
    await runtime.advance(1_000);
    expect([asked.length, results]).toEqual([2, []]);
    failWith(0, 'an answer that is late');
    failWith(1, 'busy');
    await runtime.advance(2_999);
    expect(asked).toHaveLength(2);
    await runtime.advance(1);
    answer(2);
    expect(results).toEqual(['a sent']);
  });

  test('does not follow another failure, nor one that would come too late', () => {
    const { asked, told, send, failWith } = stage(10, RETRY);
    send('a');
    failWith(0, 'no such path');
    send('b');
    failWith(1, 'busy');
    expect(asked).toHaveLength(2);
    expect(told).toEqual(['there: no such path, 1', 'there: busy, 1']);
  });

  test('in a hurry comes at once, and is the last', async () => {
    const { runtime, exporter, asked, told, send, failWith } = stage(10, RETRY, 20_000);
    send('a');
    send('b');
    failWith(0, 'busy');
    exporter.hurry();
    expect(asked).toHaveLength(2);
    failWith(1, 'away');
    failWith(2, 'away');
    await runtime.advance(20_000);
    expect([asked.length, told]).toEqual([3, ['there: away, 1', 'there: away, 1']]);
  });

  test('does not come after a cut', async () => {
    const { runtime, exporter, asked, results, send, failWith } = stage(10, RETRY, 20_000);
    send('a');
    failWith(0, 'away');
    exporter.cut('too late');
    await runtime.advance(20_000);
    expect([asked.length, results]).toEqual([1, ['a failed']]);
  });

  test('does not come after a cut that made it fail', async () => {
    const { runtime, exporter, asked, results, send, failWith } = stage(10, RETRY, 20_000);
    send('a');
    exporter.cut('too late');
    failWith(0, 'away');
    await runtime.advance(20_000);
    expect([asked.length, results]).toEqual([1, ['a failed']]);
  });

  test('says why it came, when it is given up', () => {
    const { exporter, told, send, failWith } = stage(10, RETRY, 20_000);
    send('a');
    failWith(0, 'away');
    expect(exporter.trouble).toBe(' (away)');
    exporter.cut('too late');
    expect(told).toEqual(['there: too late (away), 1']);
  });
});

describe('the end', () => {
  test('a flush waits for what is on its way, whoever sent it', async () => {
    const { exporter, runtime, send, answer } = stage();
    await exporter.forceFlush();
    send('a');
    send('b');
    const flushed = settledOf(exporter.forceFlush());
    answer(0);
    await runtime.advance(0);
    expect(flushed()).toBe(false);
    answer(1);
    await runtime.advance(0);
    expect(flushed()).toBe(true);
  });

  test('a shutdown waits as well, closes once, and what comes later gets an answer', async () => {
    const { exporter, opened, results, send, answer } = stage();
    send('a');
    const closing = exporter.shutdown();
    expect(exporter.shutdown()).toBe(closing);
    answer(0);
    await closing;
    send('late');
    expect(results).toEqual(['a sent', 'late failed']);
    expect(opened).toEqual([{ cuts: 1, shutdowns: 1 }]);
  });

  test('a cut answers for all at once, and lets a waiting shutdown go', async () => {
    const { exporter, opened, results, send, told } = stage();
    send('a');
    send('b', 2);
    const closing = exporter.shutdown();
    exporter.cut('too late');
    await closing;
    expect(results).toEqual(['a failed', 'b failed']);
    expect(told).toEqual(['there: too late, 1', 'there: too late, 2']);
    expect(opened).toEqual([{ cuts: 1, shutdowns: 1 }]);
  });
});
