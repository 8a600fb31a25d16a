/** Small collectors: what comes in is decoded by Jaeger's own definition of its format, and OTLP by its JSON mapping. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Collected } from './spans.js';

export interface Collector extends AsyncDisposable {
  /** `http://127.0.0.1:4711`, or `127.0.0.1:4711` of an agent. */
  readonly url: string;
  readonly port: number;
  readonly spans: readonly Collected[];
  /** How each post or packet came. */
  readonly posts: readonly Post[];
}

export interface Post {
  readonly path: string;
  readonly type: string;
  readonly authorization: string | undefined;
  readonly spans: number;
}

const require = createRequire(import.meta.url);
const { Thrift } = require('thriftrw');
// Comes with thriftrw, and is its to find.
const { fromBuffer } = createRequire(require.resolve('thriftrw'))('bufrw');
const folder = path.dirname(require.resolve('jaeger-client/package.json'));
const jaeger = new Thrift({
  source: readFileSync(path.join(folder, 'dist/src/jaeger-idl/thrift/jaeger.thrift'), 'ascii'),
  allowOptionalArguments: true,
});
const agent = new Thrift({
  entryPoint: path.join(folder, 'dist/src/thriftrw-idl/agent.thrift'),
  allowOptionalArguments: true,
  allowFilesystemAccess: true,
});

interface ThriftTag {
  readonly key: string;
  readonly vType: 'STRING' | 'BOOL' | 'DOUBLE' | 'LONG';
  readonly vStr: string;
  readonly vBool: boolean;
  readonly vDouble: number;
  readonly vLong: Buffer;
}
interface ThriftBatch {
  readonly process: { readonly serviceName: string };
  readonly spans: readonly {
    readonly operationName: string;
    readonly traceIdHigh: Buffer;
    readonly traceIdLow: Buffer;
    readonly spanId: Buffer;
    readonly parentSpanId: Buffer;
    readonly startTime: Buffer;
    readonly duration: Buffer;
    readonly tags: readonly ThriftTag[];
    readonly logs: readonly { readonly fields: readonly ThriftTag[] }[];
  }[];
}

const valueOf = (tag: ThriftTag): unknown => {
  if (tag.vType === 'STRING') return tag.vStr;
  if (tag.vType === 'BOOL') return tag.vBool;
  return tag.vType === 'DOUBLE' ? tag.vDouble : Number(tag.vLong.readBigInt64BE());
};
const tagsOf = (tags: readonly ThriftTag[]): Record<string, unknown> =>
  Object.fromEntries(tags.map(tag => [tag.key, valueOf(tag)]));
const NO_PARENT = '0'.repeat(16);

const fromThrift = ({ process: { serviceName }, spans }: ThriftBatch): Collected[] =>
  spans.map(span => {
    const attributes = tagsOf(span.tags);
    const parentId = span.parentSpanId.toString('hex');
    return {
      service: serviceName,
      name: span.operationName,
      kind: typeof attributes['span.kind'] === 'string' ? attributes['span.kind'].toUpperCase() : 'INTERNAL',
      traceId: `${span.traceIdHigh.toString('hex')}${span.traceIdLow.toString('hex')}`,
      spanId: span.spanId.toString('hex'),
      parentId: parentId === NO_PARENT ? undefined : parentId,
      attributes,
      failed: attributes['error'] === true,
      events: span.logs.map(({ fields }) => String(tagsOf(fields)['event'])),
      startMs: Number(span.startTime.readBigInt64BE()) / 1_000,
      durationMs: Number(span.duration.readBigInt64BE()) / 1_000,
    };
  });

type OtlpAttributes = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpAttributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly kind: number;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes: OtlpAttributes;
        readonly events?: readonly { readonly name: string }[];
        readonly status?: { readonly code?: number };
      }[];
    }[];
  }[];
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const otlpTags = (attributes: OtlpAttributes): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const fromOtlp = ({ resourceSpans }: OtlpBody): Collected[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const ofProcess = otlpTags(resource.attributes);
    return scopeSpans
      .flatMap(scope => scope.spans)
      .map(span => ({
        service: String(ofProcess['service.name']),
        name: span.name,
        kind: KINDS[span.kind] ?? 'UNKNOWN',
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: span.parentSpanId === '' ? undefined : span.parentSpanId,
        attributes: { ...ofProcess, ...otlpTags(span.attributes) },
        failed: span.status?.code === 2,
        events: (span.events ?? []).map(({ name }) => name),
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        durationMs: Number((BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1_000n) / 1_000,
      }));
  });

const decodeHttp = (request: IncomingMessage, body: Buffer): Collected[] => {
  if (request.headers['content-type'] === 'application/json') return fromOtlp(JSON.parse(body.toString()) as OtlpBody);
  return fromThrift(fromBuffer(jaeger.Batch.rw, body) as ThriftBatch);
};

/** Takes both: Thrift as Jaeger's collector does, JSON as one for OTLP does. */
export const startCollector = async (): Promise<Collector> => {
  const spans: Collected[] = [];
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const batch = decodeHttp(request, Buffer.concat(chunks));
      spans.push(...batch);
      const { 'content-type': type = '', authorization } = request.headers;
      posts.push({ path: request.url ?? '', type, authorization, spans: batch.length });
      response.end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, port, spans, posts },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

/** As Jaeger's agent: packets of `emitBatch`. */
export const startAgent = async (): Promise<Collector> => {
  const spans: Collected[] = [];
  const posts: Post[] = [];
  const socket = createSocket('udp4', packet => {
    const { body } = fromBuffer(agent.Agent.emitBatch.argumentsMessageRW, packet);
    const batch = fromThrift(body.batch as ThriftBatch);
    spans.push(...batch);
    posts.push({ path: '', type: 'udp', authorization: undefined, spans: batch.length });
  });
  await new Promise<void>(resolve => void socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  return {
    ...{ url: `127.0.0.1:${port}`, port, spans, posts },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
};
