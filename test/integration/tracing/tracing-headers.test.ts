/**
 * W3C Trace Context over real sockets: a request as raw bytes, a server that continues its trace with `inbound()` and calls
 * on with fairlead, and what the server behind it receives. https://www.w3.org/TR/trace-context/
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { createServiceClient, staticRegistry, type ServiceClient } from 'fairlead';
import { startTracing, type StartedTracing } from 'fairlead/jaeger';
import { inbound, tracing } from 'fairlead/opentelemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const VALID = `00-${TRACE}-${PARENT}-01`;

let started: StartedTracing;
let client: ServiceClient;
let front: Server;
let back: Server;
let received: IncomingMessage[] = [];

const serve = async (listener: RequestListener): Promise<Server> => {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
};
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  started = startTracing({ serviceName: 'front', exporter: new InMemorySpanExporter(), register: false });
  const { provider: tracerProvider, propagator } = started;
  back = await serve((request, response) => {
    received.push(request);
    response.end();
  });
  client = createServiceClient({
    service: 'back',
    registry: staticRegistry([`127.0.0.1:${portOf(back)}`]),
    instruments: [tracing({ tracerProvider, propagator })],
  });
  front = await serve((request, response) => {
    const headers = request.headers['x-own'] === undefined ? {} : { traceparent: String(request.headers['x-own']) };
    const call = (): Promise<Response> => client.fetch('/', { headers });
    void inbound(request, call, { response, tracerProvider, propagator }).then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
});
afterAll(async () => {
  await client?.close();
  for (const server of [front, back]) {
    server?.closeAllConnections();
    server?.close();
  }
  await started?.shutdown();
  context.disable();
});

interface Seen {
  readonly status: string;
  /** Every line that came, as it came. */
  readonly traceparent: readonly string[];
  readonly tracestate: string | undefined;
}

