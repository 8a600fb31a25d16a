/** More than a client has by far, unless its instances come and go by the hundred. */
const MAX_KEYS = 1_000;

/** What was made once for a key, so that a call makes no objects for its labels. Forgets all when it is full. */
export class Remembered<T> {
  readonly #values = new Map<string, T>();

  forget(): void {
    this.#values.clear();
  }

  get(key: string, make: () => T): T {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= MAX_KEYS) this.#values.clear();
    const made = make();
    this.#values.set(key, made);
    return made;
  }
}
