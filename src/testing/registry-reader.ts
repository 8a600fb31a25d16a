import { equal, fail } from 'node:assert/strict';
import type { ServiceInstance } from '../core/instance.js';
import type { Registry, RegistryProblem } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';

export type InstanceSet = readonly ServiceInstance[];

export interface ReaderParts {
  readonly registry: Registry;
  readonly service: string;
  readonly runtime: Runtime;
  /** How long the registry may take to tell, in ms. */
  readonly withinMs: number;
}

/** Reads one watch by hand, set by set, each wait bounded: a registry that keeps silent fails a test instead of hanging it. */
export class RegistryReader {
  readonly problems: RegistryProblem[] = [];
  /** Sets that were read. */
  reads = 0;
  readonly #parts: ReaderParts;
  readonly #controller = new AbortController();
  readonly #iterator: AsyncIterator<InstanceSet>;

  constructor(parts: ReaderParts) {
    const { registry, service, runtime } = parts;
    this.#parts = parts;
    const report = (problem: RegistryProblem): void => void this.problems.push(problem);
    const context = { signal: this.#controller.signal, runtime, report };
    this.#iterator = registry.watch(service, context)[Symbol.asyncIterator]();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A raw step of the iterator, to look at how a watch ends. */
  step(): Promise<IteratorResult<InstanceSet, unknown>> {
    return this.within(this.#iterator.next(), 'the watch to go on');
  }

  async next(): Promise<InstanceSet> {
    const { done, value } = await this.step();
    if (done === true) fail(`the watch of ${this.#parts.service} ended`);
    this.reads += 1;
    return value;
  }

  /** Reads on until a set satisfies `accept`. */
  async until(expected: string, accept: (set: InstanceSet) => boolean): Promise<InstanceSet> {
    const search = async (): Promise<InstanceSet> => {
      for (;;) {
        const set = await this.next();
        if (accept(set)) return set;
      }
    };
    return this.within(search(), expected);
  }

  untilIds(ids: readonly string[]): Promise<InstanceSet> {
    const expected = [...ids].sort();
    return this.until(`the ids ${shown(expected)}`, set => shown(idsOf(set)) === shown(expected));
  }

  untilPorts(ports: readonly number[]): Promise<InstanceSet> {
    const expected = [...ports].sort((one, other) => one - other);
    return this.until(`the ports ${shown(expected)}`, set => {
      const listed = portsOf(set);
      return listed.length === expected.length && listed.every((port, index) => port === expected[index]);
    });
  }

  abort(): void {
    this.#controller.abort(new Error('the reader aborted'));
  }

  /** Aborts, and checks that the watch ends without a word. */
  async end(): Promise<void> {
    this.abort();
    await this.endsQuietly(this.step());
  }

  async endsQuietly(step: Promise<IteratorResult<InstanceSet, unknown>>): Promise<void> {
    equal((await step).done, true, 'an aborted watch must end, not yield');
  }

  /** The promise, or a failure that names what was awaited. */
  within<T>(promise: Promise<T>, expected: string): Promise<T> {
    const { runtime, withinMs, service, registry } = this.#parts;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`${registry.name}, ${service}: waited ${withinMs} ms for ${expected}`));
      const cancel = runtime.after(withinMs, late);
      void promise.then(resolve, reject).finally(cancel);
    });
  }
}

export const idsOf = (set: InstanceSet): string[] => set.map(({ id }) => id).sort();

export const portsOf = (set: InstanceSet): number[] => set.map(({ port }) => port).sort((one, other) => one - other);

const shown = (ids: readonly (string | number)[]): string =>
  JSON.stringify(ids.length > 10 ? [...ids.slice(0, 10), ids.length] : ids);