/** Sends header lines as they are, and tells what arrived behind. */
const send = async (lines: readonly string[]): Promise<Seen> => {
  received = [];
  const socket = connect(portOf(front), '127.0.0.1');
  // Not `end`: a server takes half a connection for a client that left.
  socket.write(['GET / HTTP/1.1', 'host: front', 'connection: close', ...lines, '', ''].join('\r\n'), 'latin1');
  let answer = '';
  for await (const chunk of socket.setEncoding('latin1')) answer += chunk;
  const raw = received[0]?.rawHeaders ?? [];
  const traceparent = raw.filter((_text, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === 'traceparent');
  const tracestate = received[0]?.headers['tracestate'];
  return {
    status: answer.slice(9, 12),
    traceparent,
    tracestate: typeof tracestate === 'string' ? tracestate : undefined,
  };
};

/** What the server behind gets, always: one header, of the version that is known here. */
const SENT_ON = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-(0[01])$/;

const partsOf = ({ status, traceparent }: Seen): { traceId: string; parentId: string; flags: string } => {
  expect({ status, traceparent }).toEqual({ status: '200', traceparent: [expect.stringMatching(SENT_ON)] });
  const [, traceId = '', parentId = '', flags = ''] = SENT_ON.exec(traceparent[0]!)!;
  return { traceId, parentId, flags };
};

describe('a traceparent that can be read is continued', () => {
  const lines: [string, string[], string][] = [
    ['as it should be', [`traceparent: ${VALID}`], '01'],
    ['of a trace that is not recorded', [`traceparent: 00-${TRACE}-${PARENT}-00`], '00'],
    ['with flags that are not known: they are not sent on', [`traceparent: 00-${TRACE}-${PARENT}-ff`], '01'],
    ['with only such flags', [`traceparent: 00-${TRACE}-${PARENT}-fe`], '00'],
    ['in other letters, and with blanks around', [`TraceParent:  ${VALID}\t `], '01'],
    ['of a future version', [`traceparent: cc-${TRACE}-${PARENT}-01`], '01'],
    ['of a future version that says more', [`traceparent: cc-${TRACE}-${PARENT}-01-what-the-future-brings`], '01'],
    ['of a future version that ends in a dash', [`traceparent: cc-${TRACE}-${PARENT}-01-`], '01'],
  ];
  test.each(lines)('%s', async (_name, headers, expected) => {
    const { traceId, parentId, flags } = partsOf(await send(headers));
    expect([traceId, flags]).toEqual([TRACE, expected]);
    expect(parentId).not.toBe(PARENT);
  });
});

describe('one that cannot be read counts as none: a new trace begins', () => {
  const upper = VALID.toUpperCase();
  const lines: [string, string[]][] = [
    ['none', []],
    ['empty', ['traceparent:']],
    ['twice, two traces', [`traceparent: ${VALID}`, `traceparent: 00-${'1'.repeat(32)}-${PARENT}-01`]],
    ['twice, the same', [`traceparent: ${VALID}`, `traceparent: ${VALID}`]],
    ['twice, in one line', [`traceparent: ${VALID}, ${VALID}`]],
    ['upper case', [`traceparent: ${upper}`]],
    ['version ff', [`traceparent: ff-${TRACE}-${PARENT}-01`]],
    ['version of one digit', [`traceparent: 0-${TRACE}-${PARENT}-01`]],
    ['version of three digits', [`traceparent: 000-${TRACE}-${PARENT}-01`]],
    ['version that is no number', [`traceparent: .0-${TRACE}-${PARENT}-01`]],
    ['version 00 that says more', [`traceparent: ${VALID}-more`]],
    ['version 00 that ends in a dash', [`traceparent: ${VALID}-`]],
    ['a future version that runs on', [`traceparent: cc-${TRACE}-${PARENT}-01.more`]],
    ['trace of zeros', [`traceparent: 00-${'0'.repeat(32)}-${PARENT}-01`]],
    ['parent of zeros', [`traceparent: 00-${TRACE}-${'0'.repeat(16)}-01`]],
    ['trace too short', [`traceparent: 00-${TRACE.slice(1)}-${PARENT}-01`]],
    ['trace too long', [`traceparent: 00-${TRACE}0-${PARENT}-01`]],
    ['trace that is no number', [`traceparent: 00-${TRACE.slice(1)}.-${PARENT}-01`]],
    ['parent too short', [`traceparent: 00-${TRACE}-${PARENT.slice(1)}-01`]],
    ['parent too long', [`traceparent: 00-${TRACE}-${PARENT}0-01`]],
    ['no flags', [`traceparent: 00-${TRACE}-${PARENT}`]],
    ['flags of one digit', [`traceparent: 00-${TRACE}-${PARENT}-1`]],
    ['flags of three digits', [`traceparent: 00-${TRACE}-${PARENT}-010`]],
    ['flags that are no number', [`traceparent: 00-${TRACE}-${PARENT}-.0`]],
    ['other separators', [`traceparent: ${VALID.replaceAll('-', '_')}`]],
    ['quotes', [`traceparent: "${VALID}"`]],
    ['bytes of no alphabet', [`traceparent: 00-${TRACE}-${PARENT}-0\u00e9`]],
    ['8 kB', [`traceparent: ${'a'.repeat(8_000)}`]],
    ['8 kB after a valid one', [`traceparent: ${VALID}${'-a'.repeat(4_000)}`]],
  ];
  test.each(lines)('%s', async (_name, headers) => {
    const seen = await send([...headers, 'tracestate: rojo=1']);
    const { traceId, flags } = partsOf(seen);
    expect([TRACE, '1'.repeat(32)]).not.toContain(traceId);
    expect([flags, seen.tracestate]).toEqual(['01', undefined]);
  });
});

describe('tracestate', () => {
  const members = (count: number): string => Array.from({ length: count }, (_none, at) => `k${at}=${at}`).join(',');
  const two = `a=${'x'.repeat(200)},b=${'y'.repeat(200)}`;
  const ofLength = (length: number): string => `${two},c=${'z'.repeat(length - two.length - 3)}`;
  const usual = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
  const tenants = 'fw529a3039@dt=FfAMfw==';
  const lines: [string, string[], string | undefined][] = [
    ['is sent on as it came', [`tracestate: ${usual}`], usual],
    ['in two lines is one list', ['tracestate: a=1', 'TraceState: b=2'], 'a=1,b=2'],
    ['blanks and empty members do not matter', ['tracestate:  a=1 ,\t,, b=2 '], 'a=1,b=2'],
    ['empty is none', ['tracestate:'], undefined],
    ['keys of all kinds', ['tracestate: 0a-_*/@b=1,a-_*/b= !~'], '0a-_*/@b=1,a-_*/b= !~'],
    ['a key that comes twice is sent on once', ['tracestate: a=1,b=2,a=3'], 'a=3,b=2'],
    ['members that are none are left out', ['tracestate: A=1,a=1=2,b,=3,c=,é=4,d=5'], 'd=5'],
    ['a value with equals signs is none', [`tracestate: ${tenants}`], undefined],
    ['32 members', [`tracestate: ${members(32)}`], members(32)],
    ['more than 32: the first 32', [`tracestate: ${members(40)}`], members(32)],
    ['512 characters', [`tracestate: ${ofLength(512)}`], ofLength(512)],
    ['more than 512: what does not fit is left out', [`tracestate: ${ofLength(513)}`], two],
    ['a key of 256 characters', [`tracestate: ${'k'.repeat(256)}=1`], `${'k'.repeat(256)}=1`],
    ['a key of 257 characters', [`tracestate: ${'k'.repeat(257)}=1`], undefined],
    ['8 kB of nothing', [`tracestate: ${','.repeat(8_000)}`], undefined],
    ['names that objects have', ['tracestate: __proto__=1,constructor=2'], 'constructor=2'],
  ];
  test.each(lines)('%s', async (_name, headers, expected) => {
    const seen = await send([`traceparent: ${VALID}`, ...headers]);
    expect(partsOf(seen).traceId).toBe(TRACE);
    expect(seen.tracestate).toBe(expected);
  });
});

test('a traceparent that the handler sets itself is sent as it is, and alone', async () => {
  const own = `00-${'e'.repeat(32)}-${'f'.repeat(16)}-01`;
  const { traceparent } = await send([`traceparent: ${VALID}`, `x-own: ${own}`]);
  expect(traceparent).toEqual([own]);
});
