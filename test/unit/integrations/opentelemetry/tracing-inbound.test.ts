import { context, propagation, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { inbound, type InboundOptions } from 'fairlead/opentelemetry';
import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traced, tracedProvider, traceparentOf } from './tracing-support.js';

const T = '0af7651916cd43dd8448eb211c80319c';
const S = 'b7ad6b7169203331';
const VALID = `00-${T}-${S}-01`;
const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

// What is active is a matter of the whole process; nothing else is registered.
beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

const served = async (
  request: object,
  handler: Parameters<typeof inbound>[1] = () => undefined,
  options: InboundOptions = {},
): Promise<ReadableSpan[]> => {
  const { provider, exporter } = tracedProvider();
  await Promise.resolve()
    .then(() => inbound(request as Request, handler, { tracerProvider: provider, propagator, ...options }))
    .catch(() => undefined);
  return exporter.getFinishedSpans();
};

describe('inbound', () => {
  it('continues the trace of its caller, and what the handler calls carries it on', async () => {
    const downstream = await traced({ instances: 1, tracing: { propagator } });
    const [span] = await served(
      { method: 'GET', url: '/', headers: { traceparent: VALID, tracestate: 'a=1', baggage: 'user=42' } },
      async ctx => {
        ctx.setAttribute('user_id', '123').addEvent('processing started');
        expect(ctx.traceId).toBe(T);
        await downstream.client.fetch('/');
      },
    );
    expect(span!.parentSpanContext).toMatchObject({ traceId: T, spanId: S, isRemote: true });
    expect(span!.attributes['user_id']).toBe('123');
    expect(span!.events.map(({ name }) => name)).toEqual(['processing started']);
    expect(downstream.callSpan().parentSpanContext?.spanId).toBe(span!.spanContext().spanId);
    const [arrived] = downstream.arrived;
    expect(traceparentOf(arrived!)).toMatchObject({ traceId: T, flags: '01' });
    expect(arrived!.get('tracestate')).toBe('a=1');
    expect(arrived!.get('baggage')).toBe('user=42');
  });

  it('describes a request of node:http by the conventions for servers', async () => {
    const [span] = await served(
      {
        method: 'POST',
        url: '/users/42?token=abc&x=1',
        httpVersion: '1.1',
        headers: { host: 'shop.example:8080', 'user-agent': 'curl/8' },
        socket: { remoteAddress: '10.1.2.3', remotePort: 5_000 },
      },
      undefined,
      { route: '/users/:id', attributes: { team: 'shop' } },
    );
    expect(span).toMatchObject({
      name: 'POST /users/:id',
      kind: SpanKind.SERVER,
      status: { code: SpanStatusCode.UNSET },
    });
    expect(span!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/users/:id',
      'url.scheme': 'http',
      'url.path': '/users/42',
      'url.query': 'token=REDACTED&x=1',
      'server.address': 'shop.example',
      'server.port': 8_080,
      'client.address': '10.1.2.3',
      'network.peer.address': '10.1.2.3',
      'network.peer.port': 5_000,
      'network.protocol.version': '1.1',
      'user_agent.original': 'curl/8',
      team: 'shop',
    });
  });

  it('describes a Request of the web, and takes the status of the Response that is returned', async () => {
    const [span] = await served(new Request('https://shop.example/a?b=c', { headers: { traceparent: VALID } }), () =>
      Promise.resolve(new Response(null, { status: 502 })),
    );
    expect(span!.attributes).toMatchObject({
      'url.scheme': 'https',
      'url.path': '/a',
      'url.query': 'b=c',
      'server.address': 'shop.example',
      'server.port': 443,
      'http.response.status_code': 502,
      'error.type': '502',
    });
    expect(span!.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span!.parentSpanContext?.spanId).toBe(S);
  });

  it('fails with what the handler threw, and passes it on as it was', async () => {
    const thrown = new RangeError('see http://x/?password=hunter2');
    const { provider, exporter } = tracedProvider();
    const run = (): never =>
      inbound(
        { headers: {} },
        () => {
          throw thrown;
        },
        { tracerProvider: provider },
      );
    expect(run).toThrow(thrown);
    const [span] = exporter.getFinishedSpans();
    expect(span!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'see http://x/?password=REDACTED' });
    expect(span!.attributes['error.type']).toBe('RangeError');
  });

  it.each([
    { status: 200, finished: true, error: undefined },
    { status: 404, finished: true, error: undefined },
    { status: 503, finished: true, error: '503' },
    { status: 200, finished: false, error: undefined },
  ])('ends with the response it was given: $status, finished $finished', async ({ status, finished, error }) => {
    const response = Object.assign(new EventEmitter(), { statusCode: status, writableFinished: false });
    const { provider, exporter } = tracedProvider();
    await inbound({ headers: {} }, () => Promise.resolve(), { tracerProvider: provider, response });
    expect(exporter.getFinishedSpans()).toEqual([]);
    response.writableFinished = finished;
    response.emit('close');
    const [span] = exporter.getFinishedSpans();
    expect(span!.attributes['http.response.status_code']).toBe(finished ? status : undefined);
    expect(span!.attributes['fairlead.cancelled']).toBe(finished ? undefined : true);
    expect(span!.attributes['error.type']).toBe(error);
  });

  it('runs the handler without an SDK too', () => {
    expect(inbound({ headers: {} }, ctx => ctx.setAttributes({ a: 1 }).addEvent('b').traceId)).toMatch(/^0{32}$/);
  });

  it.each([undefined, null, 7, 'text'])('refuses %s as a request', request => {
    expect(() => inbound(request as never, () => undefined)).toThrow(/inbound: expected a request or its headers/);
  });
});

