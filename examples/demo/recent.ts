/** Numbers of the last second. */
export const SECOND_MS = 1_000;

export class Recent {
  #entries: { readonly at: number; readonly value: number }[] = [];

  add(value: number, now: number): void {
    this.#entries.push({ at: now, value });
  }

  values(now: number): number[] {
    const firstFresh = this.#entries.findIndex(({ at }) => at > now - SECOND_MS);
    this.#entries = firstFresh < 0 ? [] : this.#entries.slice(firstFresh);
    return this.#entries.map(({ value }) => value);
  }
}

/** `undefined` of nothing. */
export const quantile = (values: readonly number[], share: number): number | undefined => {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
};
