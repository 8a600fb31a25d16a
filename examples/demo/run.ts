/** One run from beginning to end: everything is started, the script is played, all is watched, everything is stopped. */
import { createServiceClient, type ServiceClient } from 'fairlead';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from './fleet.js';
import { Journal } from './journal.js';
import { Load, type Totals } from './load.js';
import { Meter, type Seen } from './meter.js';
import type { RunOptions } from './options.js';
import { openHome, type Home } from './registries.js';
import { NAMES, planOf, STRUCK, type Fault } from './script.js';
import type { View } from './view.js';
import { Witness } from './witness.js';

/** Between two looks at the client. */
const LOOK_MS = 100;
/** A fault that is still to be seen at the end is waited for so long, not longer. */
const OVERTIME_MS = 3_000;

export interface Result {
  readonly totals: Totals;
  readonly witness: Witness;
  readonly plan: readonly Fault[];
}

/** Ends early, rejecting with the signal's reason, when that aborts; nothing is left running in any case. */
export const runDemo = async (options: RunOptions, view: View, signal: AbortSignal): Promise<Result> => {
  const crash = new AbortController();
  const stop = AbortSignal.any([signal, crash.signal]);
  let load: Load | undefined;
  let client: ServiceClient | undefined;
  let fleet: Fleet | undefined;
  const home = await untilAborted(stop, openHome(options));
  try {
    const processed = (id: string): void => load?.processed(id);
    fleet = new Fleet({ home, names: NAMES, processed, crashed: error => crash.abort(error) });
    await untilAborted(stop, fleet.start());
    client = createServiceClient({ service: home.service, registry: home.registry });
    await client.ready({ signal: stop });
    load = new Load(client);
    const plan = planOf(options.seconds);
    const witness = new Witness(plan);
    await new Play({ home, fleet, client, load, witness, plan, view, lengthMs: options.seconds * 1_000 }).run(stop);
    await load.stop();
    return { totals: load.totals(), witness, plan };
  } finally {
    view.end();
    await Promise.all([load?.stop(), client?.close({ timeoutMs: 100 })]);
    await fleet?.stop();
    await home.close(fleet?.ids ?? []);
  }
};

interface Cast {
  readonly home: Home;
  readonly fleet: Fleet;
  readonly client: ServiceClient;
  readonly load: Load;
  readonly witness: Witness;
  readonly plan: readonly Fault[];
  readonly view: View;
  readonly lengthMs: number;
}

/** The time in which calls are made and faults happen. */
class Play {
  readonly #cast: Cast;
  readonly #meter: Meter;
  readonly #journal: Journal;
  readonly #startedAt = performance.now();
  readonly #acts: { readonly atMs: number; readonly run: () => void | Promise<void> }[];
  #failure: unknown;

  constructor(cast: Cast) {
    this.#cast = cast;
    const { client, fleet, view, witness } = cast;
    this.#meter = new Meter(client);
    const nameOf = (id: string): string => fleet.nameOf(id);
    const elapsedMs = (): number => this.#elapsedMs();
    this.#journal = new Journal({ client, nameOf, elapsedMs, write: entry => view.happened(entry) });
    client.on('instance.down', ({ instance }) => witness.ejected(nameOf(instance), elapsedMs()));
    this.#acts = cast.plan
      .flatMap(fault => [
        { atMs: fault.strikesAtMs, run: () => this.#strike(fault) },
        { atMs: fault.healsAtMs, run: () => this.#heal(fault) },
      ])
      .sort((left, right) => left.atMs - right.atMs);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { load, lengthMs, witness } = this.#cast;
    load.start();
    while (this.#elapsedMs() < lengthMs || (!witness.done && this.#elapsedMs() < lengthMs + OVERTIME_MS)) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
      while ((this.#acts[0]?.atMs ?? Infinity) <= this.#elapsedMs())
        Promise.resolve(this.#acts.shift()!.run()).catch((error: unknown) => (this.#failure ??= error));
      if (this.#failure !== undefined) throw this.#failure;
      this.#look();
    }
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  async #strike(fault: Fault): Promise<void> {
    this.#cast.witness.struck(fault, this.#elapsedMs());
    this.#journal.write('fault', `${fault.instance} is ${STRUCK[fault.kind]}`);
    await this.#cast.fleet.strike(fault);
  }

  async #heal(fault: Fault): Promise<void> {
    await this.#cast.fleet.heal(fault);
    this.#cast.witness.healed(fault, this.#elapsedMs());
    const how = fault.kind === 'killed' ? 'started again on its port' : 'well again';
    this.#journal.write('heal', `${fault.instance} is ${how}`);
  }

  #look(): void {
    const { fleet, home, lengthMs, load, view, witness } = this.#cast;
    const now = performance.now();
    const seen = new Map<string, Seen>(this.#meter.look(now).map(each => [fleet.nameOf(each.id), each]));
    for (const [name, each] of seen) {
      this.#journal.look(each);
      const sighting = witness.look(name, each, this.#elapsedMs());
      if (sighting) this.#journal.write('fairlead', `${sighting.instance} ${sighting.text}`);
    }
    const rows = NAMES.map(name => ({ name, really: fleet.really(name), seen: seen.get(name) }));
    const caller = { ...load.counts(), ...load.recently(now) };
    view.show({ label: home.label, atMs: this.#elapsedMs(), lengthMs, rows, caller });
  }
}

/** The work goes on when the signal aborts, but nobody waits for it any more. */
const untilAborted = <T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
