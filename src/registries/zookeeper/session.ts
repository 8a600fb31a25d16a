/** One ZooKeeper session at a time for all who hold it: opened when it is first asked for, made anew when it ends. */
import { holdProcess } from '../../core/pause.js';
import type { FairleadError } from '../../core/errors.js';
import { fullJitter } from '../../machines/backoff.js';
import { REGISTRY_BACKOFF } from '../../machines/registry-backoff.js';
import { codeOf, unavailable } from './failure.js';
import { Link } from './link.js';
import type { Connector } from './connector.js';
import { removeOwn } from './requests.js';
import { Waiting, type Wait } from './waiting.js';

/** A pause between two watches, or between two reads, does not cost a session. */
const LINGER_MS = 1_000;
const MAX_FORMER = 100;

export class Session {
  readonly #connector: Connector;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting;
  /** Ids of the sessions that were ours: what they left behind is ours too. */
  readonly #former = new Set<string>();
  readonly #leftovers = new Set<string>();
  #link: Link | undefined;
  #opening = false;
  /** Between two sessions: whoever asks waits for its end too. */
  #pausing = false;
  #failures = 0;
  /** Why there is none, since the last connection. */
  #trouble: FairleadError | undefined;
  #holders = 0;
  #state: 'open' | 'winding' | 'closed' = 'open';
  #stopTimer: () => void = () => undefined;

  constructor(connector: Connector, timeoutMs: number) {
    this.#connector = connector;
    this.#timeoutMs = timeoutMs;
    const { name, runtime, requestTimeoutMs } = connector;
    const late = (): FairleadError =>
      unavailable(`${name}: no connection within ${requestTimeoutMs} ms`, this.#trouble);
    this.#waiting = new Waiting(runtime, requestTimeoutMs, late);
  }

  get closed(): boolean {
    return this.#state !== 'open';
  }

  /** Keeps the session until the returned function was called by all who hold. */
  hold(): () => void {
    let held = true;
    this.#holders += 1;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders > 0 || this.closed) return;
      this.#connector.runtime.after(LINGER_MS, () => {
        if (this.#holders === 0) void this.#drop();
      });
    };
  }

  /** Whether a node with this owner was made here. */
  isOurs(owner: string): boolean {
    return owner === this.#link?.session || this.#former.has(owner);
  }

  /** The link as soon as it is connected. Rejects with REGISTRY_UNAVAILABLE late, or when the credentials are refused. */
  async connected({ signal, patient }: Wait = {}): Promise<Link> {
    signal?.throwIfAborted();
    if (this.#state !== 'closed' && this.#link?.isConnected === true) return this.#link;
    this.refuseWhenClosed();
    const letGo = holdProcess(this.#connector.runtime);
    const release = this.hold();
    try {
      const link = this.#waiting.add({ signal, patient });
      this.#open();
      return await link;
    } finally {
      release();
      letGo();
    }
  }

  /** A node that could not be removed: it is as soon as there is a connection, if it is still ours. */
  leave(path: string): void {
    this.#leftovers.add(path);
  }

  /** Its node is wanted again. */
  take(path: string): void {
    this.#leftovers.delete(path);
  }

  refuseWhenClosed(): void {
    if (this.#state !== 'open') throw unavailable(`${this.#connector.name}: the registry is closed`);
  }

  /** From now on nobody waits for a connection; one that is there can be used until `close()`. */
  wind(): void {
    if (this.#state === 'open') this.#state = 'winding';
    this.#waiting.reject(unavailable(`${this.#connector.name}: the registry was closed`));
  }

  /** Ends the session, and all who work with it. */
  close(): Promise<void> {
    this.wind();
    this.#state = 'closed';
    return this.#drop();
  }

  #open(): void {
    if (this.#link !== undefined || this.#opening || this.#pausing || this.closed) return;
    this.#opening = true;
    this.#make().catch((error: unknown) => this.#waiting.reject(error));
  }

  async #make(): Promise<void> {
    const events = {
      connected: (): void => this.#connected(),
      ended: (reason: FairleadError): void => this.#ended(reason),
    };
    try {
      const parts = await this.#connector.connect(this.#timeoutMs);
      // Whoever waited may have gone meanwhile.
      if (this.closed || this.#holders === 0) return;
      this.#link = new Link({ ...parts, ...events });
      if (this.#link.isConnected) this.#connected();
    } finally {
      this.#opening = false;
    }
  }

  #connected(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#remember(link.session);
    this.#failures = 0;
    this.#trouble = undefined;
    for (const path of this.#leftovers) void this.#clear(link, path);
    this.#waiting.resolve(link);
  }

  #ended(reason: FairleadError): void {
    this.#link = undefined;
    this.#trouble = reason;
    this.#failures += 1;
    // No other answer is to be expected for the same credentials: who waits is told at once.
    if (codeOf(reason) !== undefined) this.#waiting.reject(reason);
    const { runtime } = this.#connector;
    const maxMs = Math.min(REGISTRY_BACKOFF.maxMs, this.#timeoutMs / 3);
    this.#pausing = true;
    this.#stopTimer = runtime.after(
      fullJitter({ ...REGISTRY_BACKOFF, maxMs }, this.#failures, runtime.random()),
      () => {
        this.#pausing = false;
        if (this.#holders > 0) this.#open();
      },
    );
  }

  async #clear(link: Link, path: string): Promise<void> {
    const removed = await removeOwn(link, path, owner => this.isOurs(owner)).catch(() => undefined);
    if (removed === true) this.#leftovers.delete(path);
  }

  #remember(session: string): void {
    this.#former.add(session);
    const [oldest] = this.#former;
    if (this.#former.size > MAX_FORMER) this.#former.delete(oldest!);
  }

  async #drop(): Promise<void> {
    this.#stopTimer();
    this.#pausing = false;
    const link = this.#link;
    this.#link = undefined;
    await link?.close();
  }
}
