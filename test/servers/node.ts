/** One server of a cluster, and what may happen to it: killed, paused, wiped, restarted on the same ports. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogTail, ServerProcess, untilStopped, type Launch } from './process.js';
import { messageOf } from './run.js';

/** What differs between the kinds of servers. `Port` names the ports that a node needs. */
export interface Blueprint<Port extends string> {
  readonly kind: string;
  /** The first one is the clients' port. */
  readonly ports: readonly [Port, ...Port[]];
  /** Called before every start; may write files into `node.folder`. */
  argumentsOf(node: ServerNode<Port>): Promise<readonly string[]> | readonly string[];
  /** Whether it serves clients. A throw counts as "not yet". */
  isReady(node: ServerNode<Port>): Promise<boolean>;
  isLeader(node: ServerNode<Port>): Promise<boolean>;
}

export interface NodePlace<Port extends string> {
  readonly name: string;
  readonly folder: string;
  readonly ports: Readonly<Record<Port, number>>;
  readonly launch: (folder: string) => Launch;
}

const START_DEADLINE_MS = 30_000;

/*
 *            restart()              pause()
 *  stopped ────────────▶ running ────────────▶ paused
 *     ▲                    │  ▲ ◀──────────────  │
 *     └───────── kill() ───┘    resume()         │
 *     └────────────────────────────── kill() ────┘
 */
export type NodeState = 'stopped' | 'running' | 'paused';

export class ServerNode<Port extends string = string> {
  readonly name: string;
  readonly folder: string;
  readonly ports: Readonly<Record<Port, number>>;
  readonly #blueprint: Blueprint<Port>;
  readonly #launch: (folder: string) => Launch;
  readonly #log = new LogTail();
  #process: ServerProcess | undefined;
  #paused = false;

  constructor(blueprint: Blueprint<Port>, place: NodePlace<Port>) {
    this.name = place.name;
    this.folder = place.folder;
    this.ports = place.ports;
    this.#blueprint = blueprint;
    this.#launch = place.launch;
  }

  /** Where clients connect, as `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.ports[this.#blueprint.ports[0]]}`;
  }

  /** The same as an HTTP address, for the servers that speak HTTP. */
  get url(): string {
    return `http://${this.address}`;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get state(): NodeState {
    if (this.#process === undefined || this.#process.ending !== undefined) return 'stopped';
    return this.#paused ? 'paused' : 'running';
  }

  /** SIGKILL, as in a crash; resolves when the process is gone. */
  async kill(): Promise<void> {
    const dying = this.#process;
    dying?.signal('SIGKILL');
    await dying?.exited;
    this.#paused = false;
  }

  /** SIGSTOP: connections stay open and are accepted, nothing answers. Resolves when the last thread stands still. */
  async pause(): Promise<void> {
    this.#expect('running');
    this.#process?.signal('SIGSTOP');
    this.#paused = true;
    // In a container the started process is only the client of the engine, which pauses before it returns.
    if (this.pid !== undefined && this.#process?.inContainer === false) await untilStopped(this.pid);
  }

  /** SIGCONT. */
  resume(): void {
    this.#expect('paused');
    this.#process?.signal('SIGCONT');
    this.#paused = false;
  }

  /** Deletes its data; only of a stopped server. */
  async wipe(): Promise<void> {
    this.#expect('stopped');
    await rm(this.dataFolder, { recursive: true, force: true });
  }

  /** Starts it again on the same ports and data, killing it first if need be; resolves when it serves. */
  async restart(): Promise<void> {
    await this.kill();
    await mkdir(this.dataFolder, { recursive: true });
    const { argv, signal } = this.#launch(this.folder);
    const whole = [...argv, ...(await this.#blueprint.argumentsOf(this))];
    const launch = signal === undefined ? { argv: whole } : { argv: whole, signal };
    const started = await ServerProcess.start(launch, this.#log);
    this.#process = started;
    await this.#untilReady(started);
  }

  /** The last 64 Ki characters of its output. */
  logs(): string {
    return this.#log.text();
  }

  /** Whether it says of itself that it leads. False when it is not running or does not answer. */
  async isLeader(): Promise<boolean> {
    if (this.state !== 'running') return false;
    return this.#blueprint.isLeader(this).catch(() => false);
  }

  async #untilReady(started: ServerProcess): Promise<void> {
    const endsAt = performance.now() + START_DEADLINE_MS;
    let lastAnswer = 'it said that it was not ready';
    while (performance.now() < endsAt) {
      if (started.ending !== undefined) throw this.#startFailure(started.ending);
      try {
        if (await this.#blueprint.isReady(this)) return;
      } catch (error) {
        lastAnswer = messageOf(error);
      }
      await sleep(25);
    }
    throw this.#startFailure(`did not become ready within ${START_DEADLINE_MS} ms (${lastAnswer})`);
  }

  #startFailure(why: string): Error {
    return new Error(`${this.#blueprint.kind} node ${this.name} at ${this.address} ${why}. Its log:\n${this.logs()}`);
  }

  #expect(state: NodeState): void {
    if (this.state === state) return;
    throw new Error(`${this.#blueprint.kind} node ${this.name} is ${this.state}; this is for a ${state} one`);
  }
}
