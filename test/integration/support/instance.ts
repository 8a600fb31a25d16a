/** Real instances for integration tests: processes that can be killed, restarted on the same port, and given moods. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reservePorts } from '../../servers/ports.js';
import { readJournal, type JournalEntry } from './journal.js';

/**
 * - `ok`             answers 200 after its latency; `slow` after 20 times that
 * - `fails`          answers 503 at once; `asks for 60 s`, `nacks`: with `Retry-After: 60`, `0`
 * - `hangs`          accepts and never answers
 * - `resets`         does the work and resets the connection
 * - `crosses`        with `keepAliveMs`: closes an idle connection while a request is on its way, which it does not see
 */
export type Mood = 'ok' | 'slow' | 'fails' | 'asks for 60 s' | 'nacks' | 'hangs' | 'resets' | 'crosses';

export interface InstanceOptions {
  /** @default 50 */
  readonly latencyMs?: number;
  /** The server closes a connection that was idle for so long, without having said so. @default as Node does */
  readonly keepAliveMs?: number;
}

interface Setup extends InstanceOptions {
  readonly id: string;
  readonly port: number;
  readonly journal: string;
}

const SERVER = fileURLToPath(new URL('instance-server.js', import.meta.url));

export class Instance {
  readonly id: string;
  readonly port: number;
  readonly #setup: Setup;
  #child: ChildProcess | undefined;

  constructor(setup: Setup) {
    this.id = setup.id;
    this.port = setup.port;
    this.#setup = setup;
  }

  /** Starts the process, on the same port each time; resolves when it listens. Its mood is `ok`. */
  async start(): Promise<void> {
    this.#child = fork(SERVER, [JSON.stringify(this.#setup)], { execArgv: [] });
    await heard(this.#child);
  }

  /** Resolves when every later request meets the new mood. */
  async become(mood: Mood): Promise<void> {
    const child = this.#child!;
    child.send(mood);
    await heard(child);
  }

  /** SIGKILL: its connections break, its port refuses. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Of all its lives. */
  journal(): Promise<JournalEntry[]> {
    return readJournal(this.#setup.journal);
  }
}

/** Its next message; rejects when it ends instead. */
const heard = async (child: ChildProcess): Promise<void> => {
  const listening = new AbortController();
  const { signal } = listening;
  const died = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`an instance ended with ${code}`);
  });
  died.catch(() => undefined);
  try {
    await Promise.race([once(child, 'message', { signal }), died]);
  } finally {
    listening.abort();
  }
};

export interface Fleet extends AsyncDisposable {
  readonly instances: readonly [Instance, Instance, Instance];
  /** What all of them wrote down. */
  journals(): Promise<JournalEntry[]>;
  /** For a registry. */
  listed(service: string): { id: string; service: string; address: string; port: number }[];
  /** One more, with the same options. */
  add(id: string): Promise<Instance>;
  stop(): Promise<void>;
}

/** Three instances, `a`, `b` and `c`. */
export const startFleet = async (options: InstanceOptions = {}): Promise<Fleet> => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-fleet-'));
  const all: Instance[] = [];
  const add = async (id: string): Promise<Instance> => {
    const [port] = await reservePorts(1);
    const instance = new Instance({
      ...options,
      latencyMs: options.latencyMs ?? 50,
      id,
      port: port!,
      journal: join(folder, id),
    });
    all.push(instance);
    await instance.start();
    return instance;
  };
  const instances = [await add('a'), await add('b'), await add('c')] as const;
  const stop = async (): Promise<void> => {
    await Promise.all(all.map(instance => instance.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  return {
    instances: instances,
    journals: async () => (await Promise.all(all.map(instance => instance.journal()))).flat(),
    listed: service => all.map(({ id, port }) => ({ id, service, address: '127.0.0.1', port })),
    add,
    stop,
    [Symbol.asyncDispose]: stop,
  };
};
