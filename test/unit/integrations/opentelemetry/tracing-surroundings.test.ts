import { context, createContextKey, SpanKind, trace, TraceFlags, type Context, type Span } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { AlwaysOffSampler, ParentBasedSampler, AlwaysOnSampler } from '@opentelemetry/sdk-trace-base';
import { createServiceClient, staticRegistry, type Layer } from 'fairlead';
import { inbound, tracing } from 'fairlead/opentelemetry';
import { fakeFetch, testRuntime } from 'fairlead/testing';
import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventNames, traced, tracedProvider, traceparentOf } from './tracing-support.js';

const T = '0af7651916cd43dd8448eb211c80319c';
const S = 'b7ad6b7169203331';
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

// What is active is a matter of the whole process; nothing else is registered, but where a test says so.
beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

const below = <R>(traceFlags: number, fn: () => R): R =>
  context.with(trace.setSpanContext(context.active(), { traceId: T, spanId: S, traceFlags }), fn);

describe('what surrounds a call', () => {
  it('is the parent of its span, and the span of the attempt is active around the transport alone', async () => {
    const active: (Span | undefined)[] = [];
    const { client, callSpan, attempts } = await traced({
      answer: () => {
        active.push(trace.getActiveSpan());
        return new Response('ok');
      },
    });
    await below(TraceFlags.SAMPLED, () => client.fetch('/'));
    expect(callSpan().parentSpanContext).toMatchObject({ traceId: T, spanId: S });
    expect(active[0]?.spanContext()).toEqual(attempts()[0]!.spanContext());
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  it('reaches into call(), where what is called may make spans of its own', async () => {
    const { client, provider, attempts, spans } = await traced();
    await client.call(async () => {
      expect(context.active().getValue(SUPPRESSED)).toBeUndefined();
      provider.getTracer('db').startSpan('SELECT').end();
    });
    const query = spans().find(({ name }) => name === 'SELECT');
    expect(query?.parentSpanContext?.spanId).toBe(attempts()[0]!.spanContext().spanId);
  });

  it('keeps instrumentations of the transport silent, unless told not to', async () => {
    const seen: unknown[] = [];
    const answer = (): Response => {
      seen.push(context.active().getValue(SUPPRESSED));
      return new Response();
    };
    const silent = await traced({ answer });
    await silent.client.fetch('/');
    const loud = await traced({ answer, tracing: { suppressInstrumentation: false } });
    await loud.client.fetch('/');
    expect(seen).toEqual([true, undefined]);
  });

  it('lets a layer of the user’s put a span between call and attempt', async () => {
    const { provider, exporter } = tracedProvider();
    const tracer = provider.getTracer('mine');
    const signing: Layer<unknown> = next => call =>
      tracer.startActiveSpan('sign', async span => {
        span.end();
        return next(call);
      });
    const { client, attempts, callSpan } = await traced({ client: { layers: { attempt: [signing] } } });
    await client.fetch('/');
    const [sign] = exporter.getFinishedSpans();
    expect(sign!.parentSpanContext?.spanId).toBe(callSpan().spanContext().spanId);
    expect(attempts()[0]!.parentSpanContext?.spanId).toBe(sign!.spanContext().spanId);
  });

  it('makes no spans where somebody asked for none', async () => {
    const { client, spans, arrived } = await traced();
    await context.with(context.active().setValue(SUPPRESSED, true), () => client.fetch('/'));
    expect(spans()).toEqual([]);
    expect(arrived[0]!.has('traceparent')).toBe(false);
  });
});

describe('a trace that is not recorded', () => {
  it('goes on through the headers below a span that was sampled out, and makes no spans, however often it is sent', async () => {
    const { client, runtime, spans, arrived } = await traced({
      answer: (_, nth) => new Response(null, { status: nth === 1 ? 503 : 200 }),
    });
    const answer = below(TraceFlags.NONE, () => client.fetch('/'));
    await runtime.advance(1_000);
    expect((await answer).status).toBe(200);
    expect(spans()).toEqual([]);
    expect(arrived.map(headers => headers.get('traceparent'))).toEqual([`00-${T}-${S}-00`, `00-${T}-${S}-00`]);
  });

  it('is told apart by its calls: each carries what is active around it', async () => {
    const { client, arrived } = await traced();
    for (const spanId of [S, S.replace('b', 'c'), S])
      await context.with(trace.setSpanContext(context.active(), { traceId: T, spanId, traceFlags: 0 }), () =>
        client.fetch('/'),
      );
    expect(arrived.map(headers => traceparentOf(headers).spanId)).toEqual([S, S.replace('b', 'c'), S]);
  });

  it('begins here when the sampler drops it, and says so to whom it calls', async () => {
    const { client, spans, arrived } = await traced({ sampler: new AlwaysOffSampler() });
    await client.fetch('/');
    expect(spans()).toEqual([]);
    expect(traceparentOf(arrived[0]!).flags).toBe('00');
    let inner: Context | undefined;
    await client.call(async () => void (inner = context.active()));
    expect(trace.getSpanContext(inner!)?.traceFlags).toBe(TraceFlags.NONE);
  });

  it('is put to the sampler when it comes from another process', async () => {
    const sampler = new ParentBasedSampler({
      root: new AlwaysOnSampler(),
      remoteParentNotSampled: new AlwaysOnSampler(),
    });
    const { client, spans } = await traced({ sampler });
    const remote = { traceId: T, spanId: S, traceFlags: 0, isRemote: true };
    await context.with(trace.setSpanContext(context.active(), remote), () => client.fetch('/'));
    expect(spans()).toHaveLength(2);
  });

  it('silences an instrumentation of undici too, which would add its headers to ours', async () => {
    const seen: unknown[] = [];
    const { client } = await traced({
      answer: () => {
        seen.push(context.active().getValue(SUPPRESSED));
        return new Response();
      },
    });
    const watching = (): void => undefined;
    const created = channel('undici:request:create');
    created.subscribe(watching);
    await below(TraceFlags.NONE, () => client.fetch('/'));
    created.unsubscribe(watching);
    await below(TraceFlags.NONE, () => client.fetch('/'));
    expect(seen).toEqual([true, undefined]);
  });
});

describe('without an SDK', () => {
  it('sends requests as they are, until one is registered, after the client was made', async () => {
    const arrived: Headers[] = [];
    const runtime = testRuntime({
      fetch: fakeFetch(request => {
        arrived.push(request.headers);
        return new Response();
      }),
    });
    const registry = staticRegistry([{ address: '10.0.0.1', port: 80 }]);
    const propagator = new W3CTraceContextPropagator();
    const client = createServiceClient({ service: 'users', registry, runtime, instruments: [tracing({ propagator })] });
    await client.fetch('/');
    const { provider, exporter } = tracedProvider();
    trace.setGlobalTracerProvider(provider);
    try {
      await client.fetch('/');
    } finally {
      trace.disable();
    }
    await client.fetch('/');
    expect(arrived.map(headers => headers.has('traceparent'))).toEqual([false, true, false]);
    expect(exporter.getFinishedSpans()).toHaveLength(2);
  });
});

describe('without an SDK, but with a propagator', () => {
  it('a trace of others passes through', async () => {
    const arrived: Headers[] = [];
    const runtime = testRuntime({
      fetch: fakeFetch(request => {
        arrived.push(request.headers);
        return new Response();
      }),
    });
    const registry = staticRegistry([{ address: '10.0.0.1', port: 80 }]);
    const propagator = new W3CTraceContextPropagator();
    const client = createServiceClient({ service: 'users', registry, runtime, instruments: [tracing({ propagator })] });
    const traceparent = `00-${T}-${S}-01`;
    await inbound({ headers: { traceparent } }, () => client.fetch('/'), { propagator });
    await client.fetch('/');
    expect(arrived.map(headers => headers.get('traceparent'))).toEqual([traceparent, null]);
  });
});

describe('headers', () => {
  it('never touches what the caller gave', async () => {
    const { client, arrived } = await traced();
    const headers = new Headers({ 'x-mine': '1' });
    const init = Object.freeze({ headers });
    await client.fetch('/', init);
    expect([...headers]).toEqual([['x-mine', '1']]);
    expect(arrived[0]!.get('x-mine')).toBe('1');
    expect(arrived[0]!.has('traceparent')).toBe(true);
  });

  it('respects a traceparent of the caller’s own, with no state of ours beside it', async () => {
    const { client, arrived, spans } = await traced();
    const state = trace.setSpanContext(context.active(), {
      traceId: T,
      spanId: S,
      traceFlags: 1,
      traceState: { serialize: () => 'ours=1', get: () => undefined, set: () => state0, unset: () => state0 },
    });
    const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await context.with(state, () => client.fetch('/', { headers: { traceparent: own } }));
    expect(arrived[0]!.get('traceparent')).toBe(own);
    expect(arrived[0]!.has('tracestate')).toBe(false);
    expect(spans()).toHaveLength(2);
  });

  it('adds none with inject: false', async () => {
    const { client, arrived, spans } = await traced({ tracing: { inject: false } });
    await client.fetch('/');
    expect(arrived[0]!.has('traceparent')).toBe(false);
    expect(spans()).toHaveLength(2);
  });
});

const state0 = { serialize: () => '', get: () => undefined, set: () => state0, unset: () => state0 };

describe('hooks', () => {
  it('add attributes, and see the call, its instance and its response', async () => {
    const { client, callSpan, attempts } = await traced({
      answer: () => new Response('ok', { headers: { 'x-cache': 'hit' } }),
      tracing: {
        attributes: {
          call: ({ service }) => ({ team: `${service}-team` }),
          attempt: (_, { instance }) => ({ rack: instance.address }),
          response: ({ headers }) => ({ cache: headers.get('x-cache') ?? '' }),
        },
      },
    });
    await client.fetch('/');
    expect(callSpan().attributes['team']).toBe('users-team');
    expect(attempts()[0]!.attributes).toMatchObject({ rack: '10.0.0.1', cache: 'hit' });
  });

  it('that throw become one warning of the process, and no call fails', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const fail = (): never => {
      throw new Error('my hook');
    };
    try {
      const { client, attempts } = await traced({
        tracing: { attributes: { call: fail, attempt: fail, response: fail } },
      });
      expect((await client.fetch('/')).status).toBe(200);
      expect((await client.fetch('/')).status).toBe(200);
      expect(attempts()).toHaveLength(2);
      expect(warned).toHaveBeenCalledTimes(1);
      expect(String(warned.mock.calls[0]![0])).toContain('my hook');
    } finally {
      warned.mockRestore();
    }
  });

  it('of the SDK that throw are no fault of the call either', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    try {
      const shouldSample = (): never => {
        throw new Error('my sampler');
      };
      const { client } = await traced({ sampler: { shouldSample, toString: () => 'broken' } });
      expect((await client.fetch('/')).status).toBe(200);
    } finally {
      warned.mockRestore();
    }
  });
});

