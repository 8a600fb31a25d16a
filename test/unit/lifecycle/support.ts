/** A machine, a process and a server of node:http as far as a service's life needs them. */
import { EventEmitter } from 'node:events';
import { memoryRegistry, type LifecycleEvent, type MemoryRegistry, type RegisterServiceOptions } from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';
import type { Host } from '../../../src/lifecycle/host.js';
import type { ServiceServer } from '../../../src/lifecycle/options.js';
import { Service } from '../../../src/lifecycle/service.js';
import { settingsOf } from '../../../src/lifecycle/settings.js';

type Interfaces = ReturnType<Host['networkInterfaces']>;

export const OUTER: Interfaces = { eth0: [{ address: '10.0.0.7', family: 'IPv4', internal: false }] };

export class FakeHost implements Host {
  readonly env: Record<string, string> = {};
  readonly exits: number[] = [];
  readonly warnings: string[] = [];
  interfaces: Interfaces = OUTER;
  exitCode: number | string | null | undefined;
  readonly #signals = new EventEmitter();

  networkInterfaces(): Interfaces {
    return this.interfaces;
  }
  onSignal(signal: NodeJS.Signals, listener: () => void): void {
    this.#signals.prependListener(signal, listener);
  }
  onceSignal(signal: NodeJS.Signals, listener: () => void): void {
    this.#signals.once(signal, listener);
  }
  offSignal(signal: NodeJS.Signals, listener: () => void): void {
    this.#signals.off(signal, listener);
  }
  listenerCount(signal: NodeJS.Signals): number {
    return this.#signals.listenerCount(signal);
  }
  numberOf(signal: NodeJS.Signals): number {
    return signal === 'SIGTERM' ? 15 : 2;
  }
  exit(code: number): void {
    this.exits.push(code);
  }
  warn(message: string): void {
    this.warnings.push(message);
  }
  kill(signal: NodeJS.Signals): void {
    this.#signals.emit(signal);
  }
}

/** One request that a fake server got. */
export class FakeResponse extends EventEmitter {
  readonly headers: Record<string, string> = {};
  readonly req: { readonly httpVersionMajor: number };
  headersSent = false;
  readonly #ended: () => void;

  constructor(ended: () => void, httpVersionMajor = 1) {
    super();
    this.#ended = ended;
    this.req = { httpVersionMajor };
  }
  setHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  end(): void {
    this.#ended();
    this.emit('close');
  }
}

export class FakeSocket extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

interface Bound {
  address: string;
  port: number;
}

export class FakeServer extends EventEmitter {
  listening = false;
  /** What it was told, in order. */
  readonly told: string[] = [];
  readonly #responses = new Set<FakeResponse>();
  #bound: Bound | string | null = null;

  listen(bound: Bound | string = { address: '0.0.0.0', port: 8_080 }): this {
    this.listening = true;
    this.#bound = bound;
    this.emit('listening');
    return this;
  }
  address(): Bound | string | null {
    return this.#bound;
  }
  request(httpVersionMajor?: number): FakeResponse {
    const response: FakeResponse = new FakeResponse(() => {
      this.#responses.delete(response);
      this.#closedWhenEmpty();
    }, httpVersionMajor);
    this.#responses.add(response);
    this.emit('request', {}, response);
    return response;
  }
  connection(): FakeSocket {
    const socket = new FakeSocket();
    this.emit('connection', socket);
    return socket;
  }
  close(): void {
    this.told.push('close');
    this.listening = false;
    this.#closedWhenEmpty();
  }
  closeIdleConnections(): void {
    this.told.push('closeIdleConnections');
  }
  closeAllConnections(): void {
    this.told.push('closeAllConnections');
    for (const response of [...this.#responses]) response.end();
  }
  #closedWhenEmpty(): void {
    if (!this.listening && this.#responses.size === 0) queueMicrotask(() => this.emit('close'));
  }
}

export interface Story {
  readonly runtime: TestRuntime;
  readonly registry: MemoryRegistry;
  readonly host: FakeHost;
  readonly server: FakeServer;
  readonly service: Service;
  readonly events: LifecycleEvent[];
  /** `weight id` of the entries, as the registry lists them. */
  listed(): Promise<string[]>;
  /** Types of events so far, states by their names. */
  told(): string[];
}

export type Given = Partial<Omit<RegisterServiceOptions, 'server'>> & {
  readonly listens?: boolean;
  readonly host?: FakeHost;
  readonly withoutServer?: boolean;
};

/** A service called `users` on a server that listens on 8080 of all addresses, if not told otherwise. */
export const begin = (given: Given = {}): Story => {
  const { listens = true, host = new FakeHost(), withoutServer = false, ...own } = given;
  const runtime = (own.runtime as TestRuntime | undefined) ?? testRuntime();
  const registry = (own.registry as MemoryRegistry | undefined) ?? memoryRegistry();
  const server = new FakeServer();
  if (listens) server.listen();
  const events: LifecycleEvent[] = [];
  const options: RegisterServiceOptions = {
    ...{ service: 'users', onEvent: event => events.push(event) },
    ...(withoutServer ? {} : { server: server as unknown as ServiceServer }),
    ...own,
    ...{ registry, runtime },
  };
  const service = new Service(settingsOf(options), host);
  return {
    ...{ runtime, registry, host, server, service, events },
    listed: async () => (await registry.discover('users')).map(({ id, weight }) => `${weight} ${id}`),
    told: () => events.map(event => (event.type === 'state' ? event.state : event.type)),
  };
};

/** Messages of the errors so far, with where they happened. */
export const errorsOf = ({ events }: Pick<Story, 'events'>): string[] =>
  events.flatMap(event => (event.type === 'error' ? [`${event.phase}: ${(event.error as Error).message}`] : []));