describe('W3C Trace Context at the door', () => {
  const restarts = undefined;
  // [what, the header(s) that came, the trace that goes on]
  const cases: [string, string | string[], string | undefined][] = [
    ['a valid one', VALID, T],
    ['with blanks around it', ` ${VALID} `, T],
    ['not sampled', `00-${T}-${S}-00`, T],
    ['with flags that are not known', `00-${T}-${S}-ff`, T],
    ['nothing', '', restarts],
    ['in upper case', VALID.toUpperCase(), restarts],
    ['without its flags', `00-${T}-${S}`, restarts],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${S}-01`, restarts],
    ['a parent id of zeros', `00-${T}-${'0'.repeat(16)}-01`, restarts],
    ['a trace id too short', `00-${T.slice(1)}-${S}-01`, restarts],
    ['a trace id too long', `00-${T}0-${S}-01`, restarts],
    ['no hexadecimal', `00-${T.replace('0', 'g')}-${S}-01`, restarts],
    ['version 00, and more behind it', `${VALID}-more`, restarts],
    ['version 00, and a dash behind it', `${VALID}-`, restarts],
    ['very long', `00-${'a'.repeat(10_000)}-${S}-01`, restarts],
    ['a future version of today’s length', `cc-${T}-${S}-01`, T],
    ['a future version, longer', `cc-${T}-${S}-01-what-the-future-brings`, T],
    ['a future version, with another mark', `cc-${T}-${S}-01.what`, restarts],
    ['the version that is forbidden', `ff-${T}-${S}-01`, restarts],
    ['twice, as node joins them', `${VALID}, 00-${'1'.repeat(32)}-${S}-01`, restarts],
    ['twice the same', `${VALID}, ${VALID}`, restarts],
    ['twice in a future version', `cc-${T}-${S}-01-x, cc-${T}-${S}-01-x`, restarts],
    ['twice, as a list', [VALID, VALID], restarts],
    ['once, as a list', [VALID], T],
  ];

  it.each(cases)('%s', async (_, traceparent, expected) => {
    const downstream = await traced({ instances: 1 });
    await served({ headers: { traceparent, tracestate: 'a=1' } }, () => downstream.client.fetch('/'));
    const arrived = downstream.arrived[0]!;
    expect(arrived.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(traceparentOf(arrived).traceId === T).toBe(expected === T);
    // Without a parent, the state of the trace before has no meaning.
    expect(arrived.get('tracestate')).toBe(expected === T ? 'a=1' : null);
  });

  it('takes several tracestate headers for one', async () => {
    const downstream = await traced({ instances: 1 });
    await served({ headers: { traceparent: VALID, tracestate: ['a=1', 'b=2'] } }, () => downstream.client.fetch('/'));
    expect(downstream.arrived[0]!.get('tracestate')?.replaceAll(' ', '')).toBe('a=1,b=2');
  });

  it('finds headers by any spelling of their names, and none on the prototype', async () => {
    const [found] = await served({ headers: { TraceParent: VALID } });
    expect(found!.parentSpanContext?.traceId).toBe(T);
    const [none] = await served({ headers: Object.create({ traceparent: VALID }) as object });
    expect(none!.parentSpanContext).toBeUndefined();
  });

  it('sends no flag on that it does not know, though there is no SDK', () => {
    const sent: Record<string, string> = {};
    const active = (): Context => context.active();
    inbound({ headers: { traceparent: `00-${T}-${S}-ff` } }, () => propagator.inject(active(), sent, setter), {
      propagator,
    });
    expect(sent.traceparent).toBe(VALID);
    expect(trace.getSpan(active())).toBeUndefined();
    expect(propagation.fields()).toEqual([]);
  });
});

const setter = { set: (carrier: Record<string, string>, name: string, value: string) => void (carrier[name] = value) };