describe('one tracing() of several clients', () => {
  it('tells each of its own events only', async () => {
    const { provider, exporter } = tracedProvider();
    const instrument = tracing({ tracerProvider: provider });
    const makeClient = (answer: () => Response | Promise<Response>): ReturnType<typeof createServiceClient> =>
      createServiceClient({
        service: 'users',
        registry: staticRegistry([{ id: 'a', address: '10.0.0.1', port: 80 }]),
        runtime: testRuntime({ fetch: fakeFetch(answer) }),
        instruments: [instrument],
        circuitBreaker: { consecutiveFailures: 1 },
        retry: false,
      });
    let answer: ((response: Response) => void) | undefined;
    const slow = makeClient(() => new Promise(resolve => (answer = resolve)));
    const failing = makeClient(() => new Response(null, { status: 503 }));
    await Promise.all([slow.ready(), failing.ready()]);
    const pending = slow.fetch('/');
    await failing.fetch('/');
    await vi.waitFor(() => expect(answer).toBeDefined());
    answer?.(new Response());
    await pending;
    const calls = exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.INTERNAL);
    expect(calls.map(span => eventNames(span).includes('fairlead.breaker.opened'))).toEqual([true, false]);
    await Promise.all([slow.close(), failing.close()]);
  });
});

describe('options', () => {
  it.each([
    [{ inject: 1 }, 'tracing: inject: expected a boolean, got 1'],
    [{ redact: 'session' }, "tracing: redact: expected an array of names; write ['session']"],
    [{ hooks: {} }, 'hooks: no such option'],
    [{ attributes: { call: {} } }, 'tracing: attributes.call: expected a function'],
    [{ attributes: { send: () => ({}) } }, 'send: no such option'],
  ])('refuses %j', (options, message) => {
    expect(() => tracing(options as never)).toThrow(message);
  });
});
