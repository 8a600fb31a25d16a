/** Two stand-ins for Consul: a client on which time is virtual, and a server on a real socket. */
import type { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ConsulClient } from '../../../src/registries/consul/options.js';
import type { RegistryProblem, WatchContext } from '../../../src/core/registry.js';
import type { Runtime } from '../../../src/core/runtime.js';

export interface FakeRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly ctx: EventEmitter;
}

export interface FakeAnswer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface FakeClient extends ConsulClient {
  readonly requests: FakeRequest[];
  _get(request: object): Promise<unknown>;
  _put(request: object): Promise<unknown>;
}

/** Looks like a client of the package: rejects for what is not 2xx, and is cancelled through `ctx`. */
export const fakeClient = (answer: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>): FakeClient => {
  const requests: FakeRequest[] = [];
  const send = (method: FakeRequest['method'], draft: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const request = { ...draft, method } as FakeRequest;
      requests.push(request);
      request.ctx.once('cancel', () => reject(Object.assign(new Error('request aborted'), { isAbort: true })));
      Promise.resolve(request)
        .then(answer)
        .then(given => {
          const response = { statusCode: 200, headers: {}, ...given };
          if (response.statusCode < 300) resolve(response);
          else reject(Object.assign(new Error('consul: refused'), { isResponse: true, response }));
        })
        .catch(reject);
    });
  return { agent: {}, health: {}, requests, _get: draft => send('GET', draft), _put: draft => send('PUT', draft) };
};

export const unreachable = (): never => {
  throw Object.assign(new Error('consul: connect ECONNREFUSED 127.0.0.1:8500'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
};

/** An entry as Consul answers it. */
export const entry = (id: string, service: object = {}, checks: readonly string[] = ['passing']): object => ({
  Node: { Node: 'n1', Address: '10.0.0.9' },
  Service: {
    ...{ ID: id, Service: 'web', Tags: [], Address: '10.0.0.1', Meta: null, Port: 80, CreateIndex: 7 },
    Weights: { Passing: 1, Warning: 1 },
    ...service,
  },
  Checks: checks.map(Status => ({ Status })),
});

export interface TestContext extends WatchContext {
  readonly problems: RegistryProblem[];
  abort(): void;
}

export const contextOn = (runtime: Runtime): TestContext => {
  const controller = new AbortController();
  const problems: RegistryProblem[] = [];
  return {
    ...{ runtime, signal: controller.signal, problems },
    report: problem => void problems.push(problem),
    abort: () => controller.abort(new Error('enough')),
  };
};

export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: IncomingMessage[];
  /** Open connections. */
  readonly sockets: Set<Socket>;
}

export const fakeServer = async (listener: RequestListener, host = '127.0.0.1'): Promise<FakeServer> => {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    listener(request, response);
  });
  server.on('connection', socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    requests,
    sockets,
    [Symbol.asyncDispose]: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
