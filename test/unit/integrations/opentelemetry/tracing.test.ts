import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { isFairleadError } from 'fairlead';
import { connectionRefused } from 'fairlead/testing';
import { describe, expect, it } from 'vitest';
import { eventNames, eventOf, traced, traceparentOf } from './tracing-support.js';

const UNSET = { code: SpanStatusCode.UNSET };

describe('the spans of a call', () => {
  it('is one INTERNAL span, and below it one CLIENT span by the conventions for HTTP', async () => {
    const { client, callSpan, attempts, spans, arrived } = await traced({ instances: 1 });
    await client.fetch('/users/42?x=1', { method: 'POST', body: 'häh' });

    expect(spans()).toHaveLength(2);
    const call = callSpan();
    const [attempt] = attempts();
    expect(call).toMatchObject({ name: 'POST users', kind: SpanKind.INTERNAL, status: UNSET });
    expect(call.attributes).toEqual({
      'fairlead.service': 'users',
      'http.request.method': 'POST',
      'url.path': '/users/42',
      'http.response.status_code': 200,
      'fairlead.outcome': 'success',
      'fairlead.ended_by': 'success',
      'fairlead.served_from': 'instance',
      'fairlead.attempts': 1,
      'fairlead.instance.id': 'a',
    });
    expect(eventOf(call, 'fairlead.instance.chosen')).toEqual({
      'fairlead.service': 'users',
      'fairlead.attempt': 1,
      'fairlead.instance.id': 'a',
      'fairlead.instance.zone': 'eu-1',
      'fairlead.instance.version': '2.1',
    });
    expect(attempt).toMatchObject({ name: 'POST', kind: SpanKind.CLIENT, status: UNSET });
    expect(attempt!.parentSpanContext?.spanId).toBe(call.spanContext().spanId);
    expect(attempt!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.request.body.size': 4,
      'http.response.status_code': 200,
      'server.address': '10.0.0.1',
      'server.port': 8_001,
      'url.full': 'http://10.0.0.1:8001/users/42?x=1',
      'fairlead.service': 'users',
      'fairlead.attempt': 1,
      'fairlead.instance.id': 'a',
      'fairlead.instance.zone': 'eu-1',
      'fairlead.instance.version': '2.1',
    });
    expect(traceparentOf(arrived[0]!)).toEqual({
      traceId: call.spanContext().traceId,
      spanId: attempt!.spanContext().spanId,
      flags: '01',
    });
  });

  it('shows a retry as a second CLIENT span with resend_count 1, and a traceparent of its own', async () => {
    const { client, runtime, callSpan, attempts, arrived } = await traced({
      answer: (_, nth) => {
        if (nth === 1) throw connectionRefused();
        return new Response('ok');
      },
    });
    const answer = client.fetch('/');
    await runtime.advance(500);
    await answer;

    const [first, second] = attempts();
    expect(first!.attributes['http.request.resend_count']).toBeUndefined();
    expect(first!.attributes['error.type']).toBe('ECONNREFUSED');
    expect(first!.status.code).toBe(SpanStatusCode.ERROR);
    expect(second!.attributes).toMatchObject({ 'http.request.resend_count': 1, 'fairlead.attempt': 2 });
    expect(second!.status).toEqual(UNSET);
    expect(arrived.map(headers => traceparentOf(headers).spanId)).toEqual(
      attempts().map(span => span.spanContext().spanId),
    );
    const call = callSpan();
    expect(eventNames(call)).toEqual(['fairlead.instance.chosen', 'fairlead.retry', 'fairlead.instance.chosen']);
    expect(eventOf(call, 'fairlead.retry')).toMatchObject({ 'fairlead.attempt': 2, 'fairlead.delay_ms': 0 });
    expect(call.status).toEqual(UNSET);
    expect(call.attributes).toMatchObject({ 'fairlead.attempts': 2, 'fairlead.outcome': 'success' });
  });

  it.each([
    { status: 404, attempt: '404', call: undefined },
    { status: 500, attempt: '500', call: '500' },
    { status: 302, attempt: undefined, call: undefined },
  ])('marks $status as the conventions say: attempt $attempt, call $call', async ({ status, attempt, call }) => {
    const { client, callSpan, attempts } = await traced({ answer: () => new Response(null, { status }) });
    await client.fetch('/');
    const expected = (type: string | undefined): object =>
      type === undefined ? UNSET : { code: SpanStatusCode.ERROR };
    expect(attempts()[0]!.status).toEqual(expected(attempt));
    expect(attempts()[0]!.attributes['error.type']).toBe(attempt);
    expect(callSpan().status).toEqual(expected(call));
    expect(callSpan().attributes['error.type']).toBe(call);
  });

  it('names a refusal by its code, and has no attempt', async () => {
    const { client, callSpan, attempts } = await traced({ instances: 0 });
    const error: unknown = await client.fetch('/').catch((thrown: unknown) => thrown);
    expect(isFairleadError(error, 'NO_INSTANCES')).toBe(true);
    expect(attempts()).toEqual([]);
    expect(eventOf(callSpan(), 'fairlead.refused')).toMatchObject({ 'fairlead.code': 'NO_INSTANCES' });
    expect(callSpan().attributes).toMatchObject({ 'error.type': 'NO_INSTANCES', 'fairlead.ended_by': 'refused' });
    expect(callSpan().status.code).toBe(SpanStatusCode.ERROR);
  });

  it('ends an attempt that timed out when it is given up, though the transport never answers', async () => {
    const transport = { send: () => new Promise<Response>(() => undefined) };
    const { client, runtime, attempts, callSpan } = await traced({
      client: { transport, retry: false, attemptTimeoutMs: 100 },
    });
    const failed = client.fetch('/').catch((error: unknown) => error);
    await runtime.advance(100);
    await failed;
    expect(attempts().map(({ attributes }) => attributes['error.type'])).toEqual(['ATTEMPT_TIMEOUT']);
    expect(callSpan().attributes['error.type']).toBe('ATTEMPT_TIMEOUT');
  });

  it('does not call it an error when the caller gives up', async () => {
    const { client, runtime, attempts, callSpan } = await traced({ answer: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const failed = client.fetch('/', { signal: controller.signal }).catch((error: unknown) => error);
    await runtime.settle();
    controller.abort();
    await failed;
    for (const span of [attempts()[0]!, callSpan()]) {
      expect(span.status).toEqual(UNSET);
      expect(span.attributes['error.type']).toBeUndefined();
      expect(span.attributes['fairlead.cancelled']).toBe(true);
    }
    expect(callSpan().attributes['fairlead.ended_by']).toBe('aborted');
  });

  it('shows a hedge beside the first attempt, both below the call', async () => {
    const { client, runtime, attempts, callSpan } = await traced({
      answer: (_, nth) => (nth === 1 ? new Promise(() => undefined) : new Response('ok')),
      client: { hedge: { afterMs: 50 } },
    });
    const answer = client.fetch('/');
    await runtime.advance(60);
    await answer;
    const [winner, loser] = attempts();
    expect(winner!.attributes).toMatchObject({ 'http.request.resend_count': 1, 'fairlead.attempt': 2 });
    expect(loser!.attributes).toMatchObject({ 'fairlead.attempt': 1, 'fairlead.cancelled': true });
    expect(eventOf(callSpan(), 'fairlead.hedge')).toEqual({ 'fairlead.attempt': 2, 'fairlead.after_ms': 50 });
    for (const { parentSpanContext } of attempts())
      expect(parentSpanContext?.spanId).toBe(callSpan().spanContext().spanId);
  });

  it('tells of the instance that goes out and of the breaker that opens while the call runs', async () => {
    const { client, runtime, spans, callSpan } = await traced({
      answer: () => new Response(null, { status: 503 }),
      client: { ejection: { consecutiveFailures: 1 }, circuitBreaker: { consecutiveFailures: 2 } },
    });
    const answer = client.fetch('/').catch(() => undefined);
    await runtime.advance(1_000);
    await answer;
    expect(spans().length).toBeGreaterThan(1);
    expect(eventNames(callSpan())).toContain('fairlead.instance.down');
    expect(eventOf(callSpan(), 'fairlead.breaker.opened')).toMatchObject({ 'fairlead.for_ms': expect.any(Number) });
  });

  it('stays one call when an answer names the service anew', async () => {
    const { client, callSpan, attempts, spans } = await traced({
      answer: (_, nth) =>
        nth === 1
          ? new Response(null, { status: 307, headers: { location: 'http://users/there' } })
          : new Response('ok'),
    });
    await client.fetch('/here');
    expect(spans()).toHaveLength(3);
    expect(attempts().map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([undefined, 1]);
    expect(callSpan().attributes).toMatchObject({ 'fairlead.attempts': 2, 'http.response.status_code': 200 });
  });

  it('gives call() a CLIENT span without anything of HTTP', async () => {
    const { client, callSpan, attempts } = await traced();
    await client.call(async () => 'row');
    await client.call(() => Promise.reject(Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }))).catch(() => 0);
    expect(callSpan().name).toBe('call users');
    const [worked, failed] = attempts();
    expect(worked).toMatchObject({ name: 'users', status: UNSET });
    expect(Object.keys(worked!.attributes).filter(name => /^(http|url)\./.test(name))).toEqual([]);
    expect(worked!.attributes['server.port']).toEqual(expect.any(Number));
    expect(failed!.attributes['error.type']).toBe('14');
    expect(failed!.status).toEqual({ code: SpanStatusCode.ERROR, message: '14 UNAVAILABLE' });
  });

  it('keeps methods few: what is not known is _OTHER, with the original beside it', async () => {
    const { client, callSpan, attempts } = await traced();
    await client.fetch('/', { method: 'PURGE' });
    expect(attempts()[0]).toMatchObject({
      name: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' },
    });
    expect(callSpan().name).toBe('HTTP users');
  });
});
