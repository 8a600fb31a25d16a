import { LoadGroup } from './load-group.js';

const precedes = (one: LoadGroup, other: LoadGroup): boolean =>
  one.load < other.load || (one.load === other.load && one.passed < other.passed);

/** The groups of a fleet as a heap: whose least busy endpoint is the least busy of all, in O(log of different weights). */
export class LoadGroups {
  readonly #byWeight = new Map<number, LoadGroup>();
  readonly #heap: LoadGroup[] = [];
  #passed = 0;

  /** The group of the least busy endpoint; `undefined` if there is nobody. */
  get first(): LoadGroup | undefined {
    const first = this.#heap[0];
    return first !== undefined && first.size > 0 ? first : undefined;
  }

  /** Unordered. */
  get all(): readonly LoadGroup[] {
    return this.#heap;
  }

  /** The group of that weight: a new one stands where the others are, and has nothing to catch up with. */
  of(weight: number): LoadGroup {
    let group = this.#byWeight.get(weight);
    if (group !== undefined) return group;
    group = new LoadGroup(weight, this.#passed);
    group.rank = this.#heap.length;
    this.#heap.push(group);
    this.#byWeight.set(weight, group);
    return group;
  }

  /** One of the group was picked. */
  picked(group: LoadGroup): void {
    // A group that was busier for a while does not get all that it missed at once.
    const passed = Math.max(this.#passed, group.passed);
    this.#passed = passed;
    group.passed = passed + 1 / (group.weight * group.size);
    this.changed(group);
  }

  /** It warms up, and had its share of the picks so far. */
  isEarly(group: LoadGroup): boolean {
    return group.warming && group.passed > this.#passed;
  }

  /** The group's load changed. */
  changed(group: LoadGroup): void {
    if (this.#heap.length > 1) this.#sink(this.#rise(group));
  }

  /** Forgets groups that nobody is in. */
  prune(): void {
    const groups = this.#heap.splice(0);
    for (const group of groups) {
      if (group.size === 0) {
        this.#byWeight.delete(group.weight);
        continue;
      }
      group.rank = this.#heap.length;
      this.#heap.push(group);
      this.#rise(group);
    }
  }

  #rise(group: LoadGroup): LoadGroup {
    const heap = this.#heap;
    let { rank } = group;
    while (rank > 0) {
      const above = heap[(rank - 1) >> 1]!;
      if (!precedes(group, above)) break;
      heap[rank] = above;
      above.rank = rank;
      rank = (rank - 1) >> 1;
    }
    heap[rank] = group;
    group.rank = rank;
    return group;
  }

  #sink(group: LoadGroup): void {
    const heap = this.#heap;
    let { rank } = group;
    for (;;) {
      let below = heap[rank * 2 + 1];
      const right = heap[rank * 2 + 2];
      if (right !== undefined && precedes(right, below!)) below = right;
      if (below === undefined || !precedes(below, group)) break;
      const { rank: next } = below;
      heap[rank] = below;
      below.rank = rank;
      rank = next;
    }
    heap[rank] = group;
    group.rank = rank;
  }
}
