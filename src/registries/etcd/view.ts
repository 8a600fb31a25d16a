import { describe } from '../../core/errors.js';
import type { ServiceInstance } from '../../core/instance.js';
import type { RegistryProblem } from '../../core/registry.js';
import { idOf, instanceOf, prefixOf } from './layout.js';
import type { KeyValue } from './peer.js';

/** A prefix full of junk is told in so many problems, and the rest as a number. */
const MAX_PROBLEMS = 20;

/** The entries of one service. A bad one is left out and told, and hides no good ones. */
export class View {
  readonly #service: string;
  readonly #prefix: string;
  readonly #report: (problem: RegistryProblem) => void;
  readonly #instances = new Map<string, ServiceInstance>();

  constructor(service: string, prefix: string, report: (problem: RegistryProblem) => void) {
    this.#service = service;
    this.#prefix = prefixOf(prefix, service);
    this.#report = report;
  }

  get instances(): readonly ServiceInstance[] {
    return Object.freeze([...this.#instances.values()]);
  }

  fill(entries: readonly KeyValue[]): void {
    let bad = 0;
    for (const entry of entries) {
      const problem = this.#put(entry);
      if (problem === undefined) continue;
      bad += 1;
      if (bad <= MAX_PROBLEMS) this.#report(problem);
    }
    if (bad <= MAX_PROBLEMS) return;
    const message = `etcd: ${bad - MAX_PROBLEMS} more entries of ${this.#service} were skipped`;
    this.#report({ kind: 'bad-entry', message });
  }

  /** An entry that was replaced by a bad one is gone: what stood there is no longer true. */
  put(entry: KeyValue): void {
    const problem = this.#put(entry);
    if (problem !== undefined) this.#report(problem);
  }

  remove(key: Buffer): void {
    this.#instances.delete(idOf(key, this.#prefix));
  }

  #put(entry: KeyValue): RegistryProblem | undefined {
    const id = idOf(entry.key, this.#prefix);
    try {
      this.#instances.set(id, instanceOf(entry, this.#service, id));
      return undefined;
    } catch (error) {
      this.#instances.delete(id);
      const name = id.slice(0, 200);
      const message = `etcd: an entry of ${this.#service} (${name}) was skipped: ${describe(error)}`;
      return { kind: 'bad-entry', message, entry: name };
    }
  }
}
