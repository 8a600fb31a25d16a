/** The three instances: processes that are started, killed, slowed down and healed, and that never outlive this one. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromInstance, InstanceSetup, ToInstance } from './protocol.js';
import type { Home } from './registries.js';
import type { Fault } from './script.js';

const PROGRAM = fileURLToPath(new URL('./instance.ts', import.meta.url));
const START_MS = 15_000;

export interface FleetOptions {
  readonly home: Home;
  readonly names: readonly string[];
  /** A POST's work was done. */
  readonly processed: (id: string) => void;
  /** An instance ended that nobody killed. */
  readonly crashed: (error: Error) => void;
}

interface Member {
  readonly id: string;
  child: ChildProcess | undefined;
  port: number | undefined;
  /** What it really is, whatever a client thinks of it. */
  state: 'alive' | 'dead' | 'slow' | 'failing';
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #members = new Map<string, Member>();
  readonly #kill = (): void => this.killAll();

  constructor(options: FleetOptions) {
    this.#options = options;
    for (const name of options.names)
      this.#members.set(name, {
        id: `${options.home.service}-${name}`,
        child: undefined,
        port: undefined,
        state: 'dead',
      });
    process.once('exit', this.#kill);
  }

  get ids(): readonly string[] {
    return [...this.#members.values()].map(member => member.id);
  }

  /** The short name of a registered id. */
  nameOf(id: string): string {
    return [...this.#members].find(([, member]) => member.id === id)?.[0] ?? id;
  }

  really(name: string): Member['state'] {
    return this.#member(name).state;
  }

  async start(): Promise<void> {
    await Promise.all([...this.#members.values()].map(member => this.#launch(member)));
    for (const { id, port } of this.#members.values()) await this.#options.home.register(id, port!);
  }

  /** Resolves when it has happened. */
  async strike({ kind, instance }: Fault): Promise<void> {
    const member = this.#member(instance);
    if (kind === 'killed') return this.#killOne(member);
    tell(member, kind);
    member.state = kind;
  }

  /** Resolves when the instance is able to serve again: a dead one is started anew on the port that it had. */
  async heal({ kind, instance }: Fault): Promise<void> {
    const member = this.#member(instance);
    if (kind === 'killed') return this.#launch(member);
    tell(member, 'normal');
    member.state = 'alive';
  }

  /** Asks all to leave, and takes the rest by force. */
  async stop(): Promise<void> {
    const members = [...this.#members.values()];
    await Promise.all(members.map(leave));
    process.off('exit', this.#kill);
  }

  /** At once, for when this process ends. */
  killAll(): void {
    for (const { child } of this.#members.values()) child?.kill('SIGKILL');
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`there is no instance ${name}`);
    return member;
  }

  #killOne(member: Member): void {
    const { child } = member;
    member.child = undefined;
    member.state = 'dead';
    child?.kill('SIGKILL');
  }

  async #launch(member: Member): Promise<void> {
    const { home } = this.#options;
    const setup: InstanceSetup = { id: member.id, service: home.service, port: member.port, place: home.place };
    const child = fork(PROGRAM, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    member.child = child;
    const complaint = collect(child);
    child.on('message', ({ processed }: { processed?: string }) => processed && this.#options.processed(processed));
    // 'close' and not 'exit': only then has all been read that it said.
    child.once('close', (code, signal) => {
      if (member.child !== child) return;
      member.child = undefined;
      member.state = 'dead';
      this.#options.crashed(new Error(`instance ${member.id} ended with ${signal ?? code}: ${complaint()}`));
    });
    member.port = await portOf(child, { id: member.id, complaint });
    member.state = 'alive';
  }
}

const tell = (member: Member, message: ToInstance): void => {
  if (member.child?.connected) member.child.send(message);
};

/** The last words of a process that died of itself. */
const collect = (child: ChildProcess): (() => string) => {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-2_000)));
  return () => text.trim();
};

const portOf = (child: ChildProcess, { id, complaint }: { id: string; complaint: () => string }): Promise<number> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(new Error(`instance ${id} did not start within ${START_MS} ms`)), START_MS);
    const gone = (): void => end(new Error(`instance ${id} did not start: ${complaint()}`));
    const heard = (message: FromInstance): void => {
      if ('port' in message) end(undefined, message.port);
    };
    const end = (error: Error | undefined, port = 0): void => {
      clearTimeout(timer);
      child.off('message', heard).off('close', gone);
      if (error) reject(error);
      else resolve(port);
    };
    child.on('message', heard).once('close', gone);
  });

const leave = async (member: Member): Promise<void> => {
  const { child } = member;
  member.child = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  if (child.connected) child.send('leave' satisfies ToInstance);
  else child.kill('SIGKILL');
  await gone;
  clearTimeout(timer);
};
